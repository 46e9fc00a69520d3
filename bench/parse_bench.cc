// How fast a kubelet's /metrics/cadvisor is read, against the floor of the same process: one memchr per line
// over the same bytes (performance.md section 5, rows 10 to 14 of section 12). Each counter ratio_to_floor is
// the floor's median pass over this benchmark's median pass, the two taking turns; 1 = as fast as looking for
// the newlines.
//
// The payload is two moments of a modelled node of 110 pods, 15 s apart, every value changed (gen_node);
// passes alternate between them, because one unchanging body flatters the branch predictor.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/floor.h"
#include "collectors/common/text_decoder.h"
#include "collectors/common/text_labels.h"
#include "collectors/common/text_value.h"
#include "flintgauge/collector.h"
#include "support/allocations.h"

namespace flintgauge {
std::unique_ptr<Collector> make_cadvisor();
namespace {

using bench::median;
using bench::seconds_of;

constexpr std::size_t kBlock = 512UL * 1024;  // what libcurl hands over at most
constexpr std::size_t kWarmUp = 8;

std::string read_page(const std::string& moment) {
  const std::string path = std::string(FLINTGAUGE_BENCH_NODE) + "/" + moment + "/cadvisor.prom";
  std::ifstream in(path, std::ios::binary);
  std::string page{std::istreambuf_iterator<char>(in), {}};
  if (page.empty()) {
    std::fprintf(stderr, "parse_bench: %s is missing: build the target bench_node\n", path.c_str());
    std::exit(1);
  }
  return page;
}

const std::vector<std::string>& pages() {
  static const std::vector<std::string> all = {read_page("tick-000000"), read_page("tick-000001")};
  return all;
}

std::size_t count_lines(std::string_view page) {
  std::size_t lines = 0;
  for (const char* p = page.data(); p != page.data() + page.size(); ++lines) {
    const auto left = static_cast<std::size_t>(page.data() + page.size() - p);
    p = static_cast<const char*>(std::memchr(p, '\n', left)) + 1;
  }
  return lines;
}

void decode(Decoder& decoder, std::string_view page) {
  decoder.begin();
  for (std::size_t at = 0; at < page.size(); at += kBlock) {
    if (!decoder.feed(page.substr(at, kBlock))) std::abort();
  }
  if (!decoder.finish()) std::abort();
}

std::unique_ptr<Decoder> decoder_of_keep_list() { return make_cadvisor()->make_decoder(Target{}); }

/// Every line is wanted, and its route costs nothing: the decoder alone.
std::unique_ptr<Decoder> decoder_of_everything() {
  TextPage page;
  page.measure = [](std::string_view) { return std::optional(Measure::kCpuUsageSeconds); };
  page.route = [](Measure, std::span<const Label>) { return std::optional(Route{}); };
  return make_text_decoder(std::move(page));
}

/// `pass` is timed, and so is the floor, in turns; `prepare` is not.
void run(
    benchmark::State& state, const std::vector<std::string>& bodies,
    const std::function<void(std::size_t)>& pass, const std::function<void()>& prepare = [] {}) {
  std::vector<double> times;
  std::vector<double> floors;
  std::size_t i = 0;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    const std::string& body = bodies[i % bodies.size()];
    prepare();
    times.push_back(seconds_of([&] { pass(i); }));
    floors.push_back(seconds_of([&] { benchmark::DoNotOptimize(count_lines(body)); }));
    state.SetIterationTime(times.back());
    bytes += static_cast<std::int64_t>(body.size());
    ++i;
  }
  state.SetBytesProcessed(bytes);
  state.counters["median_ms"] = median(times) * 1e3;
  state.counters["floor_ms"] = median(floors) * 1e3;
  state.counters["ratio_to_floor"] = median(floors) / median(times);
}

void count(benchmark::State& state, const Decoder& decoder) {
  state.counters["kept"] = static_cast<double>(decoder.counts().kept);
  state.counters["slow_lines"] = static_cast<double>(decoder.counts().slow_lines);
}

void run_warm(benchmark::State& state, const std::vector<std::string>& bodies, Decoder& decoder) {
  for (std::size_t i = 0; i < kWarmUp; ++i) decode(decoder, bodies[i % bodies.size()]);
  const std::uint64_t before = testing::allocations();
  decode(decoder, bodies[0]);
  state.counters["allocations"] = static_cast<double>(testing::allocations() - before);
  run(state, bodies, [&](std::size_t i) { decode(decoder, bodies[(i + 1) % bodies.size()]); });
  count(state, decoder);
}

void floor_memchr(benchmark::State& state) {
  run(state, pages(), [](std::size_t i) { benchmark::DoNotOptimize(count_lines(pages()[i % 2])); });
}

/// Name, labels, value and time stamp of every line, nothing kept: what a parser without memory pays every
/// time.
void parse_lines(benchmark::State& state) {
  LabelReader labels(LabelSyntax::kEscaped, kKubeletTextLimits);
  run(state, pages(), [&](std::size_t i) {
    const std::string& page = pages()[i % 2];
    const char* const end = page.data() + page.size();
    double sum = 0;
    for (const char* p = page.data(); p != end;) {
      const auto* const newline =
          static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
      if (*p != '#') {
        Value value;
        const char* const text_end = labels.read(scan_metric_name(p, newline), newline);
        if (text_end == nullptr || read_value(text_end, value) == nullptr) std::abort();
        sum += value.number + static_cast<double>(labels.labels().size());
      }
      p = newline + 1;
    }
    benchmark::DoNotOptimize(sum);
  });
}

/// The first scrape of a target.
void run_cold(benchmark::State& state, std::unique_ptr<Decoder> (*make)()) {
  std::unique_ptr<Decoder> decoder;
  run(
      state, pages(), [&](std::size_t i) { decode(*decoder, pages()[i % 2]); }, [&] { decoder = make(); });
  count(state, *decoder);
}

void cold_everything(benchmark::State& state) { run_cold(state, decoder_of_everything); }
void cold_keep_list(benchmark::State& state) { run_cold(state, decoder_of_keep_list); }
void warm_everything(benchmark::State& state) { run_warm(state, pages(), *decoder_of_everything()); }
void warm_keep_list(benchmark::State& state) { run_warm(state, pages(), *decoder_of_keep_list()); }

std::string_view value_of(std::string_view line, std::string_view label) {
  const std::size_t at = line.find(std::string(label) + "=\"");
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + label.size() + 2;
  return line.substr(begin, line.find('"', begin) - begin);
}

/// The page with the lines of each metric sorted, as client_golang does it, after `change` has had each line.
std::string rewrite(std::string_view page, const std::function<void(std::string&)>& change) {
  std::string out;
  std::vector<std::string> lines;
  const auto flush = [&] {
    std::sort(lines.begin(), lines.end());
    for (const std::string& line : lines) out.append(line).append("\n");
    lines.clear();
  };
  while (!page.empty()) {
    std::string line(page.substr(0, page.find('\n')));
    page.remove_prefix(line.size() + 1);
    if (line.starts_with('#')) flush();
    change(line);
    lines.push_back(std::move(line));
    if (lines.back().starts_with('#')) flush();
  }
  flush();
  return out;
}

/// Two pages in turn, as many as the warm parse has, so that both rows find the same in the processor's
/// cache. They differ by 1 of 110 pods: a new name, a new UID, a new container id, so that its lines stand at
/// other places. What is gone is forgotten at once, so each page brings the pod's lines as new ones.
std::vector<std::string> pages_with_churn() {
  std::vector<std::string> pods;
  rewrite(pages()[0], [&](std::string& line) {
    const std::string pod(value_of(line, "pod"));
    if (!pod.empty() && std::find(pods.begin(), pods.end(), pod) == pods.end()) pods.push_back(pod);
  });
  const auto moment = [&](std::size_t replaced) {
    return rewrite(pages()[replaced % 2], [&](std::string& line) {
      const auto at = std::find(pods.begin(), pods.end(), value_of(line, "pod"));
      if (at == pods.end() || static_cast<std::size_t>(at - pods.begin()) >= replaced) return;
      const std::size_t id = line.find("pod", line.find("id=\"")) + 3;  // the UID in the cgroup's path
      for (std::size_t i = id; i < id + 8 && i < line.size(); ++i) line[i] = line[i] == '0' ? '1' : '0';
      line.replace(line.find(",pod=\"") + 6, 1, "x");
    });
  };
  return {moment(0), moment(1)};
}

void warm_keep_list_churn(benchmark::State& state) {
  static const std::vector<std::string> bodies = pages_with_churn();
  run_warm(state, bodies, *decoder_of_keep_list());
}

BENCHMARK(floor_memchr)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(parse_lines)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(cold_everything)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(cold_keep_list)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(warm_everything)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(warm_keep_list)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(warm_keep_list_churn)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flintgauge
