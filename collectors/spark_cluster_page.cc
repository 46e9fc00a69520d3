// The registry of a standalone worker or master as text (PrometheusServlet, where the user configures it;
// spark.md section 2): the same that /metrics/json/ and /metrics/master/json/ say, so it is asked only while
// that one fails. The paths are those of Spark's own template.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/common/cluster_registry.h"
#include "collectors/common/companion_target.h"
#include "collectors/common/registry_text.h"
#include "flintgauge/collector.h"

namespace flintgauge {
namespace {

class SparkClusterPage final : public Collector {
 public:
  std::string_view name() const override { return "spark_cluster_page"; }
  SourceKind source() const override { return SourceKind::kCompanions; }

  std::vector<Target> targets(const Discovery& discovery) const override {
    std::vector<Target> targets;
    for (const ClusterUi& ui : cluster_uis(discovery)) {
      const std::string_view path = ui.is_worker ? "/metrics/prometheus/" : "/metrics/master/prometheus/";
      Target target = cluster_target(ui, discovery, name(), path, Expect::kText);
      target.optional = true;
      target.fallback_of = "spark_cluster_json/" + ui.pod->namespace_name + "/" + ui.pod->name;
      targets.push_back(std::move(target));
    }
    return targets;
  }

  std::unique_ptr<Decoder> make_decoder(const Target& /*target*/) const override {
    const auto route = [](std::string_view metric_name) -> std::optional<Route> {
      const auto measure = find_cluster_servlet_metric(metric_name);
      return measure ? std::optional(cluster_route(*measure)) : std::nullopt;
    };
    return make_registry_text_decoder({.route = route, .unit = unit_of_cluster_measure});
  }
};

}  // namespace

std::unique_ptr<Collector> make_spark_cluster_page() { return std::make_unique<SparkClusterPage>(); }

}  // namespace flintgauge
