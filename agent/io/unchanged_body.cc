#include "agent/io/unchanged_body.h"

#include <algorithm>

namespace flintgauge {

void UnchangedBody::begin(Decoder& decoder) {
  equal_ = 0;
  is_decoding_ = !has_good_;
  if (!is_decoding_) return;
  kept_.clear();
  fits_ = true;
  decoder.begin();
}

Status UnchangedBody::take(std::string_view bytes, Decoder& decoder) {
  if (!is_decoding_) {
    const std::string_view due = std::string_view(kept_).substr(equal_, bytes.size());
    if (due == bytes) {
      equal_ += bytes.size();
      return {};
    }
    if (Status beginning = decode_from_here(decoder); !beginning) return beginning;
  }
  fits_ = fits_ && bytes.size() <= kKeepLimit - kept_.size();
  if (fits_) kept_.append(bytes);
  return decoder.feed(bytes);
}

Result<bool> UnchangedBody::finish(Decoder& decoder) {
  if (is_decoding_) return false;
  if (equal_ == kept_.size()) return true;
  if (Status beginning = decode_from_here(decoder); !beginning)
    return tl::unexpected<Error>(beginning.error());
  return false;
}

// From now on kept_ is the new body, and no good one until accept().
Status UnchangedBody::decode_from_here(Decoder& decoder) {
  is_decoding_ = true;
  has_good_ = false;
  fits_ = true;
  kept_.resize(equal_);
  decoder.begin();
  return decoder.feed(kept_);
}

}  // namespace flintgauge
