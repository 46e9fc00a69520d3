// The simulated node of the demo: Spark applications that are well, skewed, too small and idle, beside other
// pods. Gives the bodies that a kubelet and the applications' drivers would answer with at a time. Pure: the
// time is an argument, the same times give the same bytes. One thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/io/demo_pod.h"
#include "agent/io/demo_spark_app.h"
#include "flintgauge/time.h"

namespace flintgauge::demo {

inline constexpr std::string_view kNodeName = "demo-node";
inline constexpr std::string_view kNodeIp = "127.0.0.1";
inline constexpr double kNodeCores = 48;
inline constexpr double kNodeMemoryBytes = 192.0 * 1024 * 1024 * 1024;

/// How many applications there are: as many addresses for drivers are needed.
std::size_t app_count();

class DemoNode {
 public:
  /// The node as it is at `start`, some minutes after its applications began. REQUIRES: app_count()
  /// addresses.
  DemoNode(const std::vector<std::string>& driver_ips, Now start);

  /// Lets time pass up to `now`; a gap of more than some minutes is left out.
  void advance_to(const Now& now);

  const std::vector<SparkApp>& apps() const { return apps_; }
  std::vector<const DemoPod*> pods() const;
  WallTime now() const { return wall_; }

 private:
  void step(double seconds);

  std::vector<SparkApp> apps_;
  std::vector<DemoPod> others_;
  SteadyTime steady_;
  WallTime wall_;
};

// Bodies of the kubelet.
std::string pods_page(const DemoNode& node);
std::string cadvisor_page(const DemoNode& node);
std::string summary_page(const DemoNode& node);

// Bodies of a driver's web UI.
std::string executors_page(const SparkApp& app);
std::string driver_page(const SparkApp& app);
std::string driver_json(const SparkApp& app);
std::string executors_list(const SparkApp& app, bool with_dead);
/// `query` as sent; status=active and the like, which may be repeated, choose.
std::string stages_list(const SparkApp& app, std::string_view query);
std::string applications_list(const SparkApp& app);
std::string jobs_list(const SparkApp& app);
std::string environment_page(const SparkApp& app);

}  // namespace flintgauge::demo
