// What all fuzz targets of JSON collectors share: the decoder and a slow reading of the tree must agree.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "flintgauge/collector.h"
#include "support/json_bodies.h"
#include "support/json_reference.h"

namespace flintgauge {

/// Does the decoder read documents with repeated names as a tree does? Not names of labels, which it hears
/// one by one.
enum class Repeats : bool { kAgree, kMayDiffer };

/// `slow(tree)` gives an optional: empty when the document is not of the wanted kind. `same(batch, expected)`
/// compares. Aborts when the two readings differ.
template <typename Slow, typename Same>
void check_json(Decoder& decoder, const std::uint8_t* data, std::size_t size, Repeats repeats, Slow slow,
                Same same) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  reference::JsonParser parser(body);
  const auto tree = parser.parse();
  // The piece depends on the body, so that any split is tried.
  const std::size_t piece = 1 + (size == 0 ? 0 : data[size / 2]) * 16UL;
  const auto batch = decode(decoder, body, piece);
  if (parser.has_huge_number()) return;  // RapidJSON may refuse it, or not
  if (repeats == Repeats::kMayDiffer && tree && has_repeats(*tree)) return;
  if (!batch && (batch.error().reason == Reason::kLimit || batch.error().reason == Reason::kTooLarge)) return;
  const auto expected = tree ? slow(*tree) : decltype(slow(*tree))();
  if (batch.has_value() != expected.has_value()) std::abort();
  if (!expected) return;
  if (decoder.counts().bytes != size) std::abort();
  if (!has_repeats(*tree) && total(decoder.counts()) < count_scalars(*tree)) std::abort();
  if (!same(*batch, *expected)) std::abort();
}

inline std::unique_ptr<Decoder> decoder_of(const Collector& collector) {
  Target target;
  target.body_limit = 1UL * 1024 * 1024;
  return collector.make_decoder(target);
}

}  // namespace flintgauge
