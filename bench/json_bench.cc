// How fast the kubelet's JSON is read, against the floor of the same process: memchr for the quotes of the
// same bytes (performance.md section 6). The payload is that of a modelled node of 110 pods (gen_node).
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "bench/floor.h"
#include "flintgauge/collector.h"
#include "support/allocations.h"

namespace flintgauge {
std::unique_ptr<Collector> make_kubelet_pods();
std::unique_ptr<Collector> make_kubelet_summary();
namespace {

constexpr std::size_t kBlock = 512UL * 1024;  // what libcurl hands over at most
constexpr int kWarmUp = 8;

std::string read_body(const std::string& name) {
  const std::string path = std::string(FLINTGAUGE_BENCH_NODE) + "/tick-000000/" + name;
  std::ifstream in(path, std::ios::binary);
  std::string body{std::istreambuf_iterator<char>(in), {}};
  if (body.empty()) {
    std::fprintf(stderr, "json_bench: %s is missing: build the target bench_node\n", path.c_str());
    std::exit(1);
  }
  return body;
}

std::size_t count_quotes(std::string_view body) {
  std::size_t quotes = 0;
  for (const char* p = body.data(); p != nullptr; ++quotes) {
    const auto left = static_cast<std::size_t>(body.data() + body.size() - p);
    p = static_cast<const char*>(std::memchr(p, '"', left));
    if (p != nullptr) ++p;
  }
  return quotes;
}

void decode(Decoder& decoder, std::string_view body) {
  decoder.begin();
  for (std::size_t at = 0; at < body.size(); at += kBlock) {
    if (!decoder.feed(body.substr(at, kBlock))) std::abort();
  }
  if (!decoder.finish()) std::abort();
}

void run(benchmark::State& state, const Collector& collector, const std::string& body) {
  Target target;
  target.body_limit = body.size();
  const auto decoder = collector.make_decoder(target);
  for (int i = 0; i < kWarmUp; ++i) decode(*decoder, body);
  const std::uint64_t before = testing::allocations();
  decode(*decoder, body);
  state.counters["allocations"] = static_cast<double>(testing::allocations() - before);
  state.counters["kept"] = static_cast<double>(decoder->counts().kept);
  bench::run_in_turns(
      state, body.size(), [&] { decode(*decoder, body); },
      [&] { benchmark::DoNotOptimize(count_quotes(body)); });
}

void pods(benchmark::State& state) { run(state, *make_kubelet_pods(), read_body("pods.json")); }
void summary(benchmark::State& state) { run(state, *make_kubelet_summary(), read_body("summary.json")); }

BENCHMARK(pods)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(101);
BENCHMARK(summary)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(101);

}  // namespace
}  // namespace flintgauge
