// A Spark driver's /metrics/prometheus/ (PrometheusServlet): the driver's own registry (spark.md sections 1
// and 2). Off unless the user configures the sink. A name is
// metrics_<namespace>_driver_<source>_<metric>_<suffix>, every character but letters and digits mangled to
// '_'; the namespace is the application id unless the user set spark.metrics.namespace. The application is
// known from the pod asked, never from the name.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/common/spark_target.h"
#include "collectors/common/text_decoder.h"

namespace flintgauge {
namespace {

struct Wanted {
  std::string_view name;  ///< after "_driver_"; gauges come twice, as _Value and as _Number
  Measure measure;
};

constexpr auto kWanted = std::to_array<Wanted>({
    {"DAGScheduler_job_activeJobs_Value", Measure::kDriverActiveJobs},
    {"DAGScheduler_stage_runningStages_Value", Measure::kDriverRunningStages},
    {"DAGScheduler_stage_waitingStages_Value", Measure::kDriverWaitingStages},
    {"ExecutorAllocationManager_executors_numberMaxNeededExecutors_Value",
     Measure::kDriverMaxNeededExecutors},
    {"ExecutorAllocationManager_executors_numberTargetExecutors_Value", Measure::kDriverTargetExecutors},
});

constexpr std::string_view kStart = "metrics_";
constexpr std::string_view kDriver = "_driver_";

/// As PrometheusServlet does it.
std::string mangle(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    c = kept ? c : '_';
  }
  return out;
}

/// `own_prefix`: of this application's names when its namespace is the default. Other names must end in a
/// metric that is wanted; what comes before "_driver_" is then the user's own namespace.
std::optional<Measure> measure_of(std::string_view name, std::string_view own_prefix) {
  const bool is_own = name.starts_with(own_prefix);
  if (!is_own && !name.starts_with(kStart)) return std::nullopt;
  for (const Wanted& wanted : kWanted) {
    if (!name.ends_with(wanted.name)) continue;
    const std::string_view before = name.substr(0, name.size() - wanted.name.size());
    if (is_own ? before == own_prefix : before.ends_with(kDriver)) return wanted.measure;
  }
  return std::nullopt;
}

std::optional<Route> route_of(Measure measure, std::span<const Label> /*labels*/) {
  Route route;
  route.measure = measure;
  route.scope = Scope::kDriver;
  return route;
}

class SparkDriverPage final : public Collector {
 public:
  std::string_view name() const override { return "spark_driver_page"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkDriver& driver : spark_drivers(discovery)) {
      targets.push_back(spark_target(driver, discovery, name(), "/metrics/prometheus/", Expect::kText));
      targets.back().optional = true;
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    std::string own_prefix(kStart);
    own_prefix.append(mangle(target.app.app_id)).append(kDriver);
    return make_text_decoder(
        {.measure = [own = std::move(own_prefix)](std::string_view name) { return measure_of(name, own); },
         .route = route_of,
         .limits = kTenantTextLimits,
         .lenient = true,
         .labels = LabelSyntax::kUnescaped});
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_driver_page() { return std::make_unique<SparkDriverPage>(); }

}  // namespace flintgauge
