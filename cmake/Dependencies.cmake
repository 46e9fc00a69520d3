# Everything comes from Debian 12: its packages (./dev lists them; versions older than these are refused by name), and for
# two libraries its sources (cmake/debian_source.sh).

# Pure layers: header-only libraries. RapidJSON and xxHash have no imported target of their own.
find_package(tl-expected REQUIRED)
find_path(FLINTGAUGE_RAPIDJSON_DIR rapidjson/reader.h REQUIRED)
add_library(flintgauge_rapidjson INTERFACE)
target_include_directories(flintgauge_rapidjson SYSTEM INTERFACE ${FLINTGAUGE_RAPIDJSON_DIR})
find_path(FLINTGAUGE_XXHASH_DIR xxhash.h REQUIRED)
add_library(flintgauge_xxhash INTERFACE)
target_include_directories(flintgauge_xxhash SYSTEM INTERFACE ${FLINTGAUGE_XXHASH_DIR})
target_compile_definitions(flintgauge_xxhash INTERFACE XXH_INLINE_ALL)

if(NOT FLINTGAUGE_BUILD_AGENT)
  return()
endif()

# Everything that touches the world. Only flintgauge_io and the program link these.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
include(DebianSource)

# libdeflate 1.14 ships no CMake file.
find_path(FLINTGAUGE_LIBDEFLATE_DIR libdeflate.h REQUIRED)
find_library(FLINTGAUGE_LIBDEFLATE deflate REQUIRED)
add_library(flintgauge_libdeflate INTERFACE)
target_include_directories(flintgauge_libdeflate SYSTEM INTERFACE ${FLINTGAUGE_LIBDEFLATE_DIR})
target_link_libraries(flintgauge_libdeflate INTERFACE ${FLINTGAUGE_LIBDEFLATE})

# prometheus-cpp's own CMake file also asks for its pull library and through it for Debian's civetweb, whose TLS is
# broken (cmake/debian_source.sh). Its core has neither.
find_path(FLINTGAUGE_PROMETHEUS_DIR prometheus/registry.h REQUIRED)
find_library(FLINTGAUGE_PROMETHEUS_CORE prometheus-cpp-core REQUIRED)
add_library(flintgauge_prometheus_core INTERFACE)
target_include_directories(flintgauge_prometheus_core SYSTEM INTERFACE ${FLINTGAUGE_PROMETHEUS_DIR})
target_link_libraries(flintgauge_prometheus_core INTERFACE ${FLINTGAUGE_PROMETHEUS_CORE})

add_library(flintgauge_io_dependencies INTERFACE)
target_link_libraries(flintgauge_io_dependencies INTERFACE
  flintgauge_curl flintgauge_civetweb OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB spdlog::spdlog yaml-cpp CLI11::CLI11
  flintgauge_libdeflate flintgauge_prometheus_core flintgauge_rapidjson flintgauge_xxhash Threads::Threads)
