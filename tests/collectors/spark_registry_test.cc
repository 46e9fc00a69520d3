#include "collectors/common/spark_registry.h"

#include <gtest/gtest.h>

#include <random>

#include "support/slow_registry.h"

namespace flintgauge {
namespace {

std::string parsed(std::string_view name, std::string_view prefix = {}, std::string_view known = {}) {
  return reference::describe(parse_registry_name(name, prefix, known));
}

TEST(SparkRegistry, SplitsDottedNames) {
  EXPECT_EQ(parsed("spark-ab12.driver.DAGScheduler.job.activeJobs"),
            "spark-ab12|driver|DAGScheduler||job.activeJobs|known");
  EXPECT_EQ(parsed("app-20261122190152-0000.7.executor.runTime"),
            "app-20261122190152-0000|7|executor||runTime|known");
  EXPECT_EQ(
      parsed("local-1.driver.LiveListenerBus.listenerProcessingTime.org.apache.spark.HeartbeatReceiver"),
      "local-1|driver|LiveListenerBus||listenerProcessingTime.org.apache.spark.HeartbeatReceiver|known");
}

TEST(SparkRegistry, NamespacesHoldDotsSpacesAndNumbers) {
  EXPECT_EQ(parsed("team-a.clicks.1.driver.jvm.heap.used"), "team-a.clicks.1|driver|jvm||heap.used|known");
  EXPECT_EQ(parsed("retry \"quoted\"  app.driver.appStatus.jobDuration"),
            "retry \"quoted\"  app|driver|appStatus||jobDuration|known");
  EXPECT_EQ(parsed("x.2.7.executor.runTime"), "x.2|7|executor||runTime|known");
}

TEST(SparkRegistry, QueriesAndDStreamsMayBeCalledAnything) {
  EXPECT_EQ(parsed("a.b.driver.spark.streaming.orders.v2.inputRate-total"),
            "a.b|driver|spark.streaming|orders.v2|inputRate-total|known");
  EXPECT_EQ(parsed("spark-1.driver.My.App.StreamingMetrics.streaming.receivers"),
            "spark-1|driver|StreamingMetrics||streaming.receivers|known");
  EXPECT_EQ(parsed("spark-1.driver.spark.streaming.latency"), "none");
}

TEST(SparkRegistry, PrefixIsTakenOffAndNamesWithoutItStay) {
  EXPECT_EQ(parsed("prod.spark-1.3.executor.runTime", "prod"), "spark-1|3|executor||runTime|known");
  EXPECT_EQ(parsed("product.3.executor.runTime", "prod"), "product|3|executor||runTime|known");
}

TEST(SparkRegistry, UnknownSourcesNeedTheKnownNamespace) {
  EXPECT_EQ(parsed("spark-1.driver.MySource.a.b"), "none");
  EXPECT_EQ(parsed("spark-1.driver.MySource.a.b", {}, "spark-1"), "spark-1|driver|MySource||a.b|unknown");
}

TEST(SparkRegistry, NamesWithoutInstanceAreNobodys) {
  for (const char* name :
       {"jvm.heap.used", "master.workers", "worker.coresUsed", "driver.jvm.heap.used", "", ".", "a.driver",
        "a.driver.", "a.driver.jvm", "a.driver.jvm.", ".driver.jvm.heap.used",
        "application_1_2.applicationMaster.numContainersPendingAllocate"})
    EXPECT_EQ(parsed(name), "none") << name;
  EXPECT_EQ(parsed(std::string(kMaxRegistryName, 'a') + ".1.executor.runTime"), "none");
}

TEST(SparkRegistry, SplitsMangledNames) {
  const auto split = [](std::string_view name, std::string_view own) {
    return reference::describe(parse_mangled_name(name, own));
  };
  EXPECT_EQ(split("metrics_spark_ab12_driver_DAGScheduler_job_activeJobs_Value", "spark_ab12"),
            "driver|DAGScheduler_job_activeJobs_Value");
  EXPECT_EQ(split("metrics_a_driver_b_driver_jvm_heap_used_Value", "a_driver_b"),
            "driver|jvm_heap_used_Value");
  EXPECT_EQ(split("metrics_analytics_clicks_12_executor_runTime_Count", "spark_ab12"),
            "12|executor_runTime_Count");
  EXPECT_EQ(split("metrics_jvm_heap_used_Value", "spark_ab12"), "none");
  EXPECT_EQ(split("metrics_master_workers_Value", ""), "none");
  EXPECT_EQ(mangle_registry_name("team-a.clicks \"x\""), "team_a_clicks__x_");
}

TEST(SparkRegistry, AgreesWithItsSlowTwinOnRandomNames) {
  const std::vector<std::string> words = {
      "driver", "1",   "42", "executor", "spark", "streaming", "jvm", "StreamingMetrics",
      "MyApp",  "x y", "",   "runTime",  "ns",    "metrics",   "a",   "DAGScheduler"};
  std::mt19937_64 random(7);
  for (int round = 0; round < 200'000; ++round) {
    std::string dotted;
    for (std::uint64_t n = random() % 9; n > 0; --n)
      dotted +=
          words[random() % words.size()] + (random() % 6 == 0 ? "" : ".") + (random() % 9 == 0 ? "z" : "");
    const std::string prefix = random() % 3 == 0 ? "ns" : "";
    const std::string known = random() % 2 == 0 ? "a.ns" : "a";
    ASSERT_EQ(parsed(dotted, prefix, known), reference::slow_registry_name(dotted, prefix, known)) << dotted;
    const std::string spelled = (random() % 4 == 0 ? "" : "metrics_") + mangle_registry_name(dotted);
    const std::string own = mangle_registry_name(known);
    ASSERT_EQ(reference::describe(parse_mangled_name(spelled, own)),
              reference::slow_mangled_name(spelled, own))
        << spelled << " of " << own;
  }
}

std::optional<Measure> measure_in(const RegistryMetric* metric) {
  return metric == nullptr ? std::nullopt : std::optional(metric->measure);
}

TEST(SparkRegistry, FindsMetricsBySourceAndName) {
  const auto find = [](std::string_view name, CountSuffix suffix = CountSuffix::kNone) {
    return measure_in(find_registry_metric(*parse_registry_name(name), suffix));
  };
  EXPECT_EQ(find("a.driver.DAGScheduler.job.activeJobs"), Measure::kDriverActiveJobs);
  EXPECT_EQ(find("a.driver.DAGScheduler.job.activeJobs.count", CountSuffix::kGraphite), std::nullopt);
  EXPECT_EQ(find("a.1.executor.succeededTasks.count", CountSuffix::kGraphite),
            Measure::kExecutorTasksCompleted);
  EXPECT_EQ(find("a.1.executor.succeededTasks"), Measure::kExecutorTasksCompleted);
  EXPECT_EQ(find("a.1.executor.succeededTasks", CountSuffix::kGraphite), std::nullopt);
  EXPECT_EQ(find("a.1.executor.nothing"), std::nullopt);
}

TEST(SparkRegistry, ServletWritesEachGaugeTwiceAndOneIsTaken) {
  EXPECT_EQ(measure_in(find_servlet_metric("DAGScheduler_job_activeJobs_Value")), Measure::kDriverActiveJobs);
  EXPECT_EQ(find_servlet_metric("DAGScheduler_job_activeJobs_Number"), nullptr);
  EXPECT_EQ(find_servlet_metric("DAGScheduler_job_activeJobs_Count"), nullptr);
  EXPECT_EQ(measure_in(find_servlet_metric("executor_jvmGCTime_Count")), Measure::kExecutorGcSeconds);
  EXPECT_EQ(find_servlet_metric("DAGScheduler_job_ActiveJobs_Value"), nullptr);
}

// The table of spark.md section 6: what kubeflow's default rules and jmx_exporter's examples make.
TEST(SparkRegistry, ReadsTheNamesOfJmxRules) {
  for (const char* name : {"spark_executor_jvmgctime_count", "spark_executor_jvmgctime_type_counters_count",
                           "spark_executor_jvmGCTime_total", "spark_executor_jvmGCTime"})
    EXPECT_EQ(measure_in(find_jmx_metric(name)), Measure::kExecutorGcSeconds) << name;
  for (const char* name :
       {"spark_driver_dagscheduler_job_activejobs", "spark_driver_DAGScheduler_job_activeJobs",
        "spark_DAGScheduler_job_activeJobs", "spark_driver_dagscheduler_job_activejobs_type_gauges"})
    EXPECT_EQ(measure_in(find_jmx_metric(name)), Measure::kDriverActiveJobs) << name;
  for (const char* name :
       {"spark_threadpool_activetasks", "jvm_memory_used_bytes", "spark_", "spark_executor_", "spark_driver"})
    EXPECT_EQ(find_jmx_metric(name), nullptr) << name;
}

TEST(SparkRegistry, ConvertsToBaseUnits) {
  EXPECT_EQ(to_base(RegistryUnit::kMilliseconds, 23323), 23.323);
  EXPECT_EQ(to_base(RegistryUnit::kNanoseconds, 1.5e9), 1.5);
  EXPECT_EQ(to_base(RegistryUnit::kMebibytes, 2), 2097152);
  EXPECT_EQ(to_base(RegistryUnit::kOne, -1), -1);
}

TEST(SparkRegistry, TheSameTimerHasAnotherUnitOnEachChannel) {
  EXPECT_EQ(timer_unit_seconds(RegistryChannel::kPrometheusServlet), 1e-9);
  EXPECT_EQ(timer_unit_seconds(RegistryChannel::kJson), 1e-3);
  EXPECT_EQ(timer_unit_seconds(RegistryChannel::kPushgateway), 1);
}

}  // namespace
}  // namespace flintgauge
