#include "agent/io/token_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace flintgauge {
namespace {

constexpr std::size_t kTokenLimit = 16UL * 1024;  // bound tokens are 1 to 2 KiB
constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

tl::unexpected<Error> io_failure(const std::string& path, int code) {
  return fail(Reason::kIo, path + ": " + std::generic_category().message(code));
}

/// Since the Unix epoch; 0 when there is no such file. Follows the links by which a kubelet swaps it.
std::int64_t modified_ns(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return 0;
  return std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec;
}

}  // namespace

TokenFile::TokenFile(std::string path) : path_(std::move(path)) {}

const std::string& TokenFile::get(SteadyTime now) {
  if (path_.empty()) return token_;
  const std::int64_t modified = modified_ns(path_);  // before the read: what changes in between is read again
  if (is_fresh_ && modified == modified_ns_ && elapsed_ms(read_at_, now) <= kMaxAgeMs) return token_;
  modified_ns_ = modified;
  is_fresh_ = true;
  read_at_ = now;
  ++reads_;
  const Status done = read();
  if (done) {
    error_.clear();
  } else {
    error_ = done.error().message;
  }
  return token_;
}

Status TokenFile::read() {
  const int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return io_failure(path_, errno);
  std::array<char, kTokenLimit + 1> bytes;
  std::size_t size = 0;
  ssize_t got = 1;
  while (got > 0 && size < bytes.size()) {
    got = ::read(file, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) {
      got = 1;
    } else if (got > 0) {
      size += static_cast<std::size_t>(got);
    }
  }
  const int code = errno;
  close(file);
  if (got < 0) return io_failure(path_, code);
  if (size > kTokenLimit) return fail(Reason::kIo, path_ + ": more than 16 KiB, that is no token");
  const std::string_view token = trimmed({bytes.data(), size});
  if (token.empty()) return fail(Reason::kIo, path_ + ": empty");
  if (std::any_of(token.begin(), token.end(), [](char c) { return c <= ' ' || c > '~'; }))
    return fail(Reason::kIo, path_ + ": holds bytes that may not stand in a header");
  if (token != token_) {
    token_ = token;
    ++version_;
  }
  return {};
}

}  // namespace flintgauge
