// Property: any bytes are refused whole or read whole; what was read is written in a form that is read again,
// and holds numbers only. The input is tried as a file and, behind a header that fits it, as the body of one.
#include <xxhash.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "agent/core/job_history.h"
#include "agent/core/vpa.h"

namespace {

constexpr std::string_view kNode = "n";

std::string little_endian(std::uint64_t value) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
  return out;
}

void try_bytes(std::string_view bytes) {
  using namespace flintgauge;
  JobHistory history;
  const JobKey kept{.namespace_name = "kept", .job_name = "kept"};
  history.use(kept, {1});
  if (history.decode(bytes, kNode)) {
    if (history.size() != 1 || history.find(kept) == nullptr) std::abort();
    return;
  }
  JobHistory again;
  if (again.decode(history.encode(kNode), kNode) || again.size() != history.size()) std::abort();
  const JobKey first{.namespace_name = "a", .job_name = "a"};
  JobRecord& record = again.use(first, {1'800'000'000'000});
  record.heap.add(1e9, 1, {1'800'000'000'000});
  record.gc.add(1, 1, {1'800'000'000'000});
  const Spread spread = spread_of(record.heap);
  if (!std::isfinite(spread.p50) || !std::isfinite(spread.p95) || !std::isfinite(*record.gc.value()))
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_bytes(bytes);
  std::string file = "flgauge\n";
  file += std::string("\2\0\0\0\1\0n", 7);
  file += little_endian(size) + little_endian(XXH3_64bits(data, size));
  file += bytes;
  try_bytes(file);
  return 0;
}
