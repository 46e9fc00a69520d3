# Flags travel by this target, never by a global variable.
add_library(flintgauge_options INTERFACE)
target_compile_features(flintgauge_options INTERFACE cxx_std_20)
target_compile_options(flintgauge_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # g++ 12 sees overlaps in string + string at -O3 (GCC bug 105329)
  $<$<BOOL:${FLINTGAUGE_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:Clang>:-Wreserved-identifier>
  -fno-omit-frame-pointer
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)   # no path of the build machine in the program; same bytes anywhere
target_compile_definitions(flintgauge_options INTERFACE $<$<NOT:$<CONFIG:Release>>:_GLIBCXX_ASSERTIONS>)

if(FLINTGAUGE_SANITIZE)
  # fuzzer-no-link: coverage feedback in the libraries; the fuzz programs alone link libFuzzer's main.
  set(sanitize ${FLINTGAUGE_SANITIZE}$<$<BOOL:${FLINTGAUGE_LIBFUZZER}>:,fuzzer-no-link>)
  target_compile_options(flintgauge_options INTERFACE -fsanitize=${sanitize} -fno-sanitize-recover=all)
  target_link_options(flintgauge_options INTERFACE -fsanitize=${sanitize})
else()
  include(Hardening)
endif()
