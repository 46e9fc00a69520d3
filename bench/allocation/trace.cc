#include "bench/allocation/trace.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <numbers>
#include <string_view>

namespace flintgauge::allocation {
namespace {

/// SplitMix64: the standard library's distributions differ between implementations, ours do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  double uniform() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1p-53;
  }
  double uniform(double from, double to) { return from + (to - from) * uniform(); }
  double log_uniform(double from, double to) { return from * std::pow(to / from, uniform()); }
  std::size_t count(double from, double to) {
    return static_cast<std::size_t>(std::lround(log_uniform(from, to)));
  }
  double exponential(double mean) { return -mean * std::log(1 - uniform()); }
  double log_normal(double median, double sigma) {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return median * std::exp(sigma * radius * std::cos(2 * std::numbers::pi * uniform()));
  }

 private:
  std::uint64_t state_;
};

StageTrace stage_of(Random& random, std::size_t tasks, double median, double sigma) {
  StageTrace stage;
  for (std::size_t i = 0; i < tasks; ++i) stage.task_seconds.push_back(random.log_normal(median, sigma));
  return stage;
}

JobTrace chain(Random& random, std::size_t stages, double most_tasks, double longest) {
  JobTrace job;
  const double sigma = random.uniform(0.3, 1);
  for (std::size_t i = 0; i < stages; ++i) {
    job.stages.push_back(
        stage_of(random, random.count(8, most_tasks), random.log_uniform(0.5, longest), sigma));
    if (i > 0) job.stages.back().parents.push_back(i - 1);
  }
  return job;
}

JobTrace query(Random& random, double arrival) {
  JobTrace job;
  job.arrival_seconds = arrival;
  const auto stages = static_cast<std::size_t>(random.uniform(1, 4));
  for (std::size_t i = 0; i < stages; ++i) {
    job.stages.push_back(stage_of(random, random.count(4, 200), random.log_uniform(0.2, 5), 0.5));
    if (i > 0) job.stages.back().parents.push_back(i - 1);
  }
  return job;
}

[[noreturn]] void broken(const std::string& file, std::size_t line, const char* what) {
  std::cerr << file << ":" << line << ": " << what << "\n";
  std::exit(1);
}

/// Numbers between commas; "-" is none.
std::vector<double> numbers(std::string_view text, const std::string& file, std::size_t line) {
  std::vector<double> out;
  while (!text.empty() && text != "-") {
    const std::string_view one = text.substr(0, text.find(','));
    double value = 0;
    const auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), value);
    if (error != std::errc() || end != one.data() + one.size() || !(value >= 0))
      broken(file, line, "no number");
    out.push_back(value);
    text.remove_prefix(std::min(text.size(), one.size() + 1));
  }
  return out;
}

}  // namespace

Trace generate(const std::string& kind, std::uint64_t seed) {
  Random random(seed * 1'000'003 + kind.size());
  Trace trace;
  trace.name = kind + "-" + std::to_string(seed);
  if (kind == "batch") {
    trace.jobs.push_back(chain(random, static_cast<std::size_t>(random.uniform(1, 7)), 2000, 60));
  } else if (kind == "interactive") {
    for (double at = 0; trace.jobs.size() < 20; at += random.exponential(60))
      trace.jobs.push_back(query(random, at));
  } else if (kind == "micro") {
    for (std::size_t i = 0; i < 60; ++i) {
      trace.jobs.push_back({10.0 * static_cast<double>(i), false, {stage_of(random, 16, 0.5, 0.3)}});
    }
  } else if (kind == "skewed") {
    trace.jobs.push_back(chain(random, static_cast<std::size_t>(random.uniform(1, 5)), 400, 10));
    for (StageTrace& stage : trace.jobs[0].stages) stage.task_seconds[0] *= 10;
  } else if (kind == "tiny") {
    for (std::size_t i = 0; i < 3; ++i) {
      const double median = random.log_uniform(0.05, 0.2);
      trace.jobs.push_back(
          {120.0 * static_cast<double>(i), false, {stage_of(random, random.count(2000, 8000), median, 0.3)}});
    }
  }
  return trace;
}

Trace read_trace(const std::string& file) {
  std::ifstream in(file);
  if (!in) broken(file, 0, "cannot be read");
  Trace trace;
  trace.name = file.substr(file.rfind('/') + 1);
  std::string word;
  std::size_t line = 0;
  for (std::string text; std::getline(in, text);) {
    ++line;
    if (text.empty() || text[0] == '#') continue;
    const std::size_t space = text.find(' ');
    word = text.substr(0, space);
    std::string_view rest =
        space == std::string::npos ? std::string_view() : std::string_view(text).substr(space + 1);
    if (word == "job") {
      const bool after_previous = rest.starts_with('+') && !trace.jobs.empty();
      if (rest.starts_with('+')) rest.remove_prefix(1);
      const std::vector<double> at = numbers(rest, file, line);
      if (at.size() != 1) broken(file, line, "expected: job SECONDS or job +SECONDS");
      trace.jobs.push_back({at[0], after_previous, {}});
      continue;
    }
    const std::size_t middle = rest.find(' ');
    if (word != "stage" || trace.jobs.empty() || middle == std::string_view::npos) {
      broken(file, line, "expected: stage PARENT,... SECONDS,... after a job");
    }
    StageTrace stage;
    for (const double parent : numbers(rest.substr(0, middle), file, line)) {
      if (parent >= static_cast<double>(trace.jobs.back().stages.size()))
        broken(file, line, "a parent comes first");
      stage.parents.push_back(static_cast<std::size_t>(parent));
    }
    stage.task_seconds = numbers(rest.substr(middle + 1), file, line);
    trace.jobs.back().stages.push_back(std::move(stage));
  }
  return trace;
}

}  // namespace flintgauge::allocation
