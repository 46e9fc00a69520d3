// Spark's StatsdSink (spark.md section 5.2): "NAME:VALUE|TYPE", one a datagram; several with LF between are
// read too. Not what StatsD servers expect: a counter ("c") is the total, not an increment; statistics come
// as "ms" and are values already; a number may have a decimal comma; a negative gauge is a value. So every
// kind sets a value. Sample rates and tags are never sent by Spark, and a sampled counter is no total.
#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "collectors/common/push_kinds.h"
#include "collectors/common/push_number.h"
#include "collectors/common/push_registry.h"

namespace flintgauge {
namespace {

class Statsd final : public PushDecoder {
 public:
  explicit Statsd(PushSender sender) : registry_(PushProtocol::kStatsd, std::move(sender)) {}

  bool has_news(SteadyTime now) const override { return registry_.has_news(now); }
  PushReport report(SteadyTime now) override { return registry_.report(now); }

  void take(std::string_view text, SteadyTime now, PushCounts& counts) override {
    if (text.ends_with('\n')) text.remove_suffix(1);
    while (true) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++count_of(counts, take_line(text.substr(0, end), now));
      if (end == text.size()) return;
      text.remove_prefix(end + 1);
    }
  }

 private:
  PushResult take_line(std::string_view line, SteadyTime now) {
    if (line.size() > kMaxPushLine) return PushResult::kLineTooLong;
    const std::size_t bar = line.find('|');
    if (bar == std::string_view::npos) return PushResult::kSyntax;
    const std::size_t colon = line.substr(0, bar).rfind(':');
    if (colon == std::string_view::npos || colon == 0) return PushResult::kSyntax;
    const auto number = parse_push_number(line.substr(colon + 1, bar - colon - 1), true);
    const std::string_view type = line.substr(bar + 1);
    const bool is_value = type == "c" || type == "g";
    if (!number || (!is_value && type != "ms")) return PushResult::kSyntax;
    if (!is_value) return PushResult::kSkipped;
    return registry_.take_value(line.substr(0, colon), *number, CountSuffix::kNone, now);
  }

  PushRegistry registry_;
};

}  // namespace

std::unique_ptr<PushDecoder> make_push_statsd(PushSender sender) {
  return std::make_unique<Statsd>(std::move(sender));
}

}  // namespace flintgauge
