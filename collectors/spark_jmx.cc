// The page of a JMX exporter inside a Spark driver or executor (spark.md section 6): the registry of its JVM,
// named by whatever rules the user has; the exporter's own format without rules too. For executors it is the
// one page they have; of a driver it is asked only while /metrics/json/, which says the same, fails.
//
// The exporter walks through all beans of the JVM for every answer, some 0.4 s of CPU: it is asked once a
// minute, so that the pod pays less than one per cent of a core.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/common/registry_text.h"
#include "collectors/common/spark_registry.h"
#include "collectors/common/spark_target.h"

namespace flintgauge {
namespace {

constexpr std::string_view kDriver = "driver";
constexpr std::string_view kStandsInFor = "spark_metrics_json";
constexpr std::int64_t kMinIntervalMs = 60'000;
constexpr std::int64_t kRounds = 6;
constexpr std::int64_t kTimeoutMs = 10'000;  // up to 6 s on a loaded machine

/// The exporter answers before Spark has registered its beans: a page without any is whole, and empty.
std::optional<Route> named_by_rules(std::string_view name, std::string_view instance) {
  if (const RegistryMetric* metric = find_jmx_metric(name)) return registry_route(*metric, instance);
  const auto query = find_jmx_query(name);
  return query ? std::optional(registry_route(*query->metric, instance, query->query)) : std::nullopt;
}

std::optional<Route> named_without_rules(const MangledName& name, std::string_view instance) {
  if (const RegistryMetric* metric = find_servlet_metric(name.rest)) return registry_route(*metric, instance);
  const auto query = find_servlet_query(name.rest);
  return query ? std::optional(registry_route(*query->metric, instance, query->query)) : std::nullopt;
}

class SparkJmx final : public Collector {
 public:
  std::string_view name() const override { return "spark_jmx"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkJvm& jvm : spark_jvms(discovery)) {
      const bool is_driver = jvm.executor_id.empty();
      Target target = spark_target({jvm.app, jvm.pod_uid, jvm.url, {}}, discovery, name(), "", Expect::kText);
      target.key += "/" + std::string(is_driver ? kDriver : std::string_view(jvm.executor_id));
      target.pace.interval_ms = std::max(kMinIntervalMs, kRounds * discovery.spark_interval_ms);
      target.pace.timeout_ms = kTimeoutMs;
      target.pace.ttl_ms = 3 * target.pace.interval_ms;
      target.pace.retry_ms = discovery.spark_interval_ms;
      target.executor_id = jvm.executor_id;
      if (is_driver) target.fallback_of = spark_target_key(kStandsInFor, jvm.app);
      targets.push_back(std::move(target));
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    const bool is_driver = target.executor_id.empty();
    const std::string instance = is_driver ? std::string(kDriver) : target.executor_id;
    const auto route = [is_driver, instance, own = mangle_registry_name(target.app.app_id)](
                           std::string_view metric_name) -> std::optional<Route> {
      const auto mangled = parse_mangled_name(metric_name, own);
      if (mangled && mangled->instance != instance) return std::nullopt;
      auto found = mangled ? named_without_rules(*mangled, instance) : named_by_rules(metric_name, instance);
      // Executors have some of the driver's sources too; there they are of another measure.
      if (found && !is_driver && found->scope != Scope::kExecutor) return std::nullopt;
      return found;
    };
    return make_registry_text_decoder({.route = route, .labels = LabelSyntax::kEscaped});
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_jmx() { return std::make_unique<SparkJmx>(); }

}  // namespace flintgauge
