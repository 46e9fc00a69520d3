// The program without its web server: store, sources and evaluator, wired from a configuration.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/io/evaluator_thread.h"
#include "agent/io/history_file.h"
#include "agent/io/push_listener.h"
#include "agent/io/push_queue.h"
#include "agent/io/self_metrics.h"
#include "agent/io/source.h"
#include "flintgauge/config.h"
#include "flintgauge/error.h"
#include "flintgauge/store.h"

namespace flintgauge {

/// When the kubelet is asked for the first time: at once, or a little later, another time on each node.
enum class FirstRound : std::uint8_t { kAtOnce, kSpread };

class Agent {
 public:
  /// Wires everything; starts nothing. `config` is validated and has no $VAR left. kConfig when a value can
  /// only now be seen to be wrong, kInternal when libcurl cannot be initialised.
  static Result<std::unique_ptr<Agent>> make(const Config& config, const BuildInfo& build,
                                             FirstRound first_round = FirstRound::kAtOnce);
  ~Agent();  ///< stop()
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Makes all threads. kInternal when the system gives none.
  Status start();
  /// Ends all threads, the last made first. Takes well under a second, whatever the servers do.
  void stop();

  /// The kubelet's endpoints have been asked once, and a page shows how they fared. Any thread.
  bool is_ready() const noexcept { return is_ready_; }
  /// Any thread.
  Store& store() noexcept { return store_; }
  SelfMetrics& metrics() noexcept { return metrics_; }

  /// Instead of start(): asks everything once, evaluates, and gives the text page back with the agent's own
  /// counters. Targets that are slower than a minute are left out.
  Result<std::string> run_once();

 private:
  Agent(const Config& config, Source::Collectors collectors, const BuildInfo& build, FirstRound first_round);
  Status listen_for_pushes(const PushConfig& config);
  void on_kubelet_published();
  void on_pods_source_published();
  void on_evaluated(const View& sources, const Report& report);
  bool has_pods();
  void notify();
  /// False at the deadline.
  bool wait_for(std::chrono::milliseconds limit, const std::function<bool()>& condition);

  std::vector<std::unique_ptr<Collector>> collectors_;
  Store store_;
  SelfMetrics metrics_;
  HistoryFile history_;
  std::string node_name_;
  bool keeps_history_ = false;  // from start() to stop(): what was never loaded must not be overwritten
  EvaluatorThread evaluator_;
  PushQueue push_queue_;
  std::unique_ptr<Source> spark_;       // null when it is disabled
  std::unique_ptr<PushListener> push_;  // null when nothing listens
  std::unique_ptr<Source> companions_;  // null when it is disabled
  std::unique_ptr<Source> kubelet_;
  std::atomic<bool> is_ready_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace flintgauge
