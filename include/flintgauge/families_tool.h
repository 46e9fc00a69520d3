// Families of companion tools (Kafka, JupyterHub and notebook servers, Zeppelin) and of standalone Spark
// clusters. A part of the catalogue (catalogue.h), which is what to include.
#pragma once

#include <array>

#include "flintgauge/family.h"

namespace flintgauge {

// clang-format off
/// Columns: name, type, owner, labels, help, sources.
inline constexpr auto kToolFamilies = std::to_array<Family>({
  {"flintgauge_tool_pods", MetricType::kGauge, Owner::kCompanions, {{"namespace", "workload"}},
   "Pods on this node whose page tells numbers of the tool.",
   "the agent"},
  {"flintgauge_tool_kafka_received_bytes_total", MetricType::kCounter, Owner::kCompanions, {{"namespace", "workload"}},
   "Bytes that brokers received from producers, since the agent first saw them.",
   "JMX exporter: kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec Count, without topic"},
  {"flintgauge_tool_kafka_sent_bytes_total", MetricType::kCounter, Owner::kCompanions, {{"namespace", "workload"}},
   "Bytes that brokers sent to consumers, since the agent first saw them.",
   "JMX exporter: kafka.server:type=BrokerTopicMetrics,name=BytesOutPerSec Count, without topic"},
  {"flintgauge_tool_kafka_received_messages_total", MetricType::kCounter, Owner::kCompanions, {{"namespace", "workload"}},
   "Messages that brokers received from producers, since the agent first saw them.",
   "JMX exporter: kafka.server:type=BrokerTopicMetrics,name=MessagesInPerSec Count, without topic"},
  {"flintgauge_tool_kafka_under_replicated_partitions", MetricType::kGauge, Owner::kCompanions, {{"namespace", "workload"}},
   "Partitions led by these brokers with fewer replicas in sync than they should have.",
   "JMX exporter: kafka.server:type=ReplicaManager,name=UnderReplicatedPartitions"},
  {"flintgauge_tool_kafka_consumer_lag_messages", MetricType::kGauge, Owner::kCompanions, {{"namespace", "workload"}},
   "Messages that consumer groups have not read yet, over all groups, topics and partitions.",
   "kafka_exporter: kafka_consumergroup_lag"},
  {"flintgauge_tool_jupyter_running_servers", MetricType::kGauge, Owner::kCompanions, {{"namespace", "workload"}},
   "User servers that hubs say are running.",
   "JupyterHub: jupyterhub_running_servers"},
  {"flintgauge_tool_jupyter_spawns_total", MetricType::kCounter, Owner::kCompanions, {{"namespace", "workload", "status"}},
   "User servers started since the agent first saw the hub, by status: success, failure.",
   "JupyterHub: jupyterhub_server_spawn_duration_seconds_count"},
  {"flintgauge_tool_jupyter_spawn_seconds_total", MetricType::kCounter, Owner::kCompanions, {{"namespace", "workload"}},
   "Time that successful starts of user servers took.",
   "JupyterHub: jupyterhub_server_spawn_duration_seconds_sum with status success"},
  {"flintgauge_tool_jupyter_running_kernels", MetricType::kGauge, Owner::kCompanions, {{"namespace", "workload"}},
   "Kernels that notebook servers say are running.",
   "Jupyter Server, Notebook: kernel_currently_running_total"},
  {"flintgauge_tool_zeppelin_interpreter_groups", MetricType::kGauge, Owner::kCompanions, {{"namespace", "workload"}},
   "Interpreter groups that are open, each a process of its own.",
   "Zeppelin: interpreter_group_size"},
  {"flintgauge_tool_zeppelin_connections", MetricType::kGauge, Owner::kCompanions, {{"namespace", "workload"}},
   "Browsers connected to notebooks.",
   "Zeppelin: zeppelin_connected_sockets"},
  {"flintgauge_spark_cluster_workers", MetricType::kGauge, Owner::kCompanions, {{"namespace", "cluster"}},
   "Workers that a standalone master knows, dead ones included.",
   "master /json/ workers"},
  {"flintgauge_spark_cluster_alive_workers", MetricType::kGauge, Owner::kCompanions, {{"namespace", "cluster"}},
   "Workers of a standalone cluster that are alive.",
   "master /json/ aliveworkers"},
  {"flintgauge_spark_cluster_applications", MetricType::kGauge, Owner::kCompanions, {{"namespace", "cluster"}},
   "Applications on a standalone cluster now, waiting ones included.",
   "master /json/ activeapps"},
  {"flintgauge_spark_cluster_waiting_applications", MetricType::kGauge, Owner::kCompanions, {{"namespace", "cluster"}},
   "Applications that wait for cores of a standalone cluster.",
   "master /json/ activeapps with state WAITING"},
  {"flintgauge_spark_cluster_cores", MetricType::kGauge, Owner::kCompanions, {{"namespace", "cluster"}},
   "Cores of the live workers.",
   "master /json/ cores"},
  {"flintgauge_spark_cluster_used_cores", MetricType::kGauge, Owner::kCompanions, {{"namespace", "cluster"}},
   "Cores of the live workers that executors have.",
   "master /json/ coresused"},
  {"flintgauge_spark_cluster_memory_bytes", MetricType::kGauge, Owner::kCompanions, {{"namespace", "cluster"}},
   "Memory the live workers may give to executors.",
   "master /json/ memory (MiB)"},
  {"flintgauge_spark_cluster_used_memory_bytes", MetricType::kGauge, Owner::kCompanions, {{"namespace", "cluster"}},
   "Memory of the live workers that executors have.",
   "master /json/ memoryused (MiB)"},
});
// clang-format on

}  // namespace flintgauge
