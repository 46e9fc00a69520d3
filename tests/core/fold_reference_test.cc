// Random histories of a node: the fold and its slow twin must publish the same series with the same values.
#include "core/fold_reference.h"

#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "core/kubelet_fold_support.h"

namespace flintgauge {
namespace {

using namespace testing;

/// A node that changes at random. All numbers are whole, so that sums do not depend on their order.
class RandomNode {
 public:
  explicit RandomNode(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < 4; ++i) add_pod(-1000);
  }

  void step(double at) {
    if (chance(8)) add_pod(at - 1);
    if (chance(10) && pods_.size() > 2) pods_.erase(pods_.begin() + pick(static_cast<int>(pods_.size())));
    for (Life& life : pods_) change(life, at);
  }

  std::vector<Pod> list() const {
    std::vector<Pod> out;
    for (const Life& life : pods_) out.push_back(life.pod);
    return out;
  }

  std::vector<Line> page(double at) {
    std::vector<Line> out;
    for (Life& life : pods_) {
      if (life.silent) continue;
      for (Instance& instance : life.instances) add_rows(out, life, instance, at);
    }
    std::shuffle(out.begin(), out.end(), random_);
    return out;
  }

 private:
  struct Instance {
    std::string container;
    int number = 0;
    double started = 0, sampled = 0;
    double cpu[2] = {0, 0}, read = 0, memory = 0;
    bool ended = false;
    int devices = 1;
  };
  struct Life {
    Pod pod;
    std::vector<Instance> instances;  // of containers; the last of a name is the present one
    int sandbox = 0;
    double network = 0, network_sampled = 0;
    bool silent = false;  // no rows at present
  };

  bool chance(int of) { return pick(of) == 0; }
  int pick(int count) { return std::uniform_int_distribution<int>(0, count - 1)(random_); }

  void add_pod(double at) {
    const int app = pick(4);
    Life life;
    const std::string name = chance(4) ? "same-name" : "pod-" + std::to_string(++serial_);
    for (const Life& other : pods_) {
      if (other.pod.name == name) return;
    }
    life.pod = spark_pod(name, app == 3 ? "" : "s-" + std::to_string(app), chance(3) ? "driver" : "executor");
    life.pod.uid = "uid-" + std::to_string(++serial_);
    life.pod.created_at = WallTime{stamp(at)};
    life.pod.host_network = chance(6);
    life.sandbox = ++serial_;
    life.network = pick(1000);
    life.network_sampled = at;
    for (const char* container : {"main", "side"}) {
      if (container[0] == 's' && chance(2)) continue;
      life.pod.containers.push_back(running(container, 0));
      if (chance(2)) life.pod.containers.back().requests.memory_bytes = pick(100);
      start(life, container, at + 1);
    }
    pods_.push_back(std::move(life));
  }

  void start(Life& life, const std::string& name, double at) {
    Instance instance;
    instance.container = name;
    instance.number = ++serial_;
    instance.started = instance.sampled = at;
    instance.memory = pick(1000);
    if (at < 0) instance.cpu[0] = pick(5000);
    life.instances.push_back(instance);
    for (Container& container : life.pod.containers) {
      if (container.name != name) continue;
      if (container.container_id != id(0)) ++container.restart_count;
      container.container_id = id(instance.number);
      container.started_at = WallTime{stamp(at)};
      container.state = ContainerState::kRunning;
    }
  }

  void change(Life& life, double at) {
    const bool was_silent = life.silent;
    life.silent = chance(12);
    if (chance(15)) life.pod.phase = life.pod.phase == Phase::kRunning ? Phase::kPending : Phase::kRunning;
    if (chance(6)) restart(life, life.pod.containers[0].name, at);
    if (chance(20)) life.pod.containers[0].state = ContainerState::kWaiting;
    std::erase_if(life.instances, [this](const Instance& instance) { return instance.ended && chance(3); });
    for (Instance& instance : life.instances) advance(instance, at, !life.silent && !was_silent);
    if (chance(3)) return;
    life.network += pick(100);
    life.network_sampled = at - pick(3);
  }

  void restart(Life& life, const std::string& name, double at) {
    for (Instance& instance : life.instances) instance.ended |= instance.container == name;
    start(life, name, at - 1);
  }

  /// A newer sample. Counters go back only where rows were there all the time: of rows that come back the
  /// fold knows no more than what they had counted together.
  void advance(Instance& instance, double at, bool present) {
    const double sampled = at - pick(chance(10) ? 80 : 4);
    if (instance.ended || chance(3) || sampled <= instance.sampled) return;
    instance.sampled = sampled;
    if (present && chance(15)) instance.cpu[pick(2)] = 0;
    for (double& cpu : instance.cpu) cpu += pick(50);
    instance.read += pick(1000);
    instance.memory += pick(21) - 10;
    if (present && chance(5)) instance.devices = 2;
  }

  void add_rows(std::vector<Line>& out, const Life& life, const Instance& instance, double at) {
    const auto add = [&](Measure measure, double value, const std::string& series) {
      const std::int64_t stamped = stampless_ ? kNoTimestamp : stamp(instance.sampled);
      out.push_back(row(life.pod, instance.container, instance.number, measure, value, stamped, series));
    };
    add(Measure::kCpuUsageSeconds, instance.cpu[0], "cpu0");
    add(Measure::kCpuUsageSeconds, instance.cpu[1], "cpu1");
    for (int i = 0; i < instance.devices; ++i)
      add(Measure::kFsReadBytes, instance.read, "dev" + std::to_string(i));
    add(Measure::kMemoryWorkingSetBytes, instance.memory, "");
    out.push_back(row(life.pod, instance.container, instance.number, Measure::kStartTimeSeconds,
                      static_cast<double>(stamp(instance.started)) / 1000));
    if (&instance != &life.instances.front()) return;
    for (const char* interface : {"eth0", "net1"})
      out.push_back(sandbox_row(life.pod, life.sandbox, Measure::kNetworkReceiveBytes, life.network,
                                stamp(std::min(at, life.network_sampled)), interface));
  }

  std::mt19937_64 random_;
  std::vector<Life> pods_;
  int serial_ = 100;
  bool stampless_ = random_() % 4 == 0;
};

std::string differences(const std::map<std::string, double>& fold,
                        const std::map<std::string, double>& reference) {
  std::ostringstream out;
  const auto look = [&](const auto& from, const auto& in, const char* what) {
    for (const auto& [name, value] : from) {
      const auto other = in.find(name);
      if (other == in.end()) out << name << " only in the " << what << ": " << value << '\n';
      if (other != in.end() && other->second != value) out << name << ' ' << what << ": " << value << '\n';
    }
  };
  look(fold, reference, "fold");
  look(reference, fold, "reference");
  return out.str();
}

class FoldReference : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(FoldReference, AgreesAtEveryMoment) {
  for (std::uint64_t seed = GetParam(); seed < GetParam() + 12; ++seed) {
    RandomNode node(seed);
    KubeletBench bench;
    ReferenceFold reference(after(0));
    std::map<std::string, double> before;
    for (int i = 0; i < 60; ++i) {
      const double at = 10.0 * i;
      if (i > 0) node.step(at);
      if (seed % 2 == 0 || i % 3 != 1) {  // every other node's list is sometimes late
        bench.pods(node.list(), at);
        reference.pods(node.list());
      }
      const std::vector<Line> lines = node.page(at);
      bench.scrape(bench.cadvisor, lines, at);
      reference.scrape(lines, after(at));
      bench.fold->expire(after(at));
      for (const double later : {at, at + 5}) {
        auto have = bench.series(later);
        std::erase_if(have, [](const auto& series) {  // what the page says of itself
          return series.first.starts_with("flintgauge_target_") ||
                 series.first.starts_with("flintgauge_kubelet_");
        });
        ASSERT_EQ(differences(have, reference.series(after(later))), "")
            << "seed " << seed << " moment " << i;
        for (const auto& [name, value] : have) {
          if (name.find("_total{") == std::string::npos) continue;
          ASSERT_GE(value, before[name]) << name << " seed " << seed;
          before[name] = value;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(RandomHistories, FoldReference, ::testing::Values(1, 1001, 2001, 3001, 4001));

}  // namespace
}  // namespace flintgauge
