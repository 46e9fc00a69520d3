// Decoder of an endpoint that answers with one JSON document.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "collectors/common/json.h"
#include "collectors/common/json_end.h"
#include "flintgauge/collector.h"

namespace flintgauge {

/// Keeps the whole body, because a document means nothing before its end, and reads it once in finish().
/// A collector says what it wants (paths), hears it (visitor) and makes its Batch of it.
class JsonDecoder : public Decoder {
 public:
  void begin() final;
  Status feed(std::string_view bytes) final;
  Result<Batch> finish() final;
  const ScrapeCounts& counts() const final { return counts_; }

 protected:
  /// Is the body kept until the next one begins, or given back at once because of what stands in it?
  enum class Body : bool { kKept, kForgotten };

  /// `paths` and `visitor` (usually a member of the derived class) must live as long as the decoder. Bodies
  /// over `body_limit` bytes fail with kTooLarge.
  JsonDecoder(const json::Paths& paths, json::Visitor& visitor, std::size_t body_limit,
              Body body = Body::kKept)
      : paths_(paths), visitor_(visitor), body_limit_(body_limit), forgets_(body == Body::kForgotten) {}

  /// The whole document was read and was well formed. May add to `counts`.
  virtual Result<Batch> batch(ScrapeCounts& counts) = 0;

 private:
  void forget();

  const json::Paths& paths_;
  json::Visitor& visitor_;
  std::size_t body_limit_;
  bool forgets_;
  std::size_t last_size_ = 0;  // of the last good body
  std::string body_;
  json::EndFinder end_;
  std::size_t searched_ = 0;  // bytes of body_ that end_ has seen
  json::Reader reader_;
  ScrapeCounts counts_;
};

}  // namespace flintgauge
