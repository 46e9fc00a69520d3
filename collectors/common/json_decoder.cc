#include "collectors/common/json_decoder.h"

namespace flintgauge {
namespace {

// A buffer that one huge body made is given back; usual bodies keep theirs.
constexpr std::size_t kKeptBytes = 1UL * 1024 * 1024;
constexpr std::size_t kKeptFactor = 4;

}  // namespace

void JsonDecoder::begin() {
  if (body_.capacity() > kKeptBytes && body_.capacity() > kKeptFactor * last_size_) body_ = std::string();
  body_.clear();
  counts_ = {};
}

Status JsonDecoder::feed(std::string_view bytes) {
  counts_.bytes += bytes.size();
  if (bytes.size() > body_limit_ - body_.size()) {
    return fail(Reason::kTooLarge, "JSON body over " + std::to_string(body_limit_) + " bytes");
  }
  body_.append(bytes);
  return {};
}

Result<Batch> JsonDecoder::finish() {
  last_size_ = body_.size();
  if (Status status = reader_.read(body_, paths_, visitor_, counts_); !status) {
    return tl::unexpected(status.error());
  }
  return batch(counts_);
}

}  // namespace flintgauge
