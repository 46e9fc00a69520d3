#include "flintgauge/pod.h"

#include <gtest/gtest.h>

#include <limits>

namespace flintgauge {
namespace {

using Amount = std::optional<std::int64_t>;

Container container(ContainerKind kind, Amount cpu, Amount memory = {}) {
  Container c;
  c.kind = kind;
  c.requests = {cpu, memory};
  c.limits = {cpu, memory};
  return c;
}

Pod pod_of(std::vector<Container> containers) {
  Pod pod;
  pod.containers = std::move(containers);
  return pod;
}

constexpr auto kRegular = ContainerKind::kRegular;
constexpr auto kSidecar = ContainerKind::kSidecar;
constexpr auto kInit = ContainerKind::kInit;

TEST(Pod, LabelsAreFoundByName) {
  Pod pod;
  pod.labels = {{"a", "1"}, {"b", ""}, {"spark-role", "driver"}};
  pod.annotations = {{"prometheus.io/port", "8090"}};
  EXPECT_EQ(pod.label("spark-role"), "driver");
  EXPECT_EQ(pod.label("a"), "1");
  EXPECT_EQ(pod.label("b"), "");
  EXPECT_EQ(pod.label("c"), "");
  EXPECT_EQ(pod.label(""), "");
  EXPECT_EQ(pod.annotation("prometheus.io/port"), "8090");
  EXPECT_EQ(pod.annotation("spark-role"), "");
  EXPECT_EQ(Pod().label("a"), "");
}

TEST(EffectiveRequests, SumOfContainers) {
  const Pod pod = pod_of({container(kRegular, 100, 1 << 20), container(kRegular, 250)});
  EXPECT_EQ(effective_requests(pod).cpu_millicores, 350);
  EXPECT_EQ(effective_requests(pod).memory_bytes, 1 << 20);
}

TEST(EffectiveRequests, AbsentWhenNothingStatesIt) {
  EXPECT_EQ(effective_requests(pod_of({container(kRegular, {}), container(kInit, {})})).cpu_millicores,
            std::nullopt);
  EXPECT_EQ(effective_requests(Pod()).memory_bytes, std::nullopt);
  EXPECT_EQ(effective_requests(pod_of({container(kRegular, 0)})).cpu_millicores, 0);  // stated as zero
}

// The rows are init phases, sidecars and containers as KEP-753 adds them up.
TEST(EffectiveRequests, InitContainersNeedTheirMomentOnly) {
  EXPECT_EQ(effective_requests(pod_of({container(kInit, 500), container(kRegular, 100)})).cpu_millicores,
            500);
  EXPECT_EQ(effective_requests(pod_of({container(kInit, 50), container(kInit, 80), container(kRegular, 100)}))
                .cpu_millicores,
            100);
}

TEST(EffectiveRequests, SidecarsBeforeAnInitContainerAddToIt) {
  // Start: init 500 alone, then 500 with the sidecar of 100 = 600. Running: 100 + 200.
  const Pod pod = pod_of(
      {container(kInit, 500), container(kSidecar, 100), container(kInit, 500), container(kRegular, 200)});
  EXPECT_EQ(effective_requests(pod).cpu_millicores, 600);
  // Sidecars after the init container do not add to it.
  const Pod late = pod_of({container(kInit, 500), container(kSidecar, 100), container(kRegular, 200)});
  EXPECT_EQ(effective_requests(late).cpu_millicores, 500);
  const Pod running = pod_of({container(kSidecar, 300), container(kSidecar, 100), container(kRegular, 200)});
  EXPECT_EQ(effective_requests(running).cpu_millicores, 600);
}

TEST(EffectiveRequests, OverheadIsAdded) {
  Pod pod = pod_of({container(kRegular, 100)});
  pod.overhead = {25, 7};
  EXPECT_EQ(effective_requests(pod).cpu_millicores, 125);
  EXPECT_EQ(effective_requests(pod).memory_bytes, 7);
}

TEST(EffectiveRequests, PodLevelReplacesWhatItNames) {
  Pod pod = pod_of({container(kRegular, 100, 1000), container(kInit, 900, 9000)});
  pod.pod_requests.cpu_millicores = 300;
  pod.overhead = {25, 7};
  EXPECT_EQ(effective_requests(pod).cpu_millicores, 325);
  EXPECT_EQ(effective_requests(pod).memory_bytes, 9007);
}

// KEP-1287: the larger of what is wished, allocated and in force.
TEST(EffectiveRequests, ResizeCountsTheLargest) {
  Container grown = container(kRegular, 1000);
  grown.allocated = Resources{400, {}};
  grown.actual_requests = Resources{300, {}};
  EXPECT_EQ(effective_requests(pod_of({grown})).cpu_millicores, 1000);
  Container shrunk = container(kRegular, 100);
  shrunk.allocated = Resources{400, {}};
  shrunk.actual_requests = Resources{600, {}};
  EXPECT_EQ(effective_requests(pod_of({shrunk})).cpu_millicores, 600);
}

TEST(EffectiveRequests, InfeasibleWishIsNotCounted) {
  Container c = container(kRegular, 3000, 500);
  c.allocated = Resources{400, {}};
  c.actual_requests = Resources{300, {}};
  Pod pod = pod_of({c});
  pod.resize_infeasible = true;
  EXPECT_EQ(effective_requests(pod).cpu_millicores, 400);
  EXPECT_EQ(effective_requests(pod).memory_bytes, 500);  // nothing else is known of it
}

TEST(EffectiveLimits, AbsentUnlessAContainerHasOne) {
  Pod pod = pod_of({container(kRegular, {}, 100), container(kRegular, {}, {})});
  pod.overhead = {25, 7};
  EXPECT_EQ(effective_limits(pod).cpu_millicores, std::nullopt);
  EXPECT_EQ(effective_limits(pod).memory_bytes, 107);
}

TEST(EffectiveLimits, ActualBeforeSpec) {
  Container c = container(kRegular, 1000, 100);
  c.actual_limits = Resources{400, {}};
  EXPECT_EQ(effective_limits(pod_of({c})).cpu_millicores, 400);
  EXPECT_EQ(effective_limits(pod_of({c})).memory_bytes, 100);
}

TEST(EffectiveLimits, PodLevelReplacesWhatItNames) {
  Pod pod = pod_of({container(kRegular, 100, 1000)});
  pod.pod_limits.memory_bytes = 4000;
  EXPECT_EQ(effective_limits(pod).cpu_millicores, 100);
  EXPECT_EQ(effective_limits(pod).memory_bytes, 4000);
}

TEST(EffectiveRequests, HostileSumsStayAtTheLargestNumber) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(effective_requests(pod_of({container(kRegular, kMax), container(kRegular, kMax)})).cpu_millicores,
            kMax);
  EXPECT_EQ(
      effective_requests(pod_of({container(kRegular, -kMax), container(kRegular, -kMax)})).cpu_millicores,
      std::numeric_limits<std::int64_t>::min());
}

}  // namespace
}  // namespace flintgauge
