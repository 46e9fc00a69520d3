// What sinks push to a Pushgateway (spark.md section 5.4, banzaicloud/spark-metrics): a registry as text, a
// name mangled without prefix or suffix, gauges and counters alike, values absolute. POST sets values of a
// group, PUT puts them in the place of all that the group had, DELETE ends them. Time stamps are the sender's
// and are not used. Names that users shortened tell no instance: whose they are is known from the address.
#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "collectors/common/push_registry.h"
#include "collectors/common/spark_registry.h"
#include "collectors/common/text_decoder.h"
#include "flintgauge/push.h"

namespace flintgauge {
namespace {

constexpr std::string_view kDriver = "driver";
// Of one body: every measure under some names more than it has in any registry.
constexpr std::size_t kMaxWantedLines = 512;
constexpr std::size_t kMaxWantedLine = 512;

/// Where a name of the body goes. Route::app_id is set when it claims another application.
class RouteOf {
 public:
  explicit RouteOf(std::string_view app_id) : own_(mangle_registry_name(app_id)) {}

  std::optional<Route> operator()(std::string_view name) const {
    const auto parsed = parse_pushgateway_name(name, own_);
    const RegistryMetric* const metric = parsed ? find_pushgateway_metric(parsed->rest) : nullptr;
    // Executors have some of the driver's sources too; there they are of another measure.
    if (metric == nullptr ||
        (metric->scope == Scope::kDriver && !parsed->instance.empty() && parsed->instance != kDriver))
      return std::nullopt;
    Route route;
    route.measure = metric->measure;
    route.scope = metric->scope;
    route.container = parsed->instance;
    if (claims_another_app(parsed->namespace_name, own_)) route.app_id = parsed->namespace_name;
    return route;
  }

 private:
  std::string own_;
};

class Groups final : public PushGroups {
 public:
  explicit Groups(PushSender sender) : registry_(PushProtocol::kPushgateway, std::move(sender)) {}

  bool has_news(SteadyTime now) const override { return registry_.has_news(now); }
  PushReport report(SteadyTime now) override { return registry_.report(now); }

  PushOutcome take(const PushGroup& group, PushAction action, Decoder& body, const Status& fed,
                   SteadyTime now, PushCounts& counts) override {
    if (claims_another(group)) {
      count_of(counts, PushResult::kIdentity) += lines_of(body.counts());
      return {PushVerdict::kIdentity, "the path names another application or executor"};
    }
    forget_old(now);
    if (action == PushAction::kForget || (fed && body.counts().bytes == 0)) {
      if (action != PushAction::kMerge) replace(group, {});
      return {};
    }
    const Result<Batch> batch = fed ? body.finish() : Result<Batch>(tl::unexpected(fed.error()));
    if (!batch) {
      const bool is_long = batch.error().reason == Reason::kLineTooLong;
      count_of(counts, is_long ? PushResult::kLineTooLong : PushResult::kSyntax) +=
          std::max<std::uint64_t>(1, lines_of(body.counts()));
      return {PushVerdict::kUnreadable, batch.error().message};
    }
    if (!groups_.contains(group.labels) && groups_.size() >= kGroups) {
      count_of(counts, PushResult::kBudget) += lines_of(body.counts());
      return {PushVerdict::kBudget, "the pod has too many groups"};
    }
    const Values told = values_of(std::get<SampleBatch>(*batch), body.counts(), now, counts);
    if (action == PushAction::kMerge) merge(group, told);
    if (action == PushAction::kReplace) replace(group, told);
    return {};
  }

 private:
  struct Value {
    double number = 0;
    SteadyTime heard;
    Scope scope = Scope::kExecutor;
  };
  using Values = std::map<Measure, Value>;

  /// The labels that the sink puts into the path are checked as its names are; those of users claim nothing.
  bool claims_another(const PushGroup& group) const {
    std::string_view role;
    std::string_view number;
    for (const auto& [name, value] : group.labels) {
      if ((name == "job" || name == "instance") && registry_.claims_another(value)) return true;
      if (name == "role") role = value;
      if (name == "number") number = value;
    }
    const bool is_driver = registry_.sender().role == Role::kDriver;
    if (role == kDriver) return !is_driver;
    return role == "executor" && (is_driver || (!number.empty() && number != registry_.sender().instance));
  }

  /// What a line says of the sender's own registry.
  PushResult result_of(const Route& route, double number) const {
    const bool is_own =
        route.app_id.empty() && (route.container.empty() || route.container == registry_.sender().instance);
    if (!is_own) return PushResult::kIdentity;
    if (!registry_.is_own(route.scope)) return PushResult::kSkipped;
    return number < 0 ? PushResult::kNotFinite : PushResult::kKept;  // -1: the JVM cannot tell
  }

  Values values_of(const SampleBatch& batch, const ScrapeCounts& lines, SteadyTime now,
                   PushCounts& counts) const {
    count_of(counts, PushResult::kSkipped) += lines.skipped;
    count_of(counts, PushResult::kSyntax) += lines.bad;
    count_of(counts, PushResult::kDuplicate) += lines.duplicate;
    count_of(counts, PushResult::kNotFinite) += lines.not_finite;
    Values told;
    for (const Sample& sample : batch.samples) {
      const Route& route = batch.routes[sample.series];
      const PushResult result = result_of(route, sample.value);
      ++count_of(counts, result);
      if (result == PushResult::kKept)
        told[route.measure] = {to_base(unit_of_measure(route.measure), sample.value), now, route.scope};
    }
    return told;
  }

  void merge(const PushGroup& group, const Values& told) {
    if (told.empty()) return;
    Values& values = groups_[group.labels];
    for (const auto& [measure, value] : told) values[measure] = value;
    for (const auto& [measure, value] : told) settle(measure);
  }

  void replace(const PushGroup& group, const Values& told) {
    const auto at = groups_.find(group.labels);
    Values before;
    if (at != groups_.end()) before = std::exchange(at->second, {});
    if (!told.empty()) {
      groups_[group.labels] = told;
    } else if (at != groups_.end()) {
      groups_.erase(at);
    }
    for (const auto& [measure, value] : told) {
      before.erase(measure);
      settle(measure);
    }
    for (const auto& [measure, value] : before) settle(measure);
  }

  /// Of the groups that tell the measure the one heard last counts.
  void settle(Measure measure) {
    const Value* latest = nullptr;
    for (const auto& [labels, values] : groups_) {
      const auto at = values.find(measure);
      if (at == values.end() || (latest != nullptr && latest->heard > at->second.heard)) continue;
      latest = &at->second;
    }
    if (latest == nullptr) {
      registry_.forget(measure);
      return;
    }
    Route route;
    route.measure = measure;
    route.scope = latest->scope;
    if (route.scope == Scope::kExecutor) route.container = registry_.sender().instance;
    registry_.set(std::move(route), latest->number, latest->heard);
  }

  void forget_old(SteadyTime now) {
    for (auto at = groups_.begin(); at != groups_.end();) {
      std::erase_if(at->second,
                    [now](const auto& entry) { return elapsed_ms(entry.second.heard, now) > kPushTtlMs; });
      at = at->second.empty() ? groups_.erase(at) : std::next(at);
    }
  }

  PushRegistry registry_;
  std::map<std::vector<std::pair<std::string, std::string>>, Values> groups_;
};

}  // namespace

std::unique_ptr<PushGroups> make_push_groups(PushSender sender) {
  return std::make_unique<Groups>(std::move(sender));
}

std::unique_ptr<Decoder> make_push_body_decoder(const PushSender& sender) {
  TextPage page = text_page_by_name(RouteOf(sender.app.app_id));
  page.limits = kTenantTextLimits;
  page.limits.wanted_lines = kMaxWantedLines;
  page.limits.wanted_line_size = kMaxWantedLine;
  page.lenient = true;
  auto decoder = make_text_decoder(std::move(page));
  decoder->begin();
  return decoder;
}

}  // namespace flintgauge
