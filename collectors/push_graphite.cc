// Spark's GraphiteSink (spark.md section 5.1): carbon's plaintext, "NAME VALUE SECONDS" a line. Counters are
// totals and have ".count" after their name. Whitespace inside names was replaced by the sink. The time is
// the sender's and is not used: values count from when they came.
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "collectors/common/push_kinds.h"
#include "collectors/common/push_number.h"
#include "collectors/common/push_registry.h"

namespace flintgauge {
namespace {

constexpr bool is_space(char c) { return c == ' ' || c == '\t'; }

/// The next word, taken off `rest` with the spaces before it; "" when there is none.
std::string_view take_word(std::string_view& rest) {
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  std::size_t size = 0;
  while (size < rest.size() && !is_space(rest[size])) ++size;
  const std::string_view word = rest.substr(0, size);
  rest.remove_prefix(size);
  return word;
}

class Graphite final : public PushDecoder {
 public:
  explicit Graphite(PushSender sender) : registry_(PushProtocol::kGraphite, std::move(sender)) {}

  bool has_news(SteadyTime now) const override { return registry_.has_news(now); }
  PushReport report(SteadyTime now) override { return registry_.report(now); }

  void take(std::string_view text, SteadyTime now, PushCounts& counts) override {
    ++count_of(counts, take_line(text, now));
  }

 private:
  PushResult take_line(std::string_view line, SteadyTime now) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > kMaxPushLine) return PushResult::kLineTooLong;
    const std::string_view name = take_word(line);
    const auto number = parse_push_number(take_word(line), false);
    const auto seconds = parse_push_number(take_word(line), false);
    if (!take_word(line).empty() || !number || !seconds) return PushResult::kSyntax;
    return registry_.take_value(name, *number, CountSuffix::kGraphite, now);
  }

  PushRegistry registry_;
};

}  // namespace

std::unique_ptr<PushDecoder> make_push_graphite(PushSender sender) {
  return std::make_unique<Graphite>(std::move(sender));
}

}  // namespace flintgauge
