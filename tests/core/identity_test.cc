#include "flintgauge/identity.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace flintgauge {
namespace {

constexpr std::string_view kId = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
constexpr std::string_view kUid = "0f5e1c3a-77aa-4b1c-9d00-112233445566";
constexpr std::string_view kUnderscored = "0f5e1c3a_77aa_4b1c_9d00_112233445566";

std::string text(std::string_view a, std::string_view b = {}, std::string_view c = {},
                 std::string_view d = {}) {
  return std::string(a).append(b).append(c).append(d);
}

struct PathCase {
  const char* name;
  std::string path;
  std::string_view container_id;
  std::string_view uid;
};

class ParseCgroupPath : public testing::TestWithParam<PathCase> {};

TEST_P(ParseCgroupPath, FindsContainerAndPod) {
  const CgroupIds ids = parse_cgroup_path(GetParam().path);
  EXPECT_EQ(ids.container_id, GetParam().container_id) << GetParam().path;
  EXPECT_EQ(ids.pod_uid, GetParam().uid) << GetParam().path;
}

const std::string kSystemdPod =
    text("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod", kUnderscored, ".slice");

INSTANTIATE_TEST_SUITE_P(
    Spellings, ParseCgroupPath,
    testing::Values(
        PathCase{"root", "/", "", ""}, PathCase{"empty", "", "", ""},
        PathCase{"slice", "/kubepods/burstable", "", ""},
        PathCase{"system_service", "/system.slice/podman.service", "", ""},
        PathCase{"cgroupfs", text("/kubepods/burstable/pod", kUid, "/", kId), kId, kUid},
        PathCase{"cgroupfs_guaranteed", text("/kubepods/pod", kUid, "/", kId), kId, kUid},
        PathCase{"cgroupfs_pod", text("/kubepods/besteffort/pod", kUid), "", kUid},
        PathCase{"static_pod", text("/kubepods/burstable/pod6b2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f/", kId), kId,
                 "6b2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f"},
        PathCase{"systemd_pod", kSystemdPod, "", kUid},
        PathCase{"systemd", text(kSystemdPod, "/cri-containerd-", kId, ".scope"), kId, kUid},
        PathCase{"crio", text(kSystemdPod, "/crio-", kId, ".scope"), kId, kUid},
        PathCase{"crio_monitor", text(kSystemdPod, "/crio-conmon-", kId, ".scope"), "", kUid},
        PathCase{"docker", text(kSystemdPod, "/docker-", kId, ".scope"), kId, kUid},
        PathCase{"colons",
                 text("/system.slice/containerd.service/kubepods-burstable-pod", kUid,
                      ".slice:cri-containerd:", kId),
                 kId, kUid},
        PathCase{"nested_prefix", text("/docker/", kId, text("/kubelet/kubepods/pod", kUid)), "", kUid},
        PathCase{"nested_pods",
                 text("/kubepods/pod11111111-2222-3333-4444-555555555555/", kId,
                      text("/kubelet/kubepods/burstable/pod", kUid, "/", kId)),
                 kId, kUid},
        PathCase{"cgroup_in_container", text("/kubepods/pod", kUid, "/", text(kId, "/init.scope")), "", kUid},
        PathCase{"bare_id", std::string(kId), kId, ""},
        PathCase{"short_id", text("/kubepods/pod", kUid, "/", kId.substr(1)), "", kUid},
        PathCase{"long_id", text("/kubepods/pod", kUid, "/a", kId), "", kUid},
        PathCase{"upper_case_is_no_id", text("/x/", "ABCDEF"), "", ""},
        PathCase{"uid_too_long", text("/kubepods/pod", kUid, "0"), "", ""},
        PathCase{"pod_inside_a_word", text("/tripod", kUid), "", ""},
        PathCase{"ends_in_pod", "/kubepods/pod", "", ""}),
    [](const auto& test) { return std::string(test.param.name); });

Pod make_pod(std::string namespace_name, std::string name, std::string uid) {
  Pod pod;
  pod.namespace_name = std::move(namespace_name);
  pod.name = std::move(name);
  pod.uid = std::move(uid);
  return pod;
}

Pod labelled(std::vector<std::pair<std::string, std::string>> labels) {
  Pod pod = make_pod("team-a", "p", "u");
  std::sort(labels.begin(), labels.end());
  pod.labels = std::move(labels);
  return pod;
}

TEST(Identify, ReadsSparkLabels) {
  const Pod pod = labelled({{"spark-app-selector", "spark-1"},
                            {"spark-role", "executor"},
                            {"spark-exec-id", "7"},
                            {"spark-app-name", "etl"},
                            {"spark-version", "3.5.1"}});
  const PodIdentity identity = identify(pod);
  EXPECT_EQ(identity.namespace_name, "team-a");
  EXPECT_EQ(identity.app_id, "spark-1");
  EXPECT_EQ(identity.role, Role::kExecutor);
  EXPECT_EQ(identity.executor_id, "7");
  EXPECT_EQ(identity.app_name, "etl");
  EXPECT_EQ(identity.spark_version, "3.5.1");
  EXPECT_EQ(identity.operator_name, "none");
  EXPECT_EQ(identity.workload, "spark");
}

TEST(Identify, DriverAndConnectServerAreDrivers) {
  for (const char* role : {"driver", "connect-server"}) {
    const Pod pod = labelled({{"spark-app-selector", "spark-1"}, {"spark-role", role}});
    EXPECT_EQ(identify(pod).role, Role::kDriver) << role;
  }
}

TEST(Identify, OperatorsAndTheirNamesGoFirst) {
  const Pod kubeflow =
      labelled({{"spark-app-name", "mangled"}, {"sparkoperator.k8s.io/app-name", "nightly"}});
  EXPECT_EQ(identify(kubeflow).app_name, "nightly");
  EXPECT_EQ(identify(kubeflow).operator_name, "kubeflow");
  const Pod apache = labelled({{"spark.operator/spark-app-name", "pi"}, {"spark.operator/name", "op"}});
  EXPECT_EQ(identify(apache).app_name, "pi");
  EXPECT_EQ(identify(apache).operator_name, "apache");
}

TEST(Identify, WorkloadsOfCompanions) {
  const auto workload = [](std::string name) {
    const Pod pod = labelled({{"app.kubernetes.io/name", std::move(name)}});
    return std::string(identify(pod).workload);
  };
  EXPECT_EQ(workload("kafka"), "kafka");
  EXPECT_EQ(workload("jupyterhub"), "jupyter");
  EXPECT_EQ(workload("zeppelin"), "zeppelin");
  EXPECT_EQ(workload("kafka-exporter"), "other");
  EXPECT_EQ(identify(make_pod("n", "p", "u")).workload, "other");
  EXPECT_EQ(identify(labelled({{"spark-role", "worker"}})).workload, "spark");
  EXPECT_EQ(identify(labelled({{"spark-role", "worker"}})).app_id, "");
}

TEST(Identify, DistrustsLongAndControlCharacters) {
  EXPECT_EQ(identify(labelled({{"spark-app-selector", std::string(129, 'a')}})).app_id, "");
  EXPECT_EQ(identify(labelled({{"spark-app-selector", std::string(128, 'a')}})).app_id.size(), 128U);
  EXPECT_EQ(identify(labelled({{"spark-app-selector", "a\nb"}})).app_id, "");
  EXPECT_EQ(identify(labelled({{"spark-app-selector", "a\x7f"}})).app_id, "");
}

Container make_container(std::string name, std::string id) {
  Container container;
  container.name = std::move(name);
  container.container_id = std::move(id);
  return container;
}

TEST(PodIndexTest, FindsByNameContainerIdAndUid) {
  auto list = std::make_shared<PodList>();
  Pod pod = make_pod("team-a", "p-1", "uid-1");
  pod.containers = {make_container("main", "id-2"), make_container("side", "id-3")};
  pod.containers[0].last_terminated = Termination{"id-1", "OOMKilled", 137, {}};
  list->pods = {pod, make_pod("team-b", "p-1", "uid-2")};
  const PodIndex index(list);

  const Pod* first = &list->pods[0];
  EXPECT_EQ(index.find_by_name("team-a", "p-1", "side").pod, first);
  EXPECT_EQ(index.find_by_name("team-a", "p-1", "side").container, &first->containers[1]);
  EXPECT_EQ(index.find_by_name("team-a", "p-1", "").container, nullptr);
  EXPECT_EQ(index.find_by_name("team-a", "p-1", "POD").pod, first);
  EXPECT_EQ(index.find_by_name("team-a", "p-1", "POD").container, nullptr);
  EXPECT_EQ(index.find_by_name("team-b", "p-1", "").pod, &list->pods[1]);
  EXPECT_FALSE(index.find_by_name("team-c", "p-1", ""));
  EXPECT_EQ(index.find_by_container_id("id-1").container, &first->containers[0]);
  EXPECT_EQ(index.find_by_container_id("id-3").container, &first->containers[1]);
  EXPECT_FALSE(index.find_by_container_id(""));
  EXPECT_EQ(index.find_by_uid("uid-2").pod, &list->pods[1]);
  EXPECT_FALSE(index.find_by_uid("uid-3"));
}

TEST(PodIndexTest, SameNameGivesTheLivingThenTheYoungerPod) {
  auto list = std::make_shared<PodList>();
  list->pods = {make_pod("n", "kafka-0", "old"), make_pod("n", "kafka-0", "new"),
                make_pod("n", "kafka-0", "over")};
  list->pods[0].created_at = WallTime{1};
  list->pods[1].created_at = WallTime{2};
  list->pods[2].created_at = WallTime{3};
  list->pods[2].phase = Phase::kFailed;
  const PodIndex index(list);
  EXPECT_EQ(index.find_by_name("n", "kafka-0", "").pod->uid, "new");
  EXPECT_EQ(index.find_by_uid("old").pod->uid, "old");
}

TEST(PodIndexTest, IdInUseHidesTheSameIdOfAnEndedInstance) {
  auto list = std::make_shared<PodList>();
  list->pods = {make_pod("n", "a", "ua"), make_pod("n", "b", "ub")};
  list->pods[0].containers = {make_container("c", "x")};
  list->pods[0].containers[0].terminated = Termination{"id", "Error", 1, {}};
  list->pods[1].containers = {make_container("c", "id")};
  const PodIndex index(list);
  EXPECT_EQ(index.find_by_container_id("id").pod->name, "b");
}

TEST(PodAddresses, AnAddressBelongsToOneRunningPodWithANetworkOfItsOwn) {
  const auto pod = [](const char* name, std::vector<std::string> ips, Phase phase = Phase::kRunning) {
    Pod made;
    made.namespace_name = "team-a";
    made.name = made.uid = name;
    made.ips = std::move(ips);
    made.phase = phase;
    made.host_ip = "192.0.2.1";
    return made;
  };
  auto list = std::make_shared<PodList>();
  list->pods = {pod("one", {"10.0.0.1", "fd00::1"}),
                pod("over", {"10.0.0.1"}, Phase::kSucceeded),
                pod("two", {"10.0.0.2"}),
                pod("twin", {"10.0.0.2"}),
                pod("node", {"192.0.2.1"}),
                pod("early", {"10.0.0.3"}, Phase::kPending),
                pod("guest", {"10.0.0.4"}),
                pod("proxy", {"192.0.2.9"})};
  list->pods[7].host_network = true;
  list->pods[6].labels = {{"spark-app-selector", "spark-1"}, {"spark-role", "driver"}};
  const PodAddresses addresses(list);
  using Kind = PodAddresses::Kind;
  EXPECT_EQ(addresses.find_by_ip("10.0.0.1").pod, &list->pods[0]) << "one that is over has no address";
  EXPECT_EQ(addresses.find_by_ip("fd00::1").pod, &list->pods[0]);
  EXPECT_EQ(addresses.find_by_ip("10.0.0.2").kind, Kind::kAmbiguous);
  EXPECT_EQ(addresses.find_by_ip("10.0.0.2").pod, nullptr);
  EXPECT_EQ(addresses.find_by_ip("192.0.2.1").kind, Kind::kHostNetwork)
      << "the node's own, whoever claims it";
  EXPECT_EQ(addresses.find_by_ip("192.0.2.9").kind, Kind::kHostNetwork);
  EXPECT_EQ(addresses.find_by_ip("10.0.0.3").kind, Kind::kUnknown);
  EXPECT_EQ(addresses.find_by_ip("").kind, Kind::kUnknown);
  EXPECT_TRUE(addresses.has_driver({"team-a", "spark-1"}));
  EXPECT_FALSE(addresses.has_driver({"team-b", "spark-1"}));
}

}  // namespace
}  // namespace flintgauge
