// Streaming decoder of the Prometheus text format 0.0.4 (and what Spark writes in its name).
//
// What makes it fast (performance.md section 5): a line is compared with the text expected at its place, and
// only when they differ is it looked at any closer; lines of metrics that nobody wants are passed over by
// name; labels are parsed once in a series' life. A steady scrape allocates nothing.
//
// What is wanted is decided by name, then once per series by its labels. Lines of unwanted metrics are not
// looked into: they count as skipped whatever follows the name.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "collectors/common/text_labels.h"
#include "collectors/common/text_series.h"
#include "flintgauge/collector.h"

namespace flintgauge {

inline constexpr std::size_t kMaxLineSize = 64UL * 1024;

/// Up to this many repeated series a body is only odd; above it, and above 1 % of its samples, it is wrong.
inline constexpr std::uint64_t kDuplicatesTolerated = 10;

/// What one kind of page means.
struct TextPage {
  /// What a metric measures; nothing when its lines are unwanted. Pure: asked again at every change of name.
  std::function<std::optional<Measure>(std::string_view metric_name)> measure;

  /// Where a series goes; nothing when its rows are unwanted. Pure: asked once in a series' life.
  std::function<std::optional<Route>(Measure measure, std::span<const Label> labels)> route;

  /// In place of `route`, for pages whose metric names say it.
  std::function<std::optional<Route>(std::string_view metric_name, std::span<const Label> labels)>
      named_route = nullptr;

  TextLimits limits = kKubeletTextLimits;

  /// false: one unreadable line fails the scrape, and bytes that are no UTF-8 become U+FFFD in label values.
  /// true: an unreadable line (also: no UTF-8) is counted and skipped, values that are no numbers (null,
  /// true) too; a body of which no wanted sample can be read, but some line cannot, fails.
  bool lenient = false;
  LabelSyntax labels = LabelSyntax::kEscaped;
  KeepRoutes routes = KeepRoutes::kAlways;
};

/// A page whose metric names alone say where a series goes, and whether it is wanted.
TextPage text_page_by_name(std::function<std::optional<Route>(std::string_view metric_name)> route);

/// Errors of feed() and finish(): kParse, kUtf8, kLimit, kLineTooLong; kTruncated for an empty body and for a
/// last line without LF (but "# EOF" needs none).
std::unique_ptr<Decoder> make_text_decoder(TextPage page);

/// What the decoder reads a page by, for its slow twin; null when make_text_decoder() did not make it.
const TextPage* text_page_of(const Decoder& decoder);

}  // namespace flintgauge
