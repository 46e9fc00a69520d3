// What the tests of the push desk and of its conversations share.
#pragma once

#include <string>

#include "agent/io/self_metrics.h"
#include "flintgauge/exposition.h"
#include "flintgauge/pod.h"

namespace flintgauge::testing {

/// A running pod of team-a; with an executor's number an executor, else a driver.
inline Pod spark_pod(const std::string& name, const std::string& ip, const std::string& app,
                     const std::string& executor = "") {
  Pod pod;
  pod.namespace_name = "team-a";
  pod.name = name;
  pod.uid = "uid-" + name;
  pod.ips = {ip};
  pod.phase = Phase::kRunning;
  pod.host_ip = "192.0.2.1";
  pod.labels = {{"spark-app-selector", app}};
  if (!executor.empty()) pod.labels.emplace_back("spark-exec-id", executor);
  pod.labels.emplace_back("spark-role", executor.empty() ? "driver" : "executor");
  return pod;
}

/// The value of a series of the agent's own page; -1 when there is none.
inline double value_of(const SelfMetrics& metrics, const std::string& series) {
  std::string page;
  metrics.append_page(PageFormat::kText004, page);
  const std::size_t at = page.find("\n" + series + ' ');
  return at == std::string::npos ? -1 : std::stod(page.substr(at + series.size() + 2));
}

}  // namespace flintgauge::testing
