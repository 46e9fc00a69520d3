# What the released program is protected with; .ci/check-hardening reads it back from the file. Not here:
# -fcf-protection, because Debian 12's own start-up objects lack its mark and the linker then drops it from the program;
# -ftrivial-auto-var-init and _GLIBCXX_ASSERTIONS, because they work in the loop over samples (tests run with the latter).
include(CheckPIESupported)
check_pie_supported()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
target_compile_options(flintgauge_options INTERFACE
  $<$<CONFIG:Release>:-fstack-protector-strong;-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>)
target_link_options(flintgauge_options INTERFACE
  $<$<CONFIG:Release>:LINKER:-z,relro,-z,now,-z,noexecstack;LINKER:--as-needed>)
