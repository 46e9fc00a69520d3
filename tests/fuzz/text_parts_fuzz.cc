// Labels and numbers of the text format. Properties: names and values lie inside the input or are valid UTF-8
// copies; the canonical spelling of a series reads as the same labels and is its own canonical spelling; the
// short way through a number gives the same double as the long way.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/common/text_labels.h"
#include "collectors/common/text_number.h"
#include "collectors/common/text_value.h"

namespace {
using namespace flintgauge;

void require(bool holds) {
  if (!holds) std::abort();
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs sorted_labels(const LabelReader& reader) {
  Pairs pairs;
  for (const Label& label : reader.labels()) pairs.emplace_back(label.name, label.value);
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

void check_labels(std::string_view text, LabelSyntax syntax) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* const name_end = scan_metric_name(begin, end);
  LabelReader reader(syntax, kTenantTextLimits);
  const char* const labels_end = reader.read(name_end, end);
  if (labels_end == nullptr || name_end == begin) return;
  require(labels_end >= name_end && labels_end <= end);
  const std::string_view name(begin, static_cast<std::size_t>(name_end - begin));
  const std::string_view series(begin, static_cast<std::size_t>(labels_end - begin));
  const Pairs labels = sorted_labels(reader);
  for (const auto& [label, value] : labels) {
    std::string again;
    require(append_utf8(value, again) && again == value);
  }
  if (syntax != LabelSyntax::kEscaped) return;
  const std::string canonical(reader.canonical(series, name));
  if (canonical.empty()) return;
  const char* const canonical_end = canonical.data() + canonical.size();
  require(reader.read(canonical.data() + name.size(), canonical_end) == canonical_end);
  require(sorted_labels(reader) == labels);
  require(reader.canonical(canonical, name).empty());
}

void check_number(std::string_view text) {
  const std::string line = std::string(text.substr(0, 100)) + "\n";
  const std::string_view token(line.data(),
                               static_cast<std::size_t>(end_of_token(line.data()) - line.data()));
  double quick = 0;
  double exact = 0;
  const NumberKind kind = parse_number(token, exact);
  if (const char* const end = parse_short_number(line.data(), quick)) {
    require(end == token.data() + token.size() && kind == NumberKind::kFinite);
    require(std::bit_cast<std::uint64_t>(quick) == std::bit_cast<std::uint64_t>(exact));
  }
  std::int64_t quick_stamp = 0;
  std::int64_t exact_stamp = 0;
  if (const char* const end = parse_short_timestamp(line.data(), quick_stamp)) {
    require(end == token.data() + token.size() && parse_timestamp(token, exact_stamp) &&
            quick_stamp == exact_stamp);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_labels(input, flintgauge::LabelSyntax::kEscaped);
  check_labels(input, flintgauge::LabelSyntax::kUnescaped);
  check_number(input);
  return 0;
}
