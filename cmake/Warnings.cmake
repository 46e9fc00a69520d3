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
