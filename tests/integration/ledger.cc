// Runs the real collectors and folds over recorded moments of a node, without sockets: reads a plan from
// standard input, writes every series of both blocks after every moment. ledger_test.py judges.
//
//   ledger SEED < PLAN
//   PLAN: one moment a line: DIRECTORY WALL_MS [TARGET ...]; the targets named are silent at that moment.
//   Output: "tick WALL_MS", then "SERIES<TAB>VALUE" lines.
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

namespace flintgauge {
namespace {

/// The file of a moment that an endpoint of this collector serves.
const std::map<std::string, std::string, std::less<>> kFiles = {
    {"cadvisor", "cadvisor.prom"},         {"kubelet_pods", "pods.json"},
    {"kubelet_resource", "resource.prom"}, {"kubelet_summary", "summary.json"},
    {"spark_driver_page", "driver.prom"},  {"spark_executors_page", "executors.prom"},
    {"spark_executors", "executors.json"}};

[[noreturn]] void give_up(const std::string& what) {
  std::cerr << "ledger: " << what << '\n';
  std::exit(1);
}

class Ledger {
 public:
  Ledger(std::uint64_t seed, const Now& started)
      : random_(seed), kubelet_(make_kubelet_fold({}, started)), spark_(make_spark_fold({}, started)) {
    discovery_.kubelet_url = "https://10.0.0.1:10250";
  }

  void moment(const std::string& directory, const Now& now, const std::set<std::string>& silent) {
    for (const auto& collector : collectors_) {
      for (const Target& target : collector->targets(discovery_)) {
        const auto file = kFiles.find(target.collector);
        if (file == kFiles.end()) continue;
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
    decoder->begin();
    feed(*decoder, body.str(), path);
    Result<Batch> batch = decoder->finish();
    if (!batch) give_up(path + ": " + batch.error().message);
    if (const auto* pods = std::get_if<std::shared_ptr<const PodList>>(&*batch)) discovery_.pods = *pods;
    const FoldCounts counts = fold_of(collector).apply(target, *batch, now);
    successes_[target.key] = now.steady;
    check_counts(target, *batch, counts, decoder->counts(), path);
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
  std::vector<std::unique_ptr<Collector>> collectors_ = make_collectors();
  Discovery discovery_;
  std::map<std::string, std::unique_ptr<Decoder>> decoders_;
  std::map<std::string, SteadyTime> successes_;  ///< of targets that are not dropped
  std::unique_ptr<Fold> kubelet_, spark_;
  Block kubelet_block_, spark_block_;
};

int run(std::uint64_t seed) {
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
      ledger = std::make_unique<Ledger>(seed, Now{SteadyTime{0}, WallTime{wall_ms}});
    }
    ledger->moment(directory, Now{SteadyTime{wall_ms - first_ms}, WallTime{wall_ms}}, silent);
  }
  return 0;
}

}  // namespace
}  // namespace flintgauge

int main(int argc, char** argv) {
  return flintgauge::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0);
}
