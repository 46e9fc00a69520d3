# Target flintgauge_civetweb: the static library that cmake/civetweb.sh made from Debian's source package.
execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/civetweb.sh where
                OUTPUT_VARIABLE civetweb_dir OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE civetweb_missing)
if(civetweb_missing)
  message(FATAL_ERROR "civetweb is not built yet: run ./dev build (or cmake/civetweb.sh build) once; it takes 15 s.")
endif()
add_library(flintgauge_civetweb STATIC IMPORTED)
set_target_properties(flintgauge_civetweb PROPERTIES IMPORTED_LOCATION ${civetweb_dir}/lib/libcivetweb.a)
target_include_directories(flintgauge_civetweb SYSTEM INTERFACE ${civetweb_dir}/include)
target_link_libraries(flintgauge_civetweb INTERFACE OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
