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

/// One metric as each channel spells it, and what its number means there (spark.md section 4.1).
struct Spelling {
  const char* dotted;   ///< JSON; with ".count" for counters in Graphite and StatsD's own
  const char* servlet;  ///< PrometheusServlet, after the instance
  const char* jmx;      ///< kubeflow's rules on Spark 3
  double raw;
  Measure measure;
  double base;
};
constexpr auto kSpellings = std::to_array<Spelling>({
    {"a.1.executor.runTime", "executor_runTime_Count", "spark_executor_runtime_type_counters_count", 1500,
     Measure::kExecutorRunSeconds, 1.5},
    {"a.1.executor.cpuTime", "executor_cpuTime_Count", "spark_executor_cputime_type_counters_count", 1.5e9,
     Measure::kExecutorCpuSeconds, 1.5},
    {"a.1.executor.jvmGCTime", "executor_jvmGCTime_Count", "spark_executor_jvmGCTime_total", 1156,
     Measure::kExecutorGcSeconds, 1.156},
    {"a.1.executor.shuffleFetchWaitTime", "executor_shuffleFetchWaitTime_Count",
     "spark_executor_shuffleFetchWaitTime_total", 250, Measure::kExecutorShuffleFetchWaitSeconds, 0.25},
    {"a.1.executor.shuffleWriteTime", "executor_shuffleWriteTime_Count",
     "spark_executor_shufflewritetime_count", 2.5e8, Measure::kExecutorShuffleWriteSeconds, 0.25},
    {"a.1.executor.deserializeTime", "executor_deserializeTime_Count", "spark_executor_deserializeTime", 40,
     Measure::kExecutorDeserializeSeconds, 0.04},
    {"a.1.executor.shuffleBytesWritten", "executor_shuffleBytesWritten_Count",
     "spark_executor_shufflebyteswritten_type_counters_count", 5263, Measure::kExecutorShuffleWriteBytes,
     5263},
    {"a.driver.BlockManager.memory.memUsed_MB", "BlockManager_memory_memUsed_MB_Value",
     "spark_driver_BlockManager_memory_memUsed_MB", 3, Measure::kDriverStorageMemoryUsedBytes, 3145728},
    {"a.driver.JVMCPU.jvmCpuTime", "JVMCPU_jvmCpuTime_Value", "spark_JVMCPU_jvmCpuTime", 5.266e10,
     Measure::kDriverCpuSeconds, 52.66},
    {"a.driver.ExecutorMetrics.TotalGCTime", "ExecutorMetrics_TotalGCTime_Value",
     "spark_ExecutorMetrics_TotalGCTime", 2076, Measure::kDriverGcSeconds, 2.076},
    {"a.driver.appStatus.tasks.killedTasks", "appStatus_tasks_killedTasks_Count",
     "spark_appStatus_tasks_killedTasks", 2, Measure::kDriverTasksKilled, 2},
    {"a.driver.LiveListenerBus.queue.appStatus.numDroppedEvents",
     "LiveListenerBus_queue_appStatus_numDroppedEvents_Count",
     "spark_driver_livelistenerbus_queue_appstatus_numdroppedevents_type_counters_count", 7,
     Measure::kDriverEventsDropped, 7},
    {"a.driver.LiveListenerBus.queue.executorManagement.numDroppedEvents",
     "LiveListenerBus_queue_executorManagement_numDroppedEvents_Count",
     "spark_LiveListenerBus_queue_executorManagement_numDroppedEvents", 7, Measure::kDriverEventsDropped, 7},
});

TEST(SparkRegistry, EachChannelsSpellingGivesTheSameNumberInBaseUnits) {
  for (const Spelling& s : kSpellings) {
    const auto check = [&s](const RegistryMetric* metric, const std::string& name) {
      ASSERT_NE(metric, nullptr) << name;
      EXPECT_EQ(metric->measure, s.measure) << name;
      EXPECT_DOUBLE_EQ(to_base(metric->unit, s.raw), s.base) << name;
      EXPECT_EQ(unit_of_measure(metric->measure), metric->unit) << name;
      EXPECT_EQ(metric->kind == RegistryKind::kCounter, std::string(s.servlet).ends_with("_Count")) << name;
    };
    check(find_registry_metric(*parse_registry_name(s.dotted)), s.dotted);
    if (std::string(s.servlet).ends_with("_Count")) {
      const std::string graphite = std::string(s.dotted) + ".count";
      check(find_registry_metric(*parse_registry_name(graphite), CountSuffix::kGraphite), graphite);
    }
    check(find_servlet_metric(s.servlet), s.servlet);
    check(find_jmx_metric(s.jmx), s.jmx);
  }
}

TEST(SparkRegistry, ASourceOfTheDriverIsAnotherThingOnAnExecutor) {
  EXPECT_EQ(find_registry_metric(*parse_registry_name("a.1.JVMCPU.jvmCpuTime")), nullptr);
  EXPECT_EQ(find_registry_metric(*parse_registry_name("a.1.jvm.heap.max")), nullptr);
  EXPECT_NE(find_registry_metric(*parse_registry_name("a.driver.jvm.heap.max")), nullptr);
}

TEST(SparkRegistry, AQueueWithoutANameIsNoQueue) {
  EXPECT_EQ(find_registry_metric(*parse_registry_name("a.driver.LiveListenerBus.queue.numDroppedEvents")),
            nullptr);
  EXPECT_EQ(find_servlet_metric("LiveListenerBus_queue__numDroppedEvents_Count"), nullptr);
  EXPECT_EQ(find_registry_metric(*parse_registry_name("a.driver.LiveListenerBus.queue.q.size")), nullptr);
}

TEST(SparkRegistry, QueriesAreFoundInEverySpelling) {
  const auto query = [](const std::optional<QueryMetric>& found) {
    return found ? std::string(found->query) + " " + std::to_string(static_cast<int>(found->metric->measure))
                 : "none";
  };
  const std::string latency = " " + std::to_string(static_cast<int>(Measure::kQueryBatchSeconds));
  const auto dotted = parse_registry_name("a.driver.spark.streaming.orders.v2.latency");
  EXPECT_EQ(find_registry_metric(*dotted)->measure, Measure::kQueryBatchSeconds);
  EXPECT_EQ(registry_route(*find_registry_metric(*dotted), "driver", dotted->query).container, "orders.v2");
  EXPECT_EQ(query(find_servlet_query("spark_streaming_orders_v2_latency_Value")), "orders_v2" + latency);
  EXPECT_EQ(query(find_servlet_query("spark_streaming_orders_v2_latency_Number")), "none");
  EXPECT_EQ(query(find_servlet_query("spark_streaming_latency_Value")), "none");
  EXPECT_EQ(query(find_jmx_query("spark_spark_streaming_orders_latency")), "orders" + latency);
  EXPECT_EQ(query(find_jmx_query("spark_driver_spark_streaming_orders_latency_type_gauges")),
            "orders" + latency);
  EXPECT_EQ(query(find_jmx_query("spark_streaming_orders_latency_value")), "orders" + latency);
  EXPECT_EQ(query(find_jmx_query("spark_executor_runTime")), "none");
}

TEST(SparkRegistry, DStreamsAreOneQueryWithANameOfOurs) {
  const auto name =
      parse_registry_name("a.driver.My.App.StreamingMetrics.streaming.lastCompletedBatch_schedulingDelay");
  const RegistryMetric* metric = find_registry_metric(*name);
  ASSERT_NE(metric, nullptr);
  EXPECT_EQ(metric->measure, Measure::kQueryLagSeconds);
  EXPECT_EQ(registry_route(*metric, "driver", name->query).container, "__dstreams__");
}

TEST(SparkRegistry, TheSameTimerHasAnotherUnitOnEachChannel) {
  EXPECT_EQ(timer_unit_seconds(RegistryChannel::kPrometheusServlet), 1e-9);
  EXPECT_EQ(timer_unit_seconds(RegistryChannel::kJson), 1e-3);
  EXPECT_EQ(timer_unit_seconds(RegistryChannel::kPushgateway), 1);
}

}  // namespace
}  // namespace flintgauge
