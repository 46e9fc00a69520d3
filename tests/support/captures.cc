#include "support/captures.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <stdexcept>

namespace flintgauge {
namespace {

const std::filesystem::path kRoot = std::filesystem::path(FLINTGAUGE_SOURCE_DIR) / "tests/fixtures";

}  // namespace

std::string read_capture(const std::string& path) {
  std::filesystem::path file = kRoot / path;
  if (!std::filesystem::exists(file)) file += ".gz";
  // zlib's gz functions read plain files as they are.
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> in(gzopen(file.c_str(), "rb"), &gzclose);
  if (!in) throw std::runtime_error("no capture " + path);
  std::string bytes;
  std::array<char, 65536> block{};
  int size = 0;
  while ((size = gzread(in.get(), block.data(), block.size())) > 0) {
    bytes.append(block.data(), static_cast<std::size_t>(size));
  }
  if (size < 0) throw std::runtime_error("broken capture " + path);
  return bytes;
}

std::vector<std::string> list_captures(const std::string& part) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kRoot)) {
    if (!entry.is_regular_file() || entry.path().filename().string().find(part) == std::string::npos)
      continue;
    std::filesystem::path relative = std::filesystem::relative(entry.path(), kRoot);
    if (relative.extension() == ".gz") relative.replace_extension();
    if (relative.extension() != ".md") found.push_back(relative.string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace flintgauge
