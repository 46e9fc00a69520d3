find_program(FLINTGAUGE_CCACHE ccache)
if(FLINTGAUGE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${FLINTGAUGE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${FLINTGAUGE_CCACHE})
endif()

# Flags travel by this target, never by a global variable.
add_library(flintgauge_options INTERFACE)
target_compile_features(flintgauge_options INTERFACE cxx_std_20)
target_compile_options(flintgauge_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<BOOL:${FLINTGAUGE_WERROR}>:-Werror>
  -fno-omit-frame-pointer)
if(FLINTGAUGE_SANITIZE)
  target_compile_options(flintgauge_options INTERFACE -fsanitize=${FLINTGAUGE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(flintgauge_options INTERFACE -fsanitize=${FLINTGAUGE_SANITIZE})
endif()
