// Replays jobs under Spark's dynamic allocation, our hint with an HPA, and a fixed size, and prints what each
// cost.
//   allocation [--seeds N] [--startup SECONDS] [--min EXECUTORS] [--initial EXECUTORS] [--max EXECUTORS]
//              [--slots N] [--idle SECONDS] [--batch PODS] [--quota EXECUTORS] [--csv | --timeline]
//              [TRACE...]
// Without TRACE: N (20) traces of each kind of the generator. --timeline: only dynamic allocation, its
// executors over time and the mean job time (against_spark reads that). With --quota dynamic allocation is
// compared as if spark.executor.maxNumFailures had no limit, and counted is where Spark's own limit would
// have ended the application. See README.md beside this file.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "bench/allocation/policies.h"

namespace flintgauge::allocation {
namespace {

struct Arguments {
  std::size_t seeds = 20;
  Settings settings;
  bool csv = false, timeline = false;
  std::vector<std::string> files;
};

struct Result {
  std::string name, kind;
  Outcome spark, hint, fixed;
  bool ended = false;  ///< dynamic allocation, with Spark's limit of failures
};

/// One policy against another. Equal is within 2 %: a tenth of the HPA's tolerance would be less.
enum class Verdict : unsigned char { kBetter, kSlower, kCostlier, kWorse };
constexpr double kEqual = 1.02;

Verdict verdict(const Outcome& one, const Outcome& other) {
  const bool as_fast = one.mean_job_seconds <= other.mean_job_seconds * kEqual;
  const bool cheaper = one.executor_seconds < other.executor_seconds;
  if (as_fast) return cheaper ? Verdict::kBetter : Verdict::kCostlier;
  return cheaper ? Verdict::kSlower : Verdict::kWorse;
}

struct Option {
  const char* name;
  double Settings::*to;
};
constexpr auto kOptions = std::to_array<Option>({{"--startup", &Settings::startup_seconds},
                                                 {"--min", &Settings::min_executors},
                                                 {"--initial", &Settings::initial_executors},
                                                 {"--max", &Settings::max_executors},
                                                 {"--slots", &Settings::slots},
                                                 {"--idle", &Settings::idle_timeout_seconds},
                                                 {"--batch", &Settings::pod_batch},
                                                 {"--quota", &Settings::quota_executors}});

[[noreturn]] void usage() {
  std::cerr
      << "usage: allocation [--seeds N] [--startup SECONDS] [--min N] [--initial N] [--max N] [--slots N]\n"
         "                  [--idle SECONDS] [--batch PODS] [--quota N] [--csv | --timeline] [TRACE...]\n";
  std::exit(2);
}

Arguments parse(std::span<char*> words) {
  Arguments out;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string word = words[i];
    const auto value = [&] { return i + 1 < words.size() ? std::atof(words[++i]) : 0; };
    const auto* const option =
        std::find_if(kOptions.begin(), kOptions.end(), [&](const Option& one) { return word == one.name; });
    if (option != kOptions.end()) {
      out.settings.*option->to = value();
    } else if (word == "--seeds") {
      out.seeds = static_cast<std::size_t>(value());
    } else if (word == "--csv") {
      out.csv = true;
    } else if (word == "--timeline") {
      out.timeline = true;
    } else if (word.starts_with("-")) {
      usage();
    } else {
      out.files.push_back(word);
    }
  }
  return out;
}

/// "TIME EXECUTORS" at each change, then "end TIME JOB_SECONDS".
void print_timeline(const Trace& trace, const Settings& settings) {
  SparkDynamicAllocation policy;
  const Outcome out = simulate(trace, policy, settings);
  std::cout << std::fixed << std::setprecision(1);
  for (const auto& [at, executors] : out.registered) std::cout << at << ' ' << executors << '\n';
  std::cout << "end " << out.completion_seconds << ' ' << out.mean_job_seconds << '\n';
}

/// The fixed size is what a careful user would ask for: the work of the trace spread over ten minutes, no
/// more than the quota has.
double fixed_size(const Trace& trace, const Settings& settings) {
  double work = 0;
  for (const JobTrace& job : trace.jobs) {
    for (const StageTrace& stage : job.stages) {
      for (const double seconds : stage.task_seconds) work += seconds;
    }
  }
  constexpr double kTenMinutes = 600;
  const double most = std::min(settings.max_executors, settings.quota_executors);
  return std::clamp(std::ceil(work / (kTenMinutes * settings.slots)), 1.0, most);
}

Result play(const Trace& trace, const std::string& kind, const Settings& settings) {
  SparkDynamicAllocation spark, limited;
  HintAndAutoscaler hint;
  FixedSize fixed(fixed_size(trace, settings));
  Settings by_default = settings;
  by_default.max_failures = default_max_failures(settings);
  const bool may_end = settings.quota_executors < kNoLimit;
  return {trace.name,
          kind,
          simulate(trace, spark, settings),
          simulate(trace, hint, settings),
          simulate(trace, fixed, settings),
          may_end && simulate(trace, limited, by_default).ended};
}

void print_row(const Result& r, bool csv) {
  const auto cell = [csv](double value, int width, int digits = 0) {
    std::cout << (csv ? "," : " ") << std::setprecision(digits) << std::setw(csv ? 0 : width) << value;
  };
  std::cout << std::left << std::setw(csv ? 0 : 16) << r.name << std::right << std::fixed;
  for (const Outcome* one : {&r.spark, &r.hint, &r.fixed}) {
    cell(one->executor_seconds, 9);
    cell(one->mean_job_seconds, 7, 1);
    cell(one->most_pods, 5);
  }
  cell(r.hint.lost_tasks, 6);
  cell(r.spark.refused_pods, 8);
  cell(r.ended ? 1 : 0, 6);
  if (csv) cell(r.spark.registered_seconds, 0);  // what a driver's log can tell
  std::cout << "\n";
}

/// A policy compared with another.
struct Versus {
  const char* title;
  Outcome Result::*one;
  Outcome Result::*other;
};
constexpr auto kComparisons =
    std::to_array<Versus>({{"hint and HPA against dynamic allocation", &Result::hint, &Result::spark},
                           {"hint and HPA against the fixed size", &Result::hint, &Result::fixed},
                           {"the fixed size against dynamic allocation", &Result::fixed, &Result::spark}});

void print_summary(const std::vector<Result>& results, const Versus& versus, const std::string& kind) {
  std::array<std::size_t, 4> count{};
  std::vector<double> cost, time;
  std::size_t ended = 0;
  for (const Result& r : results) {
    if (kind != "all" && r.kind != kind) continue;
    const Outcome &one = r.*versus.one, &other = r.*versus.other;
    ++count[static_cast<std::size_t>(verdict(one, other))];
    cost.push_back(one.executor_seconds / other.executor_seconds);
    time.push_back(one.mean_job_seconds / other.mean_job_seconds);
    ended += r.ended ? 1 : 0;
  }
  if (cost.empty()) return;
  const auto median = [](std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                     values.end());
    return values[values.size() / 2];
  };
  std::cout << std::left << std::setw(14) << kind << std::right << std::setw(6) << cost.size() << std::setw(8)
            << count[0] << std::setw(8) << count[1] << std::setw(10) << count[2] << std::setw(7) << count[3]
            << std::fixed << std::setprecision(2) << std::setw(12) << median(cost) << std::setw(12)
            << median(time) << std::setw(8) << ended << "\n";
}

int main_of(std::span<char*> words) {
  const Arguments arguments = parse(words);
  if (arguments.timeline) {
    for (const std::string& file : arguments.files) print_timeline(read_trace(file), arguments.settings);
    return 0;
  }
  std::vector<Result> results;
  std::vector<std::string> kinds;
  for (const std::string& file : arguments.files)
    results.push_back(play(read_trace(file), "real", arguments.settings));
  if (arguments.files.empty()) {
    for (const char* kind : kKinds) {
      kinds.emplace_back(kind);
      for (std::size_t seed = 1; seed <= arguments.seeds; ++seed) {
        results.push_back(play(generate(kind, seed), kind, arguments.settings));
      }
    }
  }
  if (!arguments.csv) {
    std::cout << "                     dynamic allocation        hint and HPA               fixed           "
                 "tasks  refused\n"
                 "trace              exec-s  job-s  most    exec-s  job-s  most    exec-s  job-s  most   "
                 "lost     pods ended\n";
  }
  for (const Result& result : results) print_row(result, arguments.csv);
  if (arguments.csv) return 0;
  kinds.emplace_back("all");
  for (const Versus& versus : kComparisons) {
    std::cout << "\n"
              << versus.title
              << ": as fast means within 2 % of the mean job time, ratios are medians\n"
                 "kind          traces  better  slower  costlier  worse  cost ratio  time ratio   ended\n";
    for (const std::string& kind : kinds) print_summary(results, versus, kind);
  }
  return 0;
}

}  // namespace
}  // namespace flintgauge::allocation

int main(int argc, char** argv) {
  return flintgauge::allocation::main_of({argv, static_cast<std::size_t>(argc)});
}
