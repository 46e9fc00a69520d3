#include "collectors/common/json_decoder.h"

#include <algorithm>

namespace flintgauge {
namespace {

// Buffers that one huge body made are given back; usual bodies keep theirs.
constexpr std::size_t kKeptBytes = 1UL * 1024 * 1024;
constexpr std::size_t kKeptFactor = 4;
// A body that grows beyond this many times the last good one is suspected to be more than one document.
constexpr std::size_t kSuspiciousFactor = 2;

}  // namespace

void JsonDecoder::begin() {
  if (body_.capacity() > kKeptBytes && body_.capacity() > kKeptFactor * last_size_) {
    forget();
  }
  body_.clear();
  end_ = {};
  searched_ = 0;
  counts_ = {};
}

void JsonDecoder::forget() {
  std::string().swap(body_);  // an assignment keeps the room
  reader_.forget_buffers();
}

Status JsonDecoder::feed(std::string_view bytes) {
  counts_.bytes += bytes.size();
  if (bytes.size() > body_limit_ - body_.size()) {
    return fail(Reason::kTooLarge, "JSON body over " + std::to_string(body_limit_) + " bytes");
  }
  body_.append(bytes);
  if (body_.size() > std::max(kKeptBytes, kSuspiciousFactor * last_size_)) {
    const std::string_view unsearched = std::string_view(body_).substr(searched_);
    searched_ = body_.size();
    if (end_.is_beyond_end(unsearched))
      return fail(Reason::kJson, "the document has ended, but more follows");
  }
  return {};
}

Result<Batch> JsonDecoder::finish() {
  const Status status = reader_.read(body_, paths_, visitor_, counts_);
  if (status) last_size_ = body_.size();
  if (forgets_) forget();
  if (!status) return tl::unexpected(status.error());
  return batch(counts_);
}

}  // namespace flintgauge
