// A Spark driver's registry as text (PrometheusServlet; spark.md sections 1 and 2). Off unless the user
// configures the sink, and it says nothing that /metrics/json/ does not say: it is asked while that one fails
// or is not there. A name is metrics_<namespace>_driver_<source>_<metric>_<suffix>, every character but
// letters and digits mangled to '_'; the namespace is the application id unless the user set
// spark.metrics.namespace. The application is known from the pod asked, never from the name.
//
// The path is the user's own. It is looked for in this order: annotation prometheus.io/path of the pod,
// /metrics/prometheus/, the path of the operators' examples, the one that the driver's environment tells.
#include <algorithm>
#include <array>
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
constexpr auto kUsualPaths =
    std::to_array<std::string_view>({"/metrics/prometheus/", "/metrics/driver/prometheus/"});
// Pages of other collectors that people annotate.
constexpr auto kOtherPaths =
    std::to_array<std::string_view>({"/metrics/executors/prometheus/", "/metrics/json/"});

void add_path(std::vector<std::string>& paths, std::string path) {
  if (path.empty()) return;
  if (!path.ends_with('/')) path += '/';  // without it Jetty redirects
  if (std::ranges::find(kOtherPaths, path) != kOtherPaths.end()) return;
  if (std::ranges::find(paths, path) == paths.end()) paths.push_back(std::move(path));
}

std::vector<std::string> paths_of(const SparkDriver& driver, const Discovery& discovery) {
  std::vector<std::string> paths;
  add_path(paths, driver.annotated_path);
  for (const std::string_view path : kUsualPaths) add_path(paths, std::string(path));
  if (discovery.servlet_paths == nullptr) return paths;
  if (const auto told = discovery.servlet_paths->find(driver.app); told != discovery.servlet_paths->end())
    add_path(paths, told->second);
  return paths;
}

class SparkDriverPage final : public Collector {
 public:
  std::string_view name() const override { return "spark_driver_page"; }
  SourceKind source() const override { return SourceKind::kSpark; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const SparkDriver& driver : spark_drivers(discovery)) {
      std::string before = spark_target_key(kStandsInFor, driver.app);
      int number = 1;
      for (const std::string& path : paths_of(driver, discovery)) {
        Target target = spark_target(driver, discovery, name(), path, Expect::kText);
        if (number > 1) target.key.insert(name().size(), "_" + std::to_string(number));
        ++number;
        target.optional = true;
        target.fallback_of = before;
        before = target.key;
        targets.push_back(std::move(target));
      }
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& target) const override {
    const auto route = [own = mangle_registry_name(target.app.app_id)](
                           std::string_view metric_name) -> std::optional<Route> {
      const auto parsed = parse_mangled_name(metric_name, own);
      if (!parsed || parsed->instance != kDriver) return std::nullopt;
      if (const RegistryMetric* metric = find_servlet_metric(parsed->rest))
        return registry_route(*metric, kDriver);
      const auto query = find_servlet_query(parsed->rest);
      return query ? std::optional(registry_route(*query->metric, kDriver, query->query)) : std::nullopt;
    };
    return make_registry_text_decoder({.route = route});
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_driver_page() { return std::make_unique<SparkDriverPage>(); }

}  // namespace flintgauge
