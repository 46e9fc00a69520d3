// The page of 10,000 and of 100,000 series (targets 15 and 16 of bench/README.md): how many times faster than
// prometheus-cpp's Collect() + Serialize() of the same series, and what share of a memcpy's speed.
// 20 gauge families of the catalogue; random values, one third of them fractional.
#include <benchmark/benchmark.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/turns.h"
#include "flintgauge/exposition.h"

namespace flintgauge {
namespace {

constexpr std::size_t kFamilies = 20;

/// The same series for us and for prometheus-cpp.
struct Pages {
  explicit Pages(std::size_t series) {
    std::mt19937_64 random(1);
    SchemaBuilder builder;
    std::vector<double> by_ticket;
    std::size_t families = 0;
    for (std::size_t i = 0; i < kCatalogue.size() && families < kFamilies; ++i) {
      const Family& entry = kCatalogue[i];
      if (entry.type != MetricType::kGauge || entry.label_count() < 2) continue;
      ++families;
      auto& gauges = prometheus::BuildGauge()
                         .Name(std::string(entry.name))
                         .Help(std::string(entry.help))
                         .Register(registry);
      for (std::size_t s = 0; s < series / kFamilies; ++s) {
        const double value = random() % 3 == 0 ? static_cast<double>(random() % 1'000'000'000) / 1e3
                                               : static_cast<double>(random() % 100'000'000'000);
        std::vector<std::string> values;
        prometheus::Labels labels;
        for (std::size_t label = 0; label < entry.label_count(); ++label) {
          values.push_back(label == 1 ? "spark-" + std::to_string(random())
                                      : "value-" + std::to_string(s % 50));
          labels.emplace(entry.labels.at(label), values.back());
        }
        builder.add(static_cast<FamilyId>(i), std::vector<std::string_view>(values.begin(), values.end()));
        by_ticket.push_back(value);
        gauges.Add(labels).Set(value);
      }
    }
    auto [schema, ticket_of] = builder.build();
    block.schema = std::move(schema);
    for (const std::uint32_t ticket : ticket_of) block.values.push_back(by_ticket[ticket]);
  }

  Block block;
  prometheus::Registry registry;
};

Pages& pages(std::size_t series) {
  static Pages small(10'000);
  static Pages large(100'000);
  return series == 10'000 ? small : large;
}

void render_page(Pages& from, PageFormat format, std::string& out) {
  const std::array<const Block*, 1> blocks = {&from.block};
  out.clear();
  render(blocks, format, out);
  finish_page(format, out);
  benchmark::DoNotOptimize(out.data());
}

void report(benchmark::State& state, const bench::Medians& medians, std::size_t page_bytes) {
  state.counters["ns_per_series"] = medians.mine * 1e9 / static_cast<double>(state.range(0));
  state.counters["page_bytes"] = static_cast<double>(page_bytes);
}

/// "times_faster": must be >= 40.
void render_against_prometheus_cpp(benchmark::State& state) {
  Pages& from = pages(static_cast<std::size_t>(state.range(0)));
  const prometheus::TextSerializer serializer;
  std::string out;
  std::string theirs;
  const bench::Medians medians = bench::take_turns(
      state, [&] { render_page(from, PageFormat::kText004, out); },
      [&] { theirs = serializer.Serialize(from.registry.Collect()); });
  report(state, medians, out.size());
  state.counters["times_faster"] = medians.other / medians.mine;
}

/// "share_of_memcpy": must be >= 0.07.
void render_against_memcpy(benchmark::State& state, PageFormat format) {
  Pages& from = pages(static_cast<std::size_t>(state.range(0)));
  std::string out;
  render_page(from, format, out);
  std::vector<char> copy(out.size());
  const bench::Medians medians = bench::take_turns(
      state, [&] { render_page(from, format, out); },
      [&] {
        std::memcpy(copy.data(), out.data(), out.size());
        benchmark::DoNotOptimize(copy.data());
        benchmark::ClobberMemory();
      });
  report(state, medians, out.size());
  state.counters["share_of_memcpy"] = medians.other / medians.mine;
}

void render_text(benchmark::State& state) { render_against_memcpy(state, PageFormat::kText004); }
void render_openmetrics(benchmark::State& state) {
  render_against_memcpy(state, PageFormat::kOpenMetrics100);
}

BENCHMARK(render_against_prometheus_cpp)
    ->Arg(10'000)
    ->Arg(100'000)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->MinTime(0.1);  // the other side takes a hundred times as long
BENCHMARK(render_text)->Arg(10'000)->Arg(100'000)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(render_openmetrics)->Arg(10'000)->Arg(100'000)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flintgauge
