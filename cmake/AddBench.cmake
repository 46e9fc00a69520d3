find_package(benchmark REQUIRED)
add_custom_target(benchmarks)

# flintgauge_add_bench(parse LIBRARIES flintgauge_collectors [SOURCES more.cc]) builds bench/parse_bench.cc.
function(flintgauge_add_bench name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES;SOURCES" ${ARGN})
  add_executable(${name}_bench ${name}_bench.cc ${ARG_SOURCES})
  target_link_libraries(${name}_bench PRIVATE flintgauge_options ${ARG_LIBRARIES} benchmark::benchmark_main)
  target_include_directories(${name}_bench PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(${name}_bench PRIVATE FLINTGAUGE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  add_dependencies(benchmarks ${name}_bench)
  set_property(GLOBAL APPEND PROPERTY FLINTGAUGE_BENCHMARKS ${name}_bench)
endfunction()
