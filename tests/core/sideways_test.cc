#include "flintgauge/sideways.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace flintgauge {
namespace {

constexpr double kMiB = 1024.0 * 1024;
constexpr double kGi = 1024 * kMiB;

ClusterNode node(std::string pool, double cores, double gib) {
  ClusterNode out;
  out.labels = {{"karpenter.sh/nodepool", std::move(pool)}};
  out.allocatable = {cores, gib * kGi, 110};
  return out;
}

SidewaysInput executor(double cores, double gib) {
  SidewaysInput in;
  in.placement.request = {cores, gib * kGi, 1};
  return in;
}

std::string_view code(const ClusterView& view, const SidewaysInput& input) {
  return to_string(sideways(view, input).code);
}

TEST(Sideways, FitsWhereThereIsRoomNow) {
  ClusterView view{.nodes = {node("a", 8, 32)}, .pending = {}};
  EXPECT_EQ(code(view, executor(4, 8)), "fits");
  EXPECT_EQ(sideways(view, executor(4, 8)).cluster_free_executors, 2);
  view.nodes[0].requested = {5, 1, 3};
  EXPECT_EQ(code(view, executor(4, 8)), "no_free_node");
  EXPECT_EQ(sideways(view, executor(4, 8)).resource, "cpu");
  EXPECT_EQ(sideways(view, executor(4, 8)).gap, 1);
  view.nodes.push_back(node("tiny", 3.5, 32));
  EXPECT_EQ(sideways(view, executor(4, 8)).gap, 1) << "a node that never fits is not the one that is full";
  EXPECT_EQ(code(ClusterView{}, executor(4, 8)), "unknown");
}

TEST(Sideways, NeverFitsNamesTheResourceAndTheGapOfTheLargestNode) {
  const ClusterView view{.nodes = {node("a", 8, 32), node("b", 8, 60)}, .pending = {}};
  const Sideways got = sideways(view, executor(4, 64));
  EXPECT_EQ(to_string(got.code), "never_fits");
  EXPECT_EQ(got.resource, "memory");
  EXPECT_EQ(got.gap, 4 * kGi);
  ASSERT_TRUE(got.shape);
  EXPECT_EQ(got.shape->executors_per_node, 1);
  EXPECT_EQ(got.shape->memory_bytes, 60 * kGi);
  EXPECT_EQ(got.shape->cores, 8);
}

TEST(Sideways, WhatDaemonSetsTakeIsNotThere) {
  ClusterView view{.nodes = {node("a", 8, 32)}, .pending = {}};
  view.nodes[0].daemonsets = view.nodes[0].requested = {0.5, kGi, 4};
  EXPECT_EQ(code(view, executor(8, 8)), "never_fits");
  EXPECT_EQ(sideways(view, executor(8, 8)).gap, 0.5);
}

TEST(Sideways, OnlyExcludedNodesWouldDo) {
  ClusterView view{.nodes = {node("small", 2, 4), node("large", 16, 64)}, .pending = {}};
  view.nodes[1].taints = {{"dedicated", "gpu", TaintEffect::kNoSchedule}};
  SidewaysInput in = executor(4, 8);
  EXPECT_EQ(code(view, in), "taint_or_affinity");
  in.placement.tolerations = {{.key = "dedicated", .value = "gpu"}};
  EXPECT_EQ(code(view, in), "fits");
  in.placement.tolerations = {{.key = "dedicated", .value = "other"}};
  EXPECT_EQ(code(view, in), "taint_or_affinity");
  in.placement.tolerations = {{.key = "", .value = "", .exists = true}};
  EXPECT_EQ(code(view, in), "fits");
  in.placement.node_selector = {{"disk", "ssd"}};
  EXPECT_EQ(code(view, in), "taint_or_affinity");
  view.nodes[1].labels.emplace_back("disk", "ssd");
  EXPECT_EQ(code(view, in), "fits");
  view.nodes[1].schedulable = false;
  EXPECT_EQ(code(view, in), "taint_or_affinity");
  view.nodes[1].schedulable = true;
  view.nodes[1].taints = {{"soft", "", TaintEffect::kPreferNoSchedule}};
  in.placement.tolerations.clear();
  EXPECT_EQ(code(view, in), "fits") << "a preference excludes nothing";
}

TEST(Sideways, QuotaAndVolumeComeBeforeNodes) {
  const ClusterView view{.nodes = {node("a", 8, 32)}, .pending = {}};
  SidewaysInput in = executor(4, 8);
  in.quota_headroom = 0;
  EXPECT_EQ(code(view, in), "quota");
  in.waits_for_volume = true;
  EXPECT_EQ(code(view, in), "pending_volume");
}

// docs/hints.md: 4 cores and 9 GiB on 16 cores and 64 GiB are 4 executors; 28 of 64 GiB are left.
TEST(Sideways, PacksAndNamesTheWaste) {
  const Packing packing = pack({16, 64 * kGi, 110}, {4, 9 * kGi, 1});
  EXPECT_EQ(packing.executors, 4);
  EXPECT_EQ(packing.waste_cpu, 0);
  EXPECT_DOUBLE_EQ(packing.waste_memory, 28.0 / 64);
  EXPECT_EQ(pack({1, kGi, 110}, {0, 0, 0}).executors, 0);
  EXPECT_EQ(pack({16, 64 * kGi, 3}, {4, 9 * kGi, 1}).executors, 3) << "pods of a node";
  EXPECT_EQ(pack({0.3, kGi, 110}, {0.1, 1, 1}).executors, 3) << "rounding costs no executor";
}

TEST(Sideways, TheBestPoolWastesLeast) {
  ClusterView view{
      .nodes = {node("big", 16, 64), node("narrow", 16, 40), node("tiny", 2, 4), node("apart", 4, 9)},
      .pending = {}};
  view.nodes[3].taints = {{"x", "y", TaintEffect::kNoExecute}};
  const Sideways got = sideways(view, executor(4, 9));
  ASSERT_EQ(got.pools.size(), 4U);
  EXPECT_EQ(got.pools[0].pool, "narrow");
  EXPECT_DOUBLE_EQ(got.pools[0].waste(), 0.05);
  EXPECT_EQ(got.pools[0].executors_per_node, 4);
  EXPECT_EQ(got.pools[1].pool, "big");
  EXPECT_EQ(got.pools[2].pool, "tiny");
  EXPECT_EQ(got.pools[2].executors_per_node, 0);
  EXPECT_EQ(got.pools[3].pool, "apart");
  EXPECT_FALSE(got.pools[3].is_allowed);
  ASSERT_TRUE(got.shape);
  EXPECT_EQ(got.shape->memory_bytes, 10 * kGi);
  EXPECT_EQ(got.shape->cores, 4);
}

// autoscaling.md section 5.3: container of heap 1024 -> 1408, 3840 -> 4224, 4096 -> 4505 MiB.
TEST(Sideways, HeapOfAContainerIsTheInverseOfSparksRule) {
  EXPECT_EQ(heap_of_container(1408 * kMiB, 0.1), 1024 * kMiB);
  EXPECT_EQ(heap_of_container(4224 * kMiB, 0.1), 3840 * kMiB);
  EXPECT_EQ(heap_of_container(300 * kMiB, 0.1), 0);
  for (const double factor : {0.1, 0.4}) {
    for (double container = 400; container < 40'000; container += 37) {
      const double heap = heap_of_container(container * kMiB, factor) / kMiB;
      const auto needs = [&](double mib) { return mib + std::max(std::trunc(factor * mib), 384.0); };
      EXPECT_LE(needs(heap), container);
      EXPECT_GT(needs(heap + 2), container) << "and not smaller than it must be";
    }
  }
}

TEST(Sideways, PoolIsTheFirstLabelThatIsThere) {
  ClusterNode both;
  both.labels = {{"cloud.google.com/gke-nodepool", "g"}, {"node.kubernetes.io/instance-type", "m5"}};
  EXPECT_EQ(pool_of(both), "g");
  EXPECT_EQ(pool_of(ClusterNode{}), "");
}

// One node more never makes things worse, and a code says what it says.
TEST(Sideways, CodesAgreeWithTheirWords) {
  std::mt19937 random(5);
  const auto pick = [&](std::uint32_t range) { return static_cast<double>(random() % range); };
  for (int i = 0; i < 2'000; ++i) {
    ClusterView view;
    for (std::uint32_t n = random() % 4; n > 0; --n) {
      ClusterNode one = node(std::string(1, static_cast<char>('a' + random() % 2)), pick(17), pick(65));
      one.requested = {pick(17), pick(65) * kGi, pick(20)};
      if (random() % 3 == 0) one.taints = {{"t", "", TaintEffect::kNoSchedule}};
      view.nodes.push_back(one);
    }
    const SidewaysInput in = executor(1 + pick(8), 1 + pick(32));
    const Sideways got = sideways(view, in);
    EXPECT_EQ(got.code == SidewaysCode::kFits, got.cluster_free_executors >= 1);
    EXPECT_EQ((got.code == SidewaysCode::kNeverFits || got.code == SidewaysCode::kNoFreeNode) &&
                  !got.resource.empty(),
              got.gap > 0);
    if (got.code == SidewaysCode::kNoFreeNode) {
      EXPECT_GE(got.pools[0].executors_per_node, 1);
    }
    view.nodes.push_back(node("c", 16, 64));
    EXPECT_EQ(code(view, in), "fits");
  }
}

}  // namespace
}  // namespace flintgauge
