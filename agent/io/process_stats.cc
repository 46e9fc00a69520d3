#include "agent/io/process_stats.h"

#include <dirent.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace flintgauge {
namespace {

Result<std::string> read_file(const char* path) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (text.empty()) return fail(Reason::kIo, std::string(path) + ": cannot be read");
  return text;
}

/// Reads decimal fields separated by spaces into `fields`; false when there are fewer.
template <std::size_t N>
bool read_fields(std::string_view text, std::array<std::int64_t, N>& fields) {
  const char* at = text.data();
  const char* end = text.data() + text.size();
  for (std::int64_t& field : fields) {
    while (at != end && *at == ' ') ++at;
    const auto [next, error] = std::from_chars(at, end, field);
    if (error != std::errc{}) return false;
    at = next;
  }
  return true;
}

Result<std::uint64_t> count_open_fds() {
  struct Close {
    void operator()(DIR* directory) const noexcept { closedir(directory); }
  };
  const std::unique_ptr<DIR, Close> directory(opendir("/proc/self/fd"));
  if (!directory) return fail(Reason::kIo, "/proc/self/fd: cannot be listed");
  std::uint64_t entries = 0;
  while (readdir(directory.get()) != nullptr) ++entries;  // NOLINT(concurrency-mt-unsafe): own stream
  return entries - 3;                                     // ".", ".." and the directory itself
}

/// The first call of mallinfo2 sets glibc's allocator up, which is not safe from two threads. With a
/// sanitizer, which brings an allocator of its own, nobody has done so before.
struct mallinfo2 heap_figures() {
  [[maybe_unused]] static const struct mallinfo2 kFirst = mallinfo2();
  return mallinfo2();
}

}  // namespace

Result<ProcessStats> parse_process_stat(std::string_view stat, std::int64_t boot_time_seconds,
                                        const KernelUnits& units) {
  // The second field is the program's name in parentheses and may hold anything: start behind the last ")".
  const std::size_t name_end = stat.rfind(')');
  // From field 4 on all fields are numbers; the last one wanted is 24.
  constexpr std::size_t kFirst = 4;
  std::array<std::int64_t, 24 - kFirst + 1> fields{};
  if (name_end == std::string_view::npos || stat.size() < name_end + 4 ||
      !read_fields(stat.substr(name_end + 4), fields)) {
    return fail(Reason::kParse, "/proc/self/stat: not the line that proc(5) describes");
  }
  const auto field = [&fields](std::size_t number) { return fields[number - kFirst]; };
  const auto seconds = [&units](std::int64_t ticks) {
    return static_cast<double>(ticks) / static_cast<double>(units.ticks_per_second);
  };
  ProcessStats stats;
  stats.cpu_seconds = seconds(field(14) + field(15));
  stats.threads = static_cast<std::uint64_t>(field(20));
  stats.start_time_seconds = static_cast<double>(boot_time_seconds) + seconds(field(22));
  stats.virtual_memory_bytes = static_cast<std::uint64_t>(field(23));
  stats.resident_memory_bytes = static_cast<std::uint64_t>(field(24) * units.page_bytes);
  return stats;
}

Result<std::int64_t> parse_boot_time(std::string_view proc_stat) {
  constexpr std::string_view kKey = "\nbtime ";
  const std::size_t at = proc_stat.find(kKey);
  std::array<std::int64_t, 1> seconds{};
  if (at == std::string_view::npos || !read_fields(proc_stat.substr(at + kKey.size()), seconds)) {
    return fail(Reason::kParse, "/proc/stat: no line \"btime SECONDS\"");
  }
  return seconds[0];
}

Result<ProcessStats> read_process_stats() {
  const Result<std::string> kernel = read_file("/proc/stat");
  if (!kernel) return tl::unexpected(kernel.error());
  const Result<std::int64_t> boot_time = parse_boot_time(*kernel);
  if (!boot_time) return tl::unexpected(boot_time.error());
  const Result<std::string> stat = read_file("/proc/self/stat");
  if (!stat) return tl::unexpected(stat.error());
  Result<ProcessStats> stats =
      parse_process_stat(*stat, *boot_time, {sysconf(_SC_CLK_TCK), sysconf(_SC_PAGESIZE)});
  if (!stats) return stats;
  const Result<std::uint64_t> open_fds = count_open_fds();
  if (!open_fds) return tl::unexpected(open_fds.error());
  stats->open_fds = *open_fds;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail(Reason::kIo, "getrlimit(RLIMIT_NOFILE) failed");
  stats->max_fds = limit.rlim_cur;
  if (getrlimit(RLIMIT_AS, &limit) != 0) return fail(Reason::kIo, "getrlimit(RLIMIT_AS) failed");
  stats->max_virtual_memory_bytes = limit.rlim_cur;
  const struct mallinfo2 heap = heap_figures();
  stats->heap_bytes = heap.arena + heap.hblkhd;
  return stats;
}

}  // namespace flintgauge
