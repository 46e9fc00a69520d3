// Runs collectors and folds over captured bodies as the agent would, and prints what they make of them as
// JSON.
//
//   capture_dump COLLECTOR[:NAMESPACE/APP_ID]=FILE... [--now MS]
//
// Files are read in the order given, gzipped or not. --now (Unix ms) holds for the files after it. COLLECTOR
// may have "/N" behind it (spark_stages/1): the Nth target of that collector. The agent is taken to have
// started before everything, so that counters count from zero.
//
// Prints {"files": {NAME: counts}, "folds": {SOURCE: counts}, "labels": {...}, "series": {...}}; "labels" has
// the sums of container rows by namespace label and measure, before any join with pods.
#include <zlib.h>

#include <array>
#include <charconv>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "flintgauge/collector.h"
#include "flintgauge/fold.h"

namespace flintgauge {
namespace {

constexpr std::int64_t kYear1971Ms = 31'536'000'000;

std::string read_file(const std::string& path) {
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> in(gzopen(path.c_str(), "rb"), &gzclose);
  if (!in) throw std::runtime_error("cannot read " + path);
  std::string bytes;
  std::array<char, 65536> block{};
  int size = 0;
  while ((size = gzread(in.get(), block.data(), block.size())) > 0)
    bytes.append(block.data(), static_cast<std::size_t>(size));
  return bytes;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + "\"";
}

std::string number(double value) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

using Object = std::map<std::string, std::string>;  // values are JSON

std::string text_of(const Object& object) {
  std::string out = "{";
  for (const auto& [name, value] : object)
    out.append(out.size() > 1 ? ",\n" : "\n").append(quoted(name)).append(": ").append(value);
  return out + "}";
}

Object as_object(const ScrapeCounts& c) {
  Object out;
  const auto put = [&](const char* name, std::uint64_t value) { out[name] = std::to_string(value); };
  put("bytes", c.bytes);
  put("kept", c.kept);
  put("skipped", c.skipped);
  put("bad", c.bad);
  put("duplicate", c.duplicate);
  put("not_finite", c.not_finite);
  return out;
}

Object as_object(const FoldCounts& c) {
  Object out;
  const auto put = [&](const char* name, std::uint64_t value) { out[name] = std::to_string(value); };
  put("folded", c.folded);
  put("unmatched", c.unmatched);
  put("host_network", c.host_network);
  put("superseded", c.superseded);
  put("not_live", c.not_live);
  put("stale", c.stale);
  put("unchanged", c.unchanged);
  put("impossible", c.impossible);
  put("identity_mismatch", c.identity_mismatch);
  return out;
}

class Dump {
 public:
  Dump()
      : collectors_(make_collectors()),
        kubelet_(make_kubelet_fold({}, {SteadyTime{0}, WallTime{kYear1971Ms}})),
        spark_(make_spark_fold({}, {SteadyTime{0}, WallTime{kYear1971Ms}})) {
    discovery_.kubelet_url = "https://kubelet";
  }

  void set_now(std::int64_t wall_ms) { now_ = {SteadyTime{wall_ms}, WallTime{wall_ms}}; }

  void read(const std::string& what, const std::string& path) {
    Source& source = source_of(what);
    source.decoder->begin();
    if (Status status = source.decoder->feed(read_file(path)); !status)
      throw std::runtime_error(path + ": " + status.error().message);
    const Result<Batch> batch = source.decoder->finish();
    if (!batch) throw std::runtime_error(path + ": " + batch.error().message);
    if (const auto* pods = std::get_if<std::shared_ptr<const PodList>>(&*batch)) discovery_.pods = *pods;
    const bool is_spark = source.collector->source() == SourceKind::kSpark;
    Object counts = as_object(source.decoder->counts());
    if (const auto* samples = std::get_if<SampleBatch>(&*batch)) {
      counts["samples"] = std::to_string(samples->samples.size());
      add_labels(source, *samples);
    }
    counts["fold"] = text_of(as_object((is_spark ? spark_ : kubelet_)->apply(source.target, *batch, now_)));
    files_[what + "=" + path.substr(path.rfind('/') + 1)] = text_of(counts);
  }

  void print() {
    Object series;
    for (Fold* fold : {kubelet_.get(), spark_.get()}) {
      Block block;
      fold->fill(block, now_);
      for (std::size_t i = 0; i < block.schema->size(); ++i) {
        const std::string_view prefix = block.schema->prefix(i);
        series[std::string(prefix.substr(0, prefix.size() - 1))] = number(block.values[i]);
      }
    }
    Object labels;
    for (const auto& [name, value] : labels_) labels[name] = number(value);
    std::cout << text_of(
                     {{"files", text_of(files_)}, {"labels", text_of(labels)}, {"series", text_of(series)}})
              << "\n";
  }

 private:
  struct Source {
    const Collector* collector = nullptr;
    Target target;
    std::unique_ptr<Decoder> decoder;
    std::map<SeriesIndex, Route> routes;  // later batches need not have them again
  };

  /// "spark_stages/1:team-a/spark-1": the second target of the collector for that application.
  Source& source_of(const std::string& what) {
    Source& source = sources_[what];
    if (source.decoder) return source;
    const std::string app = what.find(':') == std::string::npos ? "" : what.substr(what.find(':') + 1);
    std::string name = what.substr(0, what.find(':'));
    std::size_t wanted = 0;
    if (const std::size_t slash = name.find('/'); slash != std::string::npos) {
      wanted = static_cast<std::size_t>(name[slash + 1] - '0');
      name.erase(slash);
    }
    for (const auto& collector : collectors_) {
      if (collector->name() != name) continue;
      std::size_t place = 0;
      for (const Target& target : collector->targets(discovery_)) {
        if (!app.empty() && target.app.namespace_name + "/" + target.app.app_id != app) continue;
        if (place++ != wanted) continue;
        source.collector = collector.get();
        source.target = target;
        source.decoder = collector->make_decoder(target);
        return source;
      }
    }
    throw std::runtime_error("no target for " + what);
  }

  /// Sums by the labels alone: "NAMESPACE MEASURE", container rows only.
  void add_labels(Source& source, const SampleBatch& batch) {
    for (const SeriesIndex series : batch.created) source.routes[series] = batch.routes[series];
    for (const Sample& sample : batch.samples) {
      const Route& route = source.routes.at(sample.series);
      if (route.scope != Scope::kContainer || route.namespace_name.empty()) continue;
      labels_[route.namespace_name + " " + std::to_string(static_cast<int>(route.measure))] += sample.value;
    }
  }

  std::vector<std::unique_ptr<Collector>> collectors_;
  std::unique_ptr<Fold> kubelet_;
  std::unique_ptr<Fold> spark_;
  Discovery discovery_;
  Now now_{SteadyTime{kYear1971Ms}, WallTime{kYear1971Ms}};
  std::map<std::string, Source> sources_;
  Object files_;
  std::map<std::string, double> labels_;
};

}  // namespace
}  // namespace flintgauge

int main(int argc, char** argv) {
  try {
    flintgauge::Dump dump;
    for (int i = 1; i < argc; ++i) {
      const std::string argument = argv[i];
      const std::size_t equals = argument.find('=');
      if (argument == "--now" && i + 1 < argc) {
        dump.set_now(std::stoll(argv[++i]));
      } else if (equals != std::string::npos) {
        dump.read(argument.substr(0, equals), argument.substr(equals + 1));
      } else {
        throw std::runtime_error("not understood: " + argument);
      }
    }
    dump.print();
  } catch (const std::exception& error) {
    std::cerr << "capture_dump: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
