// What the store costs its writers and readers (targets 17 to 19 of bench/README.md). 20,000 series in
// arrival order; an update is one sample written into the block that is being built, its share of the
// publication included.
#include <benchmark/benchmark.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "bench/turns.h"
#include "flintgauge/store.h"

namespace flintgauge {
namespace {

constexpr std::size_t kSeries = 20'000;

struct Update {
  std::uint32_t series = 0;
  double value = 0;
};

const std::vector<Update>& updates() {
  static const std::vector<Update> all = [] {
    std::vector<Update> made(kSeries);
    for (std::size_t i = 0; i < kSeries; ++i) {
      made[i] = {static_cast<std::uint32_t>(i), static_cast<double>(i * i % 1013)};
    }
    return made;
  }();
  return all;
}

void write_round(Store& store, Shard shard) {
  Block& block = store.writable(shard);
  block.values.resize(kSeries);
  for (const Update& update : updates()) block.values[update.series] = update.value;
  store.publish(shard);
}

double per_update_ns(double seconds) { return seconds * 1e9 / static_cast<double>(kSeries); }

/// "ratio_to_atomic": must be <= 5.
void update_one_writer(benchmark::State& state) {
  Store store;
  std::vector<std::atomic<double>> cells(kSeries);
  const bench::Medians medians = bench::take_turns(
      state, [&] { write_round(store, Shard::kKubelet); },
      [&] {
        for (const Update& update : updates())
          cells[update.series].store(update.value, std::memory_order_relaxed);
      });
  state.counters["ns_per_update"] = per_update_ns(medians.mine);
  state.counters["ratio_to_atomic"] = medians.mine / medians.other;
}

/// "ratio_to_mutex_map", one thread: must be <= 0.5.
void update_while_a_reader_scans(benchmark::State& state) {
  Store store;
  std::mutex mutex;
  std::unordered_map<std::string, double> map;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < kSeries; ++i) keys.push_back("series_" + std::to_string(i));
  std::atomic<std::uint64_t> scans{0};
  const std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const View view = store.read();
      if (const Block* block = view.block(Shard::kKubelet)) {
        benchmark::DoNotOptimize(std::accumulate(block->values.begin(), block->values.end(), 0.0));
      }
      scans.fetch_add(1, std::memory_order_relaxed);
    }
  });
  const bench::Medians medians = bench::take_turns(
      state, [&] { write_round(store, Shard::kKubelet); },
      [&] {
        for (const Update& update : updates()) {
          const std::lock_guard lock(mutex);
          map[keys[update.series]] = update.value;
        }
      });
  state.counters["ns_per_update"] = per_update_ns(medians.mine);
  state.counters["ratio_to_mutex_map"] = medians.mine / medians.other;
  state.counters["scans"] = static_cast<double>(scans.load());
}

/// "ratio_to_one_writer": must be <= 1.5.
void update_two_writers(benchmark::State& state) {
  Store store;
  const std::jthread other([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) write_round(store, Shard::kSpark);
  });
  Store alone;
  const bench::Medians medians = bench::take_turns(
      state, [&] { write_round(store, Shard::kKubelet); }, [&] { write_round(alone, Shard::kKubelet); });
  state.counters["ns_per_update"] = per_update_ns(medians.mine);
  state.counters["ratio_to_one_writer"] = medians.mine / medians.other;
}

/// A whole read: claim a row, pin three blocks, let go.
void read_view(benchmark::State& state) {
  Store store;
  for (const Shard shard : {Shard::kKubelet, Shard::kSpark, Shard::kCompanions, Shard::kDerived}) {
    store.writable(shard);
    store.publish(shard);
  }
  for (auto _ : state) benchmark::DoNotOptimize(store.read().block(Shard::kDerived));
}

void publish_block(benchmark::State& state) {
  Store store;
  for (auto _ : state) {
    benchmark::DoNotOptimize(&store.writable(Shard::kKubelet));
    store.publish(Shard::kKubelet);
  }
}

BENCHMARK(update_one_writer)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(update_while_a_reader_scans)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(update_two_writers)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(read_view);
BENCHMARK(publish_block);

}  // namespace
}  // namespace flintgauge
