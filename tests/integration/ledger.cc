// Runs the real collectors and folds over recorded moments of a node, without sockets: reads a plan from
// standard input, writes every series of both blocks after every moment. ledger_test.py judges.
//
//   ledger SEED [--twin] < PLAN
//   PLAN: one moment a line: DIRECTORY WALL_MS [TARGET ...]; the targets named are silent at that moment.
//   Output: "tick WALL_MS", then "SERIES<TAB>VALUE" lines: of the blocks, and "list_..." what the decoded pod
//   list says of namespaces and applications that no family tells.
// --twin: every text page, and a damaged copy of it, is read by the slow decoder too and compared sample by
// sample.
// Bodies are split at random places. Exits 1 with a message when a decoder refuses a body or a sample gets
// lost.
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "flintgauge/block.h"
#include "flintgauge/collector.h"
#include "flintgauge/fold.h"
#include "flintgauge/identity.h"
#include "support/random_pages.h"
#include "support/text_twins.h"

namespace flintgauge {
namespace {

/// The file of a moment that an endpoint of this collector serves.
const std::map<std::string, std::string, std::less<>> kFiles = {
    {"cadvisor", "cadvisor.prom"},         {"kubelet_pods", "pods.json"},
    {"kubelet_resource", "resource.prom"}, {"kubelet_summary", "summary.json"},
    {"spark_driver_page", "driver.prom"},  {"spark_executors_page", "executors.prom"},
    {"spark_executors", "executors.json"}, {"spark_metrics_json", "metrics.json"}};

/// gen_node has no page for these: a collector that is neither here nor there is an error.
const std::set<std::string, std::less<>> kWithoutFile = {"spark_applications", "spark_connect",
                                                         "spark_environment",  "spark_jobs",
                                                         "spark_stages",       "spark_streaming"};

[[noreturn]] void give_up(const std::string& what) {
  std::cerr << "ledger: " << what << '\n';
  std::exit(1);
}

class Ledger {
 public:
  Ledger(std::uint64_t seed, bool with_twin, const Now& started)
      : random_(seed),
        with_twin_(with_twin),
        pages_(seed),
        kubelet_(make_kubelet_fold({}, started)),
        spark_(make_spark_fold({}, started)) {
    discovery_.kubelet_url = "https://10.0.0.1:10250";
  }

  void moment(const std::string& directory, const Now& now, const std::set<std::string>& silent) {
    for (const auto& collector : collectors_) {
      for (const Target& target : collector->targets(discovery_)) {
        const auto file = kFiles.find(target.collector);
        if (kWithoutFile.contains(target.collector)) continue;
        if (file == kFiles.end()) give_up("collector " + target.collector + ": which file does it read?");
        if (silent.contains(target.collector)) {
          miss(*collector, target, now);
          continue;
        }
        const std::string folder = target.app.app_id.empty() ? "/" : "/spark/" + target.app.app_id + "/";
        ask(*collector, target, directory + folder + file->second, now);
      }
    }
    kubelet_->expire(now);
    spark_->expire(now);
    kubelet_->fill(kubelet_block_, now);
    spark_->fill(spark_block_, now);
    std::cout << "tick " << now.wall.ms << '\n';
    print(kubelet_block_);
    print(spark_block_);
    if (discovery_.pods != nullptr) print_list(*discovery_.pods);
  }

 private:
  /// What the scraper does with a target that has failed for longer than its ttl.
  void miss(const Collector& collector, const Target& target, const Now& now) {
    const auto success = successes_.find(target.key);
    if (success == successes_.end() || elapsed_ms(success->second, now.steady) <= target.pace.ttl_ms) return;
    fold_of(collector).drop(target, now);
    successes_.erase(success);
  }

  Fold& fold_of(const Collector& collector) {
    return collector.source() == SourceKind::kKubelet ? *kubelet_ : *spark_;
  }

  void ask(const Collector& collector, const Target& target, const std::string& path, const Now& now) {
    std::ifstream file(path, std::ios::binary);
    if (!file) give_up(path + ": cannot read");
    std::ostringstream body;
    body << file.rdbuf();
    std::unique_ptr<Decoder>& decoder = decoders_[target.key];
    if (decoder == nullptr) decoder = collector.make_decoder(target);
    if (with_twin_) compare_with_twin(target, *decoder, body.str(), path);
    decoder->begin();
    feed(*decoder, body.str(), path);
    Result<Batch> batch = decoder->finish();
    if (!batch) give_up(path + ": " + batch.error().message);
    if (const auto* pods = std::get_if<std::shared_ptr<const PodList>>(&*batch)) discovery_.pods = *pods;
    const FoldCounts counts = fold_of(collector).apply(target, *batch, now);
    successes_[target.key] = now.steady;
    check_counts(target, *batch, counts, decoder->counts(), path);
  }

  void compare_with_twin(const Target& target, const Decoder& decoder, const std::string& body,
                         const std::string& path) {
    const TextPage* const page = text_page_of(decoder);
    if (page == nullptr) return;
    TextTwins& twins = twins_.try_emplace(target.key, *page).first->second;
    std::string difference = twins.scrape(body, pages_.split(100'000));
    if (!difference.empty()) give_up(path + ": the twins differ: " + difference);
    difference = twins.scrape(pages_.damage(body), pages_.split(100'000));
    if (!difference.empty()) give_up(path + ", damaged: the twins differ: " + difference);
  }

  void feed(Decoder& decoder, std::string_view rest, const std::string& path) {
    std::uniform_int_distribution<std::size_t> size(1, 100'000);
    while (!rest.empty()) {
      const std::string_view part = rest.substr(0, size(random_));
      if (const Status status = decoder.feed(part); !status) give_up(path + ": " + status.error().message);
      rest.remove_prefix(part.size());
    }
  }

  /// Nothing is dropped silently. (Of JSON the decoder counts every scalar, names and times too.)
  static void check_counts(const Target& target, const Batch& batch, const FoldCounts& fold,
                           const ScrapeCounts& scrape, const std::string& path) {
    const auto* samples = std::get_if<SampleBatch>(&batch);
    if (samples == nullptr) return;
    const std::uint64_t accounted = fold.folded + fold.unmatched + fold.host_network + fold.superseded +
                                    fold.not_live + fold.stale + fold.unchanged + fold.impossible +
                                    fold.identity_mismatch;
    if (accounted != samples->samples.size() || (target.expect == Expect::kText && scrape.kept != accounted))
      give_up(path + ": " + std::to_string(scrape.kept) + " samples kept, " + std::to_string(accounted) +
              " accounted for");
    if (fold.unmatched != 0) give_up(path + ": " + std::to_string(fold.unmatched) + " samples without a pod");
  }

  static void print_list(const PodList& list) {
    std::map<std::string, std::size_t> counts;
    for (const Pod& pod : list.pods) {
      const PodIdentity who = identify(pod);
      std::vector<std::string> groups = {"{namespace=\"" + pod.namespace_name + "\"}"};
      if (!who.app_id.empty()) groups.push_back("{app_id=\"" + std::string(who.app_id) + "\"}");
      for (const std::string& group : groups) {
        if (!who.app_id.empty())
          ++counts[(who.role == Role::kDriver ? "list_drivers" : "list_executors") + group];
        if (pod.phase != Phase::kRunning) continue;
        counts["list_containers" + group] += pod.containers.size();
        counts["list_host_network_pods" + group] += pod.host_network ? 1 : 0;
      }
    }
    for (const auto& [name, count] : counts) std::cout << name << '\t' << count << '\n';
  }

  static void print(const Block& block) {
    char text[32];
    for (std::size_t i = 0; i < block.values.size(); ++i) {
      const auto [end, error] = std::to_chars(text, text + sizeof text, block.values[i]);
      std::string_view name = block.schema->prefix(i);
      name.remove_suffix(1);
      std::cout << name << '\t' << std::string_view(text, end) << '\n';
    }
  }

  std::mt19937_64 random_;
  bool with_twin_;
  RandomPages pages_;
  std::map<std::string, TextTwins> twins_;  ///< by target
  std::vector<std::unique_ptr<Collector>> collectors_ = make_collectors();
  Discovery discovery_;
  std::map<std::string, std::unique_ptr<Decoder>> decoders_;
  std::map<std::string, SteadyTime> successes_;  ///< of targets that are not dropped
  std::unique_ptr<Fold> kubelet_, spark_;
  Block kubelet_block_, spark_block_;
};

int run(std::uint64_t seed, bool with_twin) {
  std::unique_ptr<Ledger> ledger;
  std::int64_t first_ms = 0;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string directory;
    std::int64_t wall_ms = 0;
    if (!(words >> directory >> wall_ms)) give_up("not a line of a plan: " + line);
    std::set<std::string> silent;
    for (std::string target; words >> target;) silent.insert(target);
    if (ledger == nullptr) {
      first_ms = wall_ms;
      ledger = std::make_unique<Ledger>(seed, with_twin, Now{SteadyTime{0}, WallTime{wall_ms}});
    }
    ledger->moment(directory, Now{SteadyTime{wall_ms - first_ms}, WallTime{wall_ms}}, silent);
  }
  return 0;
}

}  // namespace
}  // namespace flintgauge

int main(int argc, char** argv) {
  const bool with_twin = argc > 2 && std::string_view(argv[2]) == "--twin";
  return flintgauge::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0, with_twin);
}
