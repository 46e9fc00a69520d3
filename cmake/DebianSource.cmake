# Static libraries that cmake/debian_source.sh made from Debian's source packages.
function(flintgauge_debian_source name archive)
  execute_process(COMMAND ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/debian_source.sh where ${name}
                  OUTPUT_VARIABLE dir OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE missing)
  if(missing)
    message(FATAL_ERROR "${name} is not built yet: run ./dev build (or cmake/debian_source.sh build ${name}) once.")
  endif()
  add_library(flintgauge_${name} STATIC IMPORTED)
  set_target_properties(flintgauge_${name} PROPERTIES IMPORTED_LOCATION ${dir}/lib/${archive})
  target_include_directories(flintgauge_${name} SYSTEM INTERFACE ${dir}/include)
  target_link_libraries(flintgauge_${name} INTERFACE OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
endfunction()

flintgauge_debian_source(civetweb libcivetweb.a)
flintgauge_debian_source(curl libcurl.a)
target_compile_definitions(flintgauge_curl INTERFACE CURL_STATICLIB)
