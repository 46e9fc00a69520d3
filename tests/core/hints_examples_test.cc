// Every example of docs/hints.md that another test does not already hold, worked out by the code; and each is
// still there with these words. Tables are read from the text itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "agent/core/memory_shape.h"
#include "flintgauge/bottleneck.h"
#include "flintgauge/hint_horizontal.h"
#include "flintgauge/hint_vertical.h"
#include "flintgauge/quota.h"
#include "flintgauge/sideways.h"
#include "support/derived_block.h"

namespace flintgauge {
namespace {

using testing::HasSubstr;

constexpr double kMiB = kBytesPerMiB, kGiB = 1024 * kMiB;

std::string read_document() {
  std::ifstream file(FLINTGAUGE_SOURCE_DIR "/docs/hints.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// With one space wherever there is white space: lines are broken anywhere.
const std::string& document() {
  static const std::string kText = [] {
    std::stringstream words(read_document());
    std::string out;
    for (std::string word; words >> word;) out += word + ' ';
    return out;
  }();
  return kText;
}

void expect_words(const char* words) { EXPECT_THAT(document(), HasSubstr(words)) << "docs/hints.md"; }

/// c = 4, S = 30, min = 1, max = 200, k = 1, T = 120: the head of the table of section 1.4.
HorizontalInput burst() {
  HorizontalInput in;
  in.executors = in.executor_pods = in.busy_executors = 2;
  in.running_tasks = 8;
  in.pending_tasks = 392;
  in.mean_task_seconds = 10;
  in.tasks_per_executor = 4;
  in.min_executors = 1;
  return in;
}

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" *");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" *") - first + 1));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  std::stringstream stream{std::string(text)};
  for (std::string part; std::getline(stream, part, separator);) out.push_back(trimmed(part));
  return out;
}

/// Rows of the table whose head has `first` in its first column.
std::vector<std::vector<std::string>> table(const std::string& first) {
  std::vector<std::vector<std::string>> rows;
  std::stringstream lines(read_document());
  bool is_inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| " + first + " |")) {
      is_inside = true;
    } else if (is_inside && !line.starts_with('|')) {
      return rows;
    } else if (is_inside && !line.starts_with("|---")) {
      rows.push_back(split(std::string_view(line).substr(1), '|'));
    }
  }
  return rows;
}

/// The number after `name` in a word like "quota H = 4, X = 2" or "idle (max 50)".
void take(const std::string& text, const std::string& name, double& value) {
  const std::string padded = ' ' + text;
  for (const char before : {' ', '('}) {
    for (const char* const between : {" = ", " "}) {
      const std::string word = before + name + between;
      const std::size_t at = padded.find(word);
      if (at == std::string::npos) continue;
      const char* const number = padded.c_str() + at + word.size();
      if (*number >= '0' && *number <= '9') value = std::stod(number);
    }
  }
}

TEST(HintsExamples, TheTableOfCasesIsWhatTheFunctionGives) {
  const auto rows = table("Case");
  ASSERT_EQ(rows.size(), 13U);
  for (const std::vector<std::string>& row : rows) {
    ASSERT_EQ(row.size(), 10U) << row[0];
    const std::vector<std::string> given = split(row[1], ',');
    ASSERT_EQ(given.size(), 5U) << row[0];
    HorizontalInput in = burst();
    in.executors = in.executor_pods = std::stod(given[0]);
    in.busy_executors = std::stod(given[1]);
    in.running_tasks = std::stod(given[2]);
    in.pending_tasks = std::stod(given[3]);
    in.mean_task_seconds = std::stod(given[4]);
    double room = -1;
    take(row[0], "min", in.min_executors);
    take(row[0], "max", in.max_executors);
    take(row[0], "T", in.drain_target_seconds);
    take(row[0], "k", in.confidence);
    take(row[0], "U", in.unschedulable_sets);
    take(row[0], "X", in.executor_pods);
    take(row[0], "H", room);
    if (room >= 0) in.quota_headroom_executors = room;
    const HorizontalHint hint = horizontal_hint(in);
    const std::vector<double> got = {hint.parity, hint.work_task_seconds, hint.need, hint.raw,
                                     hint.safe,   hint.desired,           hint.unmet};
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], std::stod(row[i + 2])) << row[0] << i;
    EXPECT_EQ(to_string(hint.reason), row[9]) << row[0];
  }
}

TEST(HintsExamples, RoomAndSparksOwnNumber) {
  expect_words(
      "the burst below with N = 3 is min(3, 11) = **3**, reason `parity`; with H = 4 and Hc = 1, X = 2, "
      "and no N it is min(11, 2 + 1) = **3**, unmet **8**");
  HorizontalInput in = burst();
  in.max_needed_executors = 3;
  EXPECT_EQ(horizontal_hint(in).desired, 3);
  EXPECT_EQ(horizontal_hint(in).reason, HintReason::kParity);
  in = burst();
  in.quota_headroom_executors = 4;
  in.cluster_headroom_executors = 1;
  EXPECT_EQ(horizontal_hint(in).desired, 3);
  EXPECT_EQ(horizontal_hint(in).unmet, 8);
}

TEST(HintsExamples, Confidence) {
  expect_words("k = 12 / 30 * 45 / 60 = **0.3**, and published is 0.3 * (1 - 6 / 30) = **0.24**");
  EXPECT_DOUBLE_EQ(confidence(12, 45, 0, 30), 0.3);
  EXPECT_DOUBLE_EQ(confidence(12, 45, 6, 30), 0.24);
}

TEST(HintsExamples, StableNumber) {
  expect_words(
      "desired is 4 at 0 s, 11 at 60 s and 3 from 120 s on: stable is 4, then 11 until 360 s (365 at "
      "the latest), then 3");
  StableDesired stable;
  EXPECT_EQ(stable.update(4, 0), 4);
  EXPECT_EQ(stable.update(11, 60'000), 11);
  for (std::int64_t second = 120; second <= 360; ++second) EXPECT_EQ(stable.update(3, second * 1000), 11);
  EXPECT_EQ(stable.update(3, 365'001), 3);
}

TEST(HintsExamples, StreamAndPool) {
  expect_words("for three batches: ceil(2 * 3000 / 1000) = **6**");
  EXPECT_EQ(
      streaming_executors({.executors = 2, .input_rate = 3000, .processing_rate = 1000, .batches_behind = 3}),
      6);
  expect_words("two applications want 11 executors of 4 cores each, a worker has 8: 88 / 8 = **11**");
  const std::vector<WorkerDemand> applications = {{11, 4}, {11, 4}};
  EXPECT_EQ(demand_cores(applications), 88);
  EXPECT_EQ(workers_desired(applications, 8, 0, 1e9), 11);
}

/// The hint after one error of that kind, with peaks that ask for next to nothing.
VerticalHint after_error(Oom kind, VerticalInput in) {
  JobRecord record;
  raise_floor(kind, in, record, {1});
  in.heap_floor_bytes = record.heap_floor.value({1});
  in.overhead_floor_bytes = record.overhead_floor.value({1});
  in.heap = in.non_heap = {100 * kMiB, 100 * kMiB, 100 * kMiB};
  in.container = {200 * kMiB, 200 * kMiB, 200 * kMiB};
  in.runs = 10;
  in.executors = 100;
  return vertical_hint(in);
}

TEST(HintsExamples, ErrorsAndCollections) {
  expect_words(
      "a heap of 2048 MiB ended with exit code 52: not below max(2048 + 100, 2048 * 1.2) = 2457.6, up to "
      "256 MiB: **2560 MiB**");
  VerticalInput in;
  in.heap_bytes = 2048 * kMiB;
  in.overhead_bytes = 384 * kMiB;
  EXPECT_NEAR(oom_floor_bytes(in.heap_bytes) / kMiB, 2457.6, 1e-6);
  EXPECT_EQ(after_error(Oom::kHeap, in).target[MemoryPart::kHeap] / kMiB, 2560);
  expect_words("driver of 2048 MiB ended with exit code 52: 2457.6, up to 256 MiB: **2560 MiB**");
  in.is_driver = true;
  EXPECT_EQ(after_error(Oom::kHeap, in).target[MemoryPart::kHeap] / kMiB, 2560);

  expect_words(
      "A container of 3072 MiB, 384 of them overhead, was `OOMKilled`: 384 + max(3172, 3686.4) - 3072 = "
      "998.4, up to 64 MiB: **1024 MiB** of overhead");
  in = {};
  in.heap_bytes = 2688 * kMiB;
  in.overhead_bytes = 384 * kMiB;
  EXPECT_EQ(after_error(Oom::kContainer, in).target[MemoryPart::kOverhead] / kMiB, 1024);

  expect_words(
      "A heap of 4096 MiB whose tasks spend 0.15 of their time in GC: 4096 * 1.2 = 4915.2: **5120 MiB**");
  in.heap_bytes = 4096 * kMiB;
  in.gc_ratio = 0.15;
  in.heap = {1, 1, 1};
  EXPECT_EQ(vertical_hint(in).target[MemoryPart::kHeap] / kMiB, 5120);
}

TEST(HintsExamples, SparksArithmeticAndADriversConfidence) {
  expect_words("4096 gives 4505, 1024 gives 1408, 4096 with factor 0.4 gives 5734");
  ExecutorMemory memory;
  EXPECT_EQ(request_mib(memory), 1408);
  memory.heap_mib = 4096;
  EXPECT_EQ(request_mib(memory), 4505);
  memory.overhead_factor = 0.4;
  EXPECT_EQ(request_mib(memory), 5734);
  expect_words("Example: 3 runs give 0.6, enough to go a step lower");
  VerticalInput in;
  in.is_driver = true;
  in.runs = 3;
  EXPECT_DOUBLE_EQ(vertical_hint(in).confidence, 0.6);
}

TEST(HintsExamples, Bottleneck) {
  expect_words(
      "Two executors of four slots, W = 120 s: 8 running tasks in every reading, 392 waiting, T = 960 s, "
      "480 s of CPU, 192 s of GC, 120 tasks ended, none failed");
  const Bottleneck got = test::make_bottleneck({}).result;
  ASSERT_EQ(got.count, 2U);
  expect_words("cost 392 / 400 = 0.98, confidence 0.7");
  EXPECT_EQ(got.found[1].kind, BottleneckKind::kSlots);
  EXPECT_DOUBLE_EQ(got.found[1].share, 0.98);
  EXPECT_DOUBLE_EQ(got.found[1].confidence, 0.7);
  expect_words("**gc** is published, with share 0.20");
  EXPECT_EQ(got.kind, BottleneckKind::kGc);
  EXPECT_DOUBLE_EQ(got.found[0].share, 0.2);
  EXPECT_DOUBLE_EQ(got.found[0].confidence, 1);
}

TEST(HintsExamples, RoomOfAQuota) {
  expect_words(
      "an executor of 4 cores and 9 GiB; hard 40 cores, 100 GiB and 30 pods, used 26, 46 and 12. 14 / 4 = "
      "3.5, 54 / 9 = 6 and 18 / 1 = 18: H = floor(3.5) = **3**, and `requests.cpu` binds");
  PodShape pod;
  pod.cpu_request_cores = 4;
  pod.memory_request_bytes = 9 * kGiB;
  Quota quota;
  quota.resources = {*parse_quota_resource("requests.cpu", "40", "26"),
                     *parse_quota_resource("requests.memory", "100Gi", "46Gi"),
                     *parse_quota_resource("pods", "30", "12")};
  const NamespaceQuotas team{"a", {quota}};  // the room names its own quota and resource
  const QuotaRoom room = quota_room(team, pod);
  EXPECT_EQ(room.headroom_executors, 3);
  EXPECT_EQ(room.resource, "requests.cpu");
}

TEST(HintsExamples, LendingAndReclaim) {
  expect_words("hard 100, used 40, P95 50, reserve 10: 100 - 50 * 1.1 - 10 = **35**");
  expect_words(
      "B is offered min(50, 35 * 2 / 3) = **23.3**, C min(50, 35 / 3) = **11.7**, and A is suggested "
      "100 - 35 = **65**");
  std::vector<Tenant> tenants = {{.hard = 100, .used = 40, .used_p95 = 50, .reserve = 10},
                                 {.hard = 50, .used = 50, .limit = 50, .weight = 2, .unmet = 30},
                                 {.hard = 50, .used = 50, .limit = 50, .weight = 1, .unmet = 30}};
  const std::vector<TenantShare> shares = share_quota(tenants);
  EXPECT_DOUBLE_EQ(shares[0].lendable, 35);
  EXPECT_NEAR(shares[1].borrowable, 23.3, 0.05);
  EXPECT_NEAR(shares[2].borrowable, 11.7, 0.05);
  EXPECT_DOUBLE_EQ(shares[0].suggested_hard, 65);
  expect_words("Later A lacks 5 while B is 20 over its own: reclaim from B");
  tenants[0].unmet = 5;
  tenants[1].used = 70;
  EXPECT_TRUE(share_quota(tenants)[1].reclaim);
}

TEST(HintsExamples, Starvation) {
  expect_words(
      "6 executor pods, target 6, 4 to add, max needed 40, H = 3. The next target is min(6 + 4, 40) = 10, 4 "
      "more than there are, and 4 > 3");
  QuotaPressureInput in;
  in.executors = in.executor_pods = 6;
  in.target = 6;
  in.to_add = 4;
  in.max_needed = 40;
  in.headroom = 3;
  EXPECT_EQ(quota_advice(in).next_target, 10);
  EXPECT_EQ(to_string(quota_advice(in).pressure), "next_step");
  expect_words("2 executors, target 8 for 40 s, S = 30 s, no pod pending here");
  in = {};
  in.executors = in.executor_pods = 2;
  in.target = 8;
  in.shortfall_seconds = 40;
  in.startup_seconds = 30;
  in.pending_pods = 0;
  EXPECT_EQ(to_string(quota_advice(in).pressure), "suspected");
}

TEST(HintsExamples, TheClampByTheRoom) {
  expect_words("H = 10 - 6 = 4, and work for 15: min(15, 6 + 4) = **10**, unmet **5**");
  HorizontalInput in = burst();
  in.executors = in.executor_pods = in.busy_executors = 6;
  in.running_tasks = 24;
  in.pending_tasks = 36;
  in.drain_target_seconds = 0;
  in.quota_headroom_executors = 4;
  const HorizontalHint hint = horizontal_hint(in);
  EXPECT_EQ(hint.safe, 15);
  EXPECT_EQ(hint.desired, 10);
  EXPECT_EQ(hint.unmet, 5);
  EXPECT_EQ(hint.reason, HintReason::kQuota);
}

TEST(HintsExamples, Sideways) {
  expect_words("n = min(4, 7) = **4**, waste of CPU 0, of memory 1 - 4 * 9 / 64 = **0.4375**");
  const Packing packing = pack({16, 64 * kGiB, 110}, {4, 9 * kGiB, 1});
  EXPECT_EQ(packing.executors, 4);
  EXPECT_EQ(packing.waste_cpu, 0);
  EXPECT_DOUBLE_EQ(packing.waste_memory, 0.4375);
  expect_words(
      "7 cores, one executor of 4 here: one fits an empty node, 3 cores are free: `no_free_node`, `cpu`, gap "
      "**1**; shape: 7 cores");
  ClusterView view;
  view.nodes.emplace_back().allocatable = {7, 64 * kGiB, 110};
  view.nodes.front().requested = {4, 9 * kGiB, 1};
  SidewaysInput in;
  in.placement.request = {4, 9 * kGiB, 1};
  const Sideways got = sideways(view, in);
  EXPECT_EQ(to_string(got.code), "no_free_node");
  EXPECT_EQ(got.resource, "cpu");
  EXPECT_EQ(got.gap, 1);
  ASSERT_TRUE(got.shape);
  EXPECT_EQ(got.shape->cores, 7);
}

}  // namespace
}  // namespace flintgauge
