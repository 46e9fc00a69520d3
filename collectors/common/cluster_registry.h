// Registries of a standalone master and worker (spark.md section 4.1): names without an application or an
// instance, since these JVMs belong to none.
#pragma once

#include <optional>
#include <string_view>

#include "collectors/common/spark_registry.h"
#include "flintgauge/measure.h"

namespace flintgauge {

/// What "worker.coresFree" measures; nothing for names that nobody wants.
std::optional<Measure> find_cluster_metric(std::string_view name);

/// The same for "metrics_worker_coresFree_Value", as PrometheusServlet writes it.
std::optional<Measure> find_cluster_servlet_metric(std::string_view name);

RegistryUnit unit_of_cluster_measure(Measure measure);

/// Where the numbers of a master or worker go.
Route cluster_route(Measure measure);

}  // namespace flintgauge
