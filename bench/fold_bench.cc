// What a scrape of /metrics/cadvisor costs after decoding: folding every kept sample (commit) and writing the
// block (fill), on a modelled node of 110 pods. The floor of the same process: the same samples subtracted
// from their last values and added up by group in plain arrays, which is what the fold would be if nothing
// ever changed, restarted or went missing.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/floor.h"
#include "flintgauge/collector.h"
#include "flintgauge/fold.h"
#include "support/allocations.h"

namespace flintgauge {
std::unique_ptr<Collector> make_cadvisor();
std::unique_ptr<Collector> make_kubelet_pods();
namespace {

constexpr std::int64_t kStepMs = 15'000;
constexpr std::size_t kWarmUp = 4;

/// Decoded once; the decoder keeps what the batches point to.
class Page {
 public:
  Page(std::unique_ptr<Collector> collector, const std::string& name) : collector_(std::move(collector)) {
    const std::string path = std::string(FLINTGAUGE_BENCH_NODE) + "/tick-000000/" + name;
    std::ifstream in(path, std::ios::binary);
    const std::string body{std::istreambuf_iterator<char>(in), {}};
    target = collector_->targets(Discovery{}).front();
    decoder_ = collector_->make_decoder(target);
    decoder_->begin();
    if (body.empty() || !decoder_->feed(body)) give_up(path);
    Result<Batch> decoded = decoder_->finish();
    if (!decoded) give_up(path);
    batch = *std::move(decoded);
  }

  Target target;
  Batch batch;

 private:
  [[noreturn]] static void give_up(const std::string& path) {
    std::fprintf(stderr, "fold_bench: %s: build the target bench_node\n", path.c_str());
    std::exit(1);
  }
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<Decoder> decoder_;
};

/// A node whose every sample is newer and larger from scrape to scrape.
class MovingNode {
 public:
  MovingNode() {
    const auto& first = std::get<SampleBatch>(cadvisor_.batch);
    samples_.assign(first.samples.begin(), first.samples.end());
    for (const Sample& sample : samples_) {
      if (sample.timestamp_ms != kNoTimestamp) now_.wall.ms = std::max(now_.wall.ms, sample.timestamp_ms);
    }
    fold = make_kubelet_fold({}, now_);
    fold->apply(pods_.target, pods_.batch, now_);
    fold->apply(cadvisor_.target, cadvisor_.batch, now_);
  }

  /// Time goes on: not part of what is measured.
  void step() {
    now_.wall.ms += kStepMs;
    now_.steady.ms += kStepMs;
    for (Sample& sample : samples_) {
      if (sample.timestamp_ms == kNoTimestamp) continue;
      sample.timestamp_ms += kStepMs;
      sample.value += 1;
    }
    batch_ = Batch(SampleBatch{routes(), {}, {}, samples_});
  }
  void commit() { fold->apply(cadvisor_.target, batch_, now_); }
  void fill() {
    fold->expire(now_);
    fold->fill(block, now_);
  }
  const std::vector<Sample>& samples() const { return samples_; }

  std::unique_ptr<Fold> fold;
  Block block;

 private:
  std::span<const Route> routes() const { return std::get<SampleBatch>(cadvisor_.batch).routes; }

  Page pods_{make_kubelet_pods(), "pods.json"};
  Page cadvisor_{make_cadvisor(), "cadvisor.prom"};
  std::vector<Sample> samples_;
  Batch batch_;
  Now now_;
};

class Floor {
 public:
  explicit Floor(const std::vector<Sample>& samples) {
    for (const Sample& sample : samples) last_.resize(std::max<std::size_t>(last_.size(), sample.series + 1));
  }
  double pass(const std::vector<Sample>& samples) {
    for (const Sample& sample : samples) {
      double& last = last_[sample.series];
      sums_[sample.series % sums_.size()] += sample.value - last;
      last = sample.value;
    }
    return sums_[0];
  }

 private:
  std::vector<double> last_;
  std::vector<double> sums_ = std::vector<double>(50);
};

template <typename Part>
void run(benchmark::State& state, Part part) {
  MovingNode node;
  Floor floor(node.samples());
  for (std::size_t i = 0; i < kWarmUp; ++i) {
    node.step();
    node.commit();
    node.fill();
  }
  std::vector<double> times;
  std::vector<double> floors;
  std::uint64_t allocated = 0;
  for (auto _ : state) {
    node.step();
    const std::uint64_t before = testing::allocations();
    times.push_back(part(node));
    allocated += testing::allocations() - before;
    floors.push_back(bench::seconds_of([&] { benchmark::DoNotOptimize(floor.pass(node.samples())); }));
    state.SetIterationTime(times.back());
  }
  const auto samples = static_cast<double>(node.samples().size());
  state.counters["samples"] = samples;
  state.counters["series"] = static_cast<double>(node.block.values.size());
  state.counters["ns_per_sample"] = bench::median(times) * 1e9 / samples;
  state.counters["ratio_to_floor"] = bench::median(floors) / bench::median(times);
  state.counters["allocations"] = static_cast<double>(allocated);
}

void commit(benchmark::State& state) {
  run(state, [](MovingNode& node) {
    const double seconds = bench::seconds_of([&] { node.commit(); });
    node.fill();
    return seconds;
  });
}

void fill(benchmark::State& state) {
  run(state, [](MovingNode& node) {
    node.commit();
    return bench::seconds_of([&] { node.fill(); });
  });
}

void commit_and_fill(benchmark::State& state) {
  run(state, [](MovingNode& node) {
    return bench::seconds_of([&] {
      node.commit();
      node.fill();
    });
  });
}

BENCHMARK(commit)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(fill)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(commit_and_fill)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace flintgauge
