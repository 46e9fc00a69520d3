// Runs the fast text decoder and its slow twin on the same bodies and says where they disagree.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/common/text_decoder.h"
#include "support/slow_text.h"

namespace flintgauge {

/// Sizes of the pieces in which a body is fed; asked until the body is used up. Zero is allowed.
using Split = std::function<std::size_t()>;
inline Split in_one_piece() {
  return [] { return std::string::npos; };
}

/// Keeps, as a fold would, what the batches of one decoder said about its series.
class TextTwins {
 public:
  explicit TextTwins(const TextPage& page) : page_(page), decoder_(make_text_decoder(page)) {}

  /// Feeds one body to both. Returns what differs, "" when nothing does.
  std::string scrape(std::string_view body, const Split& split = in_one_piece());

  /// The batch of the last good scrape.
  const SampleBatch& batch() const { return batch_; }
  const Decoder& decoder() const { return *decoder_; }
  std::size_t live() const;

 private:
  std::string apply(const SlowScrape& slow);
  std::string compare_samples(const SlowScrape& slow) const;

  TextPage page_;
  std::unique_ptr<Decoder> decoder_;
  SampleBatch batch_;
  std::vector<std::optional<Route>> routes_;  // by series, of the live ones
};

std::string describe(const Route& route);

}  // namespace flintgauge
