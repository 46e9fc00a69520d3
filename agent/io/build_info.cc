#include "agent/io/build_info.h"

#include <string_view>

namespace flintgauge {
namespace {

#if defined(__clang__)
constexpr std::string_view kCompiler = "clang " __clang_version__;
#else
constexpr std::string_view kCompiler = "gcc " __VERSION__;
#endif

}  // namespace

BuildInfo this_build() {
  std::string_view compiler = kCompiler;
  compiler.remove_suffix(compiler.size() - (compiler.find_last_not_of(' ') + 1));
  return {.version = FLINTGAUGE_VERSION, .revision = FLINTGAUGE_REVISION, .compiler = std::string(compiler)};
}

}  // namespace flintgauge
