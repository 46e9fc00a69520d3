// A source: one thread that asks its targets, folds what they say, and publishes its shard of the store.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/io/http_client.h"
#include "agent/io/push_queue.h"
#include "agent/io/self_metrics.h"
#include "agent/io/target_run.h"
#include "agent/io/target_set.h"
#include "agent/io/token_file.h"
#include "flintgauge/collector.h"
#include "flintgauge/fold.h"
#include "flintgauge/store.h"

namespace flintgauge {

struct SourceSettings {
  SourceKind kind = SourceKind::kKubelet;
  Discovery discovery;  ///< but for SourceKind::kKubelet, pods are taken from the kubelet's shard
  RequestPolicy requests;
  std::size_t body_limit = 0;  ///< bytes, for every target
  std::size_t max_targets_per_namespace = TargetSet::kMaxTargetsOfNamespace;
  std::string token_file;           ///< "" = no token
  std::string node_name;            ///< sets the phase of the rounds
  PushQueue* pushes = nullptr;      ///< what was pushed for this source's fold; outlives the source
  std::int64_t start_delay_ms = 0;  ///< before a new target is asked for the first time
};

class Source {
 public:
  using Collectors = std::vector<std::unique_ptr<Collector>>;

  /// Everything passed by reference outlives the source. `published` is called from the source's thread after
  /// each publication; it must not block.
  Source(SourceSettings settings, const Collectors& collectors, std::unique_ptr<Fold> fold, Store& store,
         SelfMetrics& metrics, std::function<void()> published);
  ~Source();  ///< stop()
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// Makes the thread. May throw std::system_error.
  void start();
  /// Ends requests under way and joins the thread. At once, whatever the servers do.
  void stop();
  /// Something that discovery looks at may have changed. Any thread.
  void wake() noexcept { client_.wake(); }

  /// Version of the first block that shows every target asked once; 0 = not yet. Any thread.
  std::uint64_t first_round() const noexcept { return first_round_; }

 private:
  void run(const std::stop_token& stop) noexcept;
  void turn();
  /// True when the targets may be others than before.
  bool discover(const Now& now);
  std::vector<TargetSet::Wanted> find_targets() const;
  void note_refused();
  std::unique_ptr<TargetRun> make_run(TargetSet::Wanted wanted, const Now& now);
  void start_due(const Now& now);
  void ask(TargetRun& run, const Now& now);
  void ended(TargetRun& run, const Now& now);
  void report(const TargetRun& run, TargetRun::Change change) const;
  void ask_pods_soon(const Now& now);
  void fold_pushes(const Now& now);
  void drop_outdated(const Now& now);
  void publish_if_due(const Now& now);
  /// When what is unpublished goes out, as things stand.
  SteadyTime publish_at() const;
  void publish(const Now& now);
  void touch(const Now& now);
  int wait_ms(const Now& now) const;
  const std::string& authorization(const Target& target, const Now& now);

  SourceSettings settings_;
  const Collectors& collectors_;
  std::unique_ptr<Fold> fold_;
  Store& store_;
  SelfMetrics& metrics_;
  std::function<void()> published_;
  TokenFile token_;
  std::string authorization_;
  std::uint64_t authorization_version_ = 0;
  std::uint64_t token_reads_ = 0;
  HttpClient client_;  // before targets_: their requests are among its
  TargetSet targets_;
  std::size_t in_flight_ = 0;
  bool has_discovered_ = false;
  std::vector<Refusal> refused_;  // as the collectors gave them last, sorted
  std::optional<SteadyTime> unpublished_since_;
  SteadyTime published_at_;
  static constexpr SteadyTime kNever{std::numeric_limits<std::int64_t>::max()};
  SteadyTime look_for_outdated_ = kNever;
  std::atomic<std::uint64_t> first_round_{0};
  std::jthread thread_;
};

}  // namespace flintgauge
