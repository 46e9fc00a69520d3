#include "support/golden.h"

#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace flintgauge {
namespace {

constexpr std::array<std::string_view, kMeasureCount> kMeasureNames = {
    "cpu_usage_seconds",
    "cpu_cfs_periods",
    "cpu_cfs_throttled_periods",
    "cpu_cfs_throttled_seconds",
    "memory_major_page_faults",
    "oom_events",
    "fs_read_bytes",
    "fs_written_bytes",
    "pressure_cpu_waiting_seconds",
    "pressure_cpu_stalled_seconds",
    "pressure_memory_waiting_seconds",
    "pressure_memory_stalled_seconds",
    "pressure_io_waiting_seconds",
    "pressure_io_stalled_seconds",
    "network_receive_bytes",
    "network_transmit_bytes",
    "network_receive_errors",
    "network_transmit_errors",
    "network_receive_dropped",
    "network_transmit_dropped",
    "memory_working_set_bytes",
    "memory_rss_bytes",
    "memory_cache_bytes",
    "memory_swap_bytes",
    "ephemeral_storage_bytes",
    "volume_usage_bytes",
    "volume_capacity_bytes",
    "start_time_seconds",
    "machine_cpu_cores",
    "machine_memory_bytes",
    "node_fs_capacity_bytes",
    "node_fs_available_bytes",
    "scrape_error",
    "executor_tasks_completed",
    "executor_tasks_failed",
    "executor_run_seconds",
    "executor_cpu_seconds",
    "executor_gc_seconds",
    "executor_input_bytes",
    "executor_input_records",
    "executor_output_bytes",
    "executor_shuffle_read_bytes",
    "executor_shuffle_write_bytes",
    "executor_shuffle_fetch_wait_seconds",
    "executor_memory_spilled_bytes",
    "executor_disk_spilled_bytes",
    "executor_output_records",
    "executor_shuffle_read_records",
    "executor_shuffle_write_records",
    "executor_shuffle_write_seconds",
    "executor_deserialize_seconds",
    "executor_result_bytes",
    "executor_active_tasks",
    "executor_max_tasks",
    "executor_rdd_blocks",
    "executor_memory_used_bytes",
    "executor_max_memory_bytes",
    "executor_duration_seconds",
    "executor_peak_jvm_heap_bytes",
    "executor_peak_jvm_off_heap_bytes",
    "executor_peak_on_heap_unified_bytes",
    "executor_peak_off_heap_unified_bytes",
    "executor_peak_direct_pool_bytes",
    "executor_peak_mapped_pool_bytes",
    "executor_peak_process_tree_jvm_rss_bytes",
    "executor_peak_process_tree_python_rss_bytes",
    "executor_peak_process_tree_other_rss_bytes",
    "driver_target_executors",
    "driver_max_needed_executors",
    "driver_active_jobs",
    "driver_running_stages",
    "driver_waiting_stages",
    "driver_executors_to_add",
    "driver_executors_pending_to_remove",
    "driver_executors_decommissioning",
    "driver_storage_memory_used_bytes",
    "driver_storage_memory_max_bytes",
    "driver_heap_used_bytes",
    "driver_heap_max_bytes",
    "driver_connect_sessions",
    "driver_connect_operations",
    "driver_jobs_succeeded",
    "driver_jobs_failed",
    "driver_stages_completed",
    "driver_stages_failed",
    "driver_stages_skipped",
    "driver_tasks_killed",
    "driver_events_dropped",
    "driver_gc_seconds",
    "driver_cpu_seconds",
    "query_input_rows_per_second",
    "query_processed_rows_per_second",
    "query_batch_seconds",
    "query_state_rows",
    "query_state_memory_bytes",
    "query_watermark_seconds",
    "query_lag_seconds",
    "kafka_received_bytes",
    "kafka_sent_bytes",
    "kafka_received_messages",
    "jupyter_spawns",
    "jupyter_spawns_failed",
    "jupyter_spawn_seconds",
    "kafka_under_replicated_partitions",
    "kafka_consumer_lag",
    "jupyter_running_servers",
    "jupyter_running_kernels",
    "zeppelin_interpreter_groups",
    "zeppelin_connections",
    "cluster_workers",
    "cluster_alive_workers",
    "cluster_applications",
    "cluster_waiting_applications",
    "cluster_cores",
    "cluster_used_cores",
    "cluster_memory_bytes",
    "cluster_used_memory_bytes",
    "worker_pods",
    "worker_executors",
    "worker_free_cores",
    "worker_used_cores",
    "worker_free_memory_bytes",
    "worker_used_memory_bytes",
};
static_assert(!kMeasureNames.back().empty());

constexpr std::array<std::string_view, 9> kScopeNames = {"container", "sandbox", "pod",    "node", "executor",
                                                         "driver",    "query",   "volume", "tool"};

std::string number_text(double value) {
  std::array<char, 40> text{};
  const auto [end, ec] = std::to_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} ? std::string(text.data(), end) : "?";
}

std::string golden_path(const Collector& collector, const std::string& file) {
  return "tests/golden/" + std::string(collector.name()) + "/" + file;
}

}  // namespace

std::string read_source_file(const std::string& path) {
  std::ifstream in(std::string(FLINTGAUGE_SOURCE_DIR) + "/" + path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string batch_text(const SampleBatch& batch, const ScrapeCounts& counts) {
  std::string out;
  for (const Sample& sample : batch.samples) {
    const Route& route = batch.routes[sample.series];
    out.append(kMeasureNames[static_cast<std::size_t>(route.measure)]).append(" ");
    out.append(kScopeNames[static_cast<std::size_t>(route.scope)]).append(" ");
    out.append(route.namespace_name)
        .append("/")
        .append(route.pod)
        .append(route.app_id)
        .append("/")
        .append(route.container);
    if (!route.container_id.empty()) out.append(" id=").append(route.container_id.substr(0, 12));
    if (!route.pod_uid.empty()) out.append(" uid=").append(route.pod_uid);
    out.append(" ").append(number_text(sample.value));
    if (sample.timestamp_ms != kNoTimestamp) out.append(" @").append(std::to_string(sample.timestamp_ms));
    out.append("\n");
  }
  out.append("kept ")
      .append(std::to_string(counts.kept))
      .append(" skipped ")
      .append(std::to_string(counts.skipped));
  out.append(" bad ").append(std::to_string(counts.bad)).append(" duplicate ");
  out.append(std::to_string(counts.duplicate)).append(" not_finite ");
  return out.append(std::to_string(counts.not_finite)).append("\n");
}

std::string decode_golden(const Collector& collector, const Target& target, const std::string& case_name) {
  const std::string body = read_source_file(golden_path(collector, case_name + ".in"));
  const auto decoder = collector.make_decoder(target);
  decoder->begin();
  if (Status fed = decoder->feed(body); !fed) return "error: " + fed.error().message;
  Result<Batch> batch = decoder->finish();
  if (!batch) return "error: " + batch.error().message;
  return batch_text(std::get<SampleBatch>(*batch), decoder->counts());
}

std::string expected_golden(const Collector& collector, const std::string& case_name,
                            const std::string& actual) {
  const std::string path = golden_path(collector, case_name + ".expected");
  if (std::getenv("FLINTGAUGE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(std::string(FLINTGAUGE_SOURCE_DIR) + "/" + path, std::ios::binary) << actual;
  }
  return read_source_file(path);
}

}  // namespace flintgauge
