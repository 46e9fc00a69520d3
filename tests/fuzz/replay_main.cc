// Feeds every file of the given directories to one fuzz target: whole, and cut short at 64 places, because a
// body that ends too early is the commonest bad input there is. Each input lives in a heap block of exactly
// its size, so that AddressSanitizer sees a read past the end.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void feed(const std::string& bytes, std::size_t size) {
  const std::vector<std::uint8_t> block(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
  LLVMFuzzerTestOneInput(block.data(), block.size());
}

void replay(const std::filesystem::path& file) {
  constexpr std::size_t kCuts = 64;
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  feed(bytes, bytes.size());
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / kCuts);
  for (std::size_t size = 0; size < bytes.size(); size += step) feed(bytes, size);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    std::printf("%s\n", file.c_str());  // before the run: a crash names its file
    std::fflush(stdout);
    replay(file);
  }
  std::printf("%zu files replayed\n", files.size());
  return files.empty() ? 1 : 0;  // an empty corpus proves nothing
}
