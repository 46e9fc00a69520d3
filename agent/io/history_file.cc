#include "agent/io/history_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "agent/io/log.h"
#include "agent/io/self_metrics.h"
#include "agent/io/thread_name.h"

namespace flintgauge {
namespace {

constexpr std::size_t kLimit = std::size_t{8} * 1024 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  /// Some file systems tell only now that the disk was full.
  bool close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

tl::unexpected<Error> failed(const char* what, const std::string& path) {
  return fail(Reason::kInternal, std::string(what) + ' ' + path + ": " + std::strerror(errno));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(fd, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

Status write_and_flush(const std::string& path, std::string_view bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return failed("cannot open", path);
  if (!write_all(file.get(), bytes) || ::fsync(file.get()) != 0 || !file.close())
    return failed("cannot write", path);
  return {};
}

}  // namespace

Result<std::optional<std::string>> read_small_file(const std::string& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    if (errno == ENOENT) return std::optional<std::string>();
    return failed("cannot open", path);
  }
  std::string bytes;
  std::array<char, 65536> part{};
  while (true) {
    const ssize_t size = ::read(file.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return failed("cannot read", path);
    if (size == 0) return std::optional<std::string>(std::move(bytes));
    bytes.append(part.data(), static_cast<std::size_t>(size));
    if (bytes.size() > limit) return fail(Reason::kLimit, path + ": longer than any history");
  }
}

Status replace_file(const std::string& path, std::string_view bytes) {
  const std::string next = path + ".new";
  if (Status status = write_and_flush(next, bytes); !status) {
    ::unlink(next.c_str());
    return status;
  }
  if (std::rename(next.c_str(), path.c_str()) != 0) {
    Status status = failed("cannot rename to", path);
    ::unlink(next.c_str());
    return status;
  }
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());  // the rename itself; not every file system can
  return {};
}

HistoryFile::HistoryFile(HistoryConfig config, SelfMetrics& metrics)
    : config_(std::move(config)), metrics_(metrics) {}

HistoryFile::~HistoryFile() { stop(); }

void HistoryFile::load(const std::function<std::optional<std::string_view>(std::string_view)>& take) {
  if (config_.file.empty()) return;
  const Result<std::optional<std::string>> bytes = read_small_file(config_.file, kLimit);
  if (!bytes) {
    metrics_.count_history_file("unreadable");
    log::warn("history.file cannot be read, nothing is remembered", {{"error", bytes.error().message}});
    return;
  }
  if (!*bytes) return;  // the first agent here
  if (const std::optional<std::string_view> fault = take(**bytes)) {
    metrics_.count_history_file(*fault);
    log::warn("history.file is refused, nothing is remembered",
              {{"file", config_.file}, {"reason", std::string(*fault)}});
    return;
  }
  metrics_.count_history_file("loaded");
}

void HistoryFile::start() {
  if (config_.file.empty()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void HistoryFile::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

bool HistoryFile::is_due(SteadyTime now) {
  if (config_.file.empty()) return false;
  if (last_.ms == 0) last_ = now;
  if (elapsed_ms(last_, now) < config_.interval_ms) return false;
  last_ = now;
  return true;
}

void HistoryFile::offer(std::string bytes) {
  {
    const std::lock_guard lock(mutex_);
    offered_ = std::move(bytes);
  }
  changed_.notify_one();
}

void HistoryFile::run(const std::stop_token& stop) {
  name_thread("history");
  while (true) {
    std::string bytes;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return offered_.has_value(); })) return;
      bytes = *std::exchange(offered_, std::nullopt);
    }
    write(bytes);
  }
}

void HistoryFile::write(std::string_view bytes) {
  if (config_.file.empty()) return;
  const Status status = replace_file(config_.file, bytes);
  metrics_.count_history_file(status ? "written" : "failed");
  if (!status && !is_failing_)
    log::warn("history.file cannot be written", {{"error", status.error().message}});
  if (status && is_failing_) log::info("history.file is written again", {{"file", config_.file}});
  is_failing_ = !status;
}

}  // namespace flintgauge
