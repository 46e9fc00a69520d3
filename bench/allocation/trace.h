// What an application had to do, as the simulator replays it: jobs that arrive, their stages, the time of
// every task. From a generator with stated distributions, or from the event log of a real Spark run
// (tests/tools/eventlog_trace).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace flintgauge::allocation {

struct StageTrace {
  std::vector<std::size_t> parents;  ///< places in JobTrace::stages, all smaller than the own one
  std::vector<double> task_seconds;
};

struct JobTrace {
  double arrival_seconds = 0;  ///< since the application's start; jobs are sorted by it
  bool after_previous =
      false;  ///< arrival_seconds count from the end of the job before: a driver that waits for it
  std::vector<StageTrace> stages;
};

struct Trace {
  std::string name;
  std::vector<JobTrace> jobs;
};

/// The kinds of work that the generator makes, each with its distribution:
///   batch        1 job, 1 to 6 stages in a row; 8 to 2000 tasks a stage (log-uniform) of 0.5 to 60 s median
///                (log-uniform), log-normal with sigma 0.3 to 1
///   interactive  20 jobs, exponential gaps of 60 s in the mean, 1 to 3 stages of 4 to 200 tasks of 0.2 to 5
///   s micro        60 jobs, one every 10 s, one stage of 16 tasks of 0.5 s (log-normal, sigma 0.3) skewed as
///   batch with at most 400 tasks of at most 10 s; one task of a stage takes 10 times as long tiny         3
///   jobs 120 s apart, one stage of 2000 to 8000 tasks of 0.05 to 0.2 s
inline constexpr std::array kKinds = {"batch", "interactive", "micro", "skewed", "tiny"};

/// The same trace for the same arguments on every machine.
Trace generate(const std::string& kind, std::uint64_t seed);

/// Reads the text form: lines "job SECONDS" ("job +SECONDS": after the job before) and "stage PARENT,...
/// SECONDS,..." ("-" for no parent). Ends the program with file:line where it is broken.
Trace read_trace(const std::string& file);

}  // namespace flintgauge::allocation
