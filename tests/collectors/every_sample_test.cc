// Every sample of every captured body of Spark is used, skipped by a rule, or unknown: a second list of names
// (tests/fixtures/spark-names.txt) says which, and its sums must be those of the collector. Unknown names are
// printed, and are less than one in a hundred of a page.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "collectors/common/spark_registry.h"
#include "flintgauge/collector.h"
#include "flintgauge/push.h"
#include "support/captures.h"
#include "support/json_bodies.h"
#include "support/spark_names.h"

namespace flintgauge {
namespace {

using reference::Account;
using reference::account_of;
using reference::registry_spellings;
using reference::Spelling;
using reference::Spellings;

/// The file's name without folders.
std::string base_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Captured beside the others and read by no collector, each for a reason.
bool is_not_asked(const std::string& name) {
  static const std::vector<std::string> kParts = {
      "truth.json",            // ours
      "rest_version",          // /api/v1/version: the application list has it
      "streaming_statistics",  // the text of a 404
      "rest_application_",     // one application, not the list
      "cadvisor",
      "pods.",
      "resource.",
      "summary.",              // of the kubelet: tests/collectors/kubelet_*
      "master_applications_",  // the master's /json/ says the same under ids instead of names
  };
  return std::ranges::any_of(kParts, [&name](const std::string& part) { return holds(name, part); });
}

struct Reading {
  std::string collector;
  std::string executor_id;  ///< of a JMX page
  std::string app_id;       ///< of a list of applications
  std::vector<std::string> names;
  Spellings spellings;
};

std::vector<std::string> json_names(const std::string& body) {
  std::vector<std::string> names;
  const auto tree = reference::parse_json(body);
  EXPECT_TRUE(tree);
  if (tree) reference::add_json_names(*tree, "", names);
  return names;
}

std::vector<std::string> text_names(const std::string& body) {
  std::vector<std::string> names;
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != '#') names.push_back(line.substr(0, line.find_first_of("{ ")));
  }
  return names;
}

Reading json_reading(const std::string& name, const std::string& body) {
  Reading reading;
  reading.names = json_names(body);
  const std::vector<std::pair<std::string, std::string>> lists = {
      {"connect_", "connect"},   {"environment", "environment"}, {"applications", "applications"},
      {"master_json", "master"}, {"master_metrics", "cluster"},  {"worker_metrics", "cluster"},
      {"stages", "stages"},      {"executors", "executors"},     {"jobs", "jobs"}};
  for (const auto& [part, surface] : lists) {
    if (!holds(name, part)) continue;
    reading.collector = surface == "cluster" ? "spark_cluster_json" : "spark_" + surface;
    reading.spellings = reference::spellings_of(surface);
    break;
  }
  if (reading.collector == "spark_applications")
    reading.app_id = reference::parse_json(body)->elements.at(0).find("id")->text;
  const bool is_cluster = reading.collector == "spark_cluster_json";
  if (is_cluster) {
    for (auto& [spelling, is_used] : reading.spellings) spelling = "gauges." + spelling + ".value";
  } else if (reading.collector.empty()) {
    reading.collector = "spark_metrics_json";
    reading.spellings = registry_spellings(Spelling::kJson, {"*.driver."}, "driver executor query");
  }
  if (is_cluster || reading.collector == "spark_metrics_json") {
    reading.spellings.emplace_back("version", false);
    // The JVM's sources of a master or worker, which belong to no application.
    if (is_cluster)
      std::ranges::copy(registry_spellings(Spelling::kJson, {""}, ""), std::back_inserter(reading.spellings));
  }
  return reading;
}

Reading text_reading(const std::string& name, const std::string& body) {
  Reading reading;
  reading.names = text_names(body);
  if (name.starts_with("jmx_")) {
    reading.collector = "spark_jmx";
    const bool is_driver = holds(name, "driver");
    if (!is_driver) reading.executor_id = "0";
    reading.spellings =
        registry_spellings(Spelling::kJmx, {"-"}, is_driver ? "driver executor query" : "executor");
    for (const char* const own : {"jvm_*", "process_*", "jmx_*"}) reading.spellings.emplace_back(own, false);
  } else if (name.starts_with("master_") || name.starts_with("worker_")) {
    reading.collector = "spark_cluster_page";
    for (const auto& [spelling, is_used] : reference::spellings_of("cluster")) {
      std::string mangled = spelling;
      std::ranges::replace(mangled, '.', '_');
      reading.spellings.emplace_back("metrics_" + mangled + "_Value", is_used);
      reading.spellings.emplace_back("metrics_" + mangled + "_Number", false);
    }
    std::ranges::copy(registry_spellings(Spelling::kServlet, {""}, ""),
                      std::back_inserter(reading.spellings));
  } else if (holds(name, "executors")) {
    reading.collector = "spark_executors_page";
    reading.spellings = reference::spellings_of("executors_page");
  } else {
    reading.collector = "spark_driver_page";
    reading.spellings = registry_spellings(Spelling::kServlet, {"*_driver_"}, "driver executor query");
  }
  return reading;
}

std::unique_ptr<Decoder> decoder_of(const Reading& reading) {
  Target target;
  target.body_limit = 8UL * 1024 * 1024;
  target.executor_id = reading.executor_id;
  target.app.app_id = reading.app_id;
  for (const auto& collector : make_collectors()) {
    if (collector->name() == reading.collector) return collector->make_decoder(target);
  }
  ADD_FAILURE() << "no collector " << reading.collector;
  return nullptr;
}

void print_unknown(const std::string& path, const Account& account) {
  for (const auto& [name, count] : account.unknown)
    std::cout << "unknown in " << path << ": " << name << " (" << count << ")\n";
}

/// Excerpts and samples that were made up hold lines that no page has.
bool is_real(const std::string& name) {
  return !name.starts_with("excerpts-") && !name.starts_with("derived-");
}

void check_page(const std::string& path, const Reading& reading) {
  SCOPED_TRACE(path);
  const auto decoder = decoder_of(reading);
  ASSERT_NE(decoder, nullptr);
  const auto batch = decode(*decoder, read_capture(path));
  ASSERT_TRUE(batch.has_value()) << batch.error().message;
  const Account account = account_of(reading.names, reading.spellings);
  print_unknown(path, account);
  const ScrapeCounts& counts = decoder->counts();
  EXPECT_EQ(total(counts), reading.names.size()) << "each sample once";
  EXPECT_EQ(account.used, counts.kept + counts.bad + counts.duplicate + counts.not_finite);
  EXPECT_EQ(account.skipped + account.unknowns(), counts.skipped);
  if (is_real(base_of(path))) {
    EXPECT_LE(account.unknowns() * 100, reading.names.size());
  }
}

TEST(EverySample, OfEveryPageIsUsedSkippedOrUnknown) {
  std::set<std::string> collectors;
  std::size_t pages = 0;
  for (const std::string& path : list_captures("")) {
    const std::string name = base_of(path);
    const bool is_push =
        holds(path, "/push/") || holds(name, "derived-graphite") || holds(name, "derived-statsd");
    if (!path.starts_with("spark/") && !path.starts_with("spark-on-kube/")) continue;
    if (is_push || is_not_asked(name)) continue;
    const std::string body = read_capture(path);
    if (body.starts_with('<')) continue;  // a 404, a main page: no collector reads HTML
    const Reading reading = name.ends_with(".json") ? json_reading(name, body) : text_reading(name, body);
    check_page(path, reading);
    collectors.insert(reading.collector);
    ++pages;
  }
  EXPECT_GE(pages, 100U);
  std::set<std::string> all;
  for (const auto& collector : make_collectors()) {
    if (collector->name().starts_with("spark_")) all.emplace(collector->name());
  }
  all.erase("spark_streaming");  // DStreams: there is no capture but the 404
  EXPECT_EQ(collectors, all) << "there is a real page for each collector";
}

/// Who sent a Graphite file or a StatsD datagram, by its names: "driver", an executor's number, or "noid".
std::string sender_of(const std::string& line) {
  const std::string path = line.substr(0, line.find_first_of(": "));
  const auto name = parse_registry_name(path);
  return name ? std::string(name->instance) : "noid";
}

void check_pushes(const std::string& path, PushProtocol protocol, const std::vector<std::string>& lines) {
  SCOPED_TRACE(path);
  const bool is_graphite = protocol == PushProtocol::kGraphite;
  std::map<std::string, std::vector<std::string>> by_sender;
  for (const std::string& line : lines) by_sender[sender_of(line)].push_back(line);
  for (const auto& [who, sent] : by_sender) {
    SCOPED_TRACE(who);
    const bool is_driver = who == "driver" || who == "noid";
    const std::string app =
        path.starts_with("spark/derived") ? "local-1682603253681" : "app-20261122190152-0000";
    const auto decoder = make_push_decoder(
        protocol,
        {{"team-a", app}, is_driver ? Role::kDriver : Role::kExecutor, is_driver ? "driver" : who, "uid"});
    PushCounts counts{};
    std::vector<std::string> names;
    for (const std::string& line : sent) {
      decoder->take(line, {0}, counts);
      names.push_back(is_graphite ? line.substr(0, line.find(' ')) : line);
    }
    Spellings spellings =
        registry_spellings(is_graphite ? Spelling::kGraphite : Spelling::kStatsd, {"*." + who + ".", ""},
                           is_driver ? "driver executor" : "executor");
    // A master's and a worker's own, which belong to no application.
    for (const auto& [name, is_used] : reference::spellings_of("cluster"))
      spellings.emplace_back(is_graphite ? name : name + ":*|g", false);
    const Account account = account_of(names, spellings);
    print_unknown(path, account);
    EXPECT_EQ(account.used, count_of(counts, PushResult::kKept) + count_of(counts, PushResult::kNotFinite));
    EXPECT_EQ(account.skipped + account.unknowns(), count_of(counts, PushResult::kSkipped));
    EXPECT_EQ(account.used + account.skipped + account.unknowns(), sent.size());
    EXPECT_LE(account.unknowns() * 100, sent.size());
  }
}

std::vector<std::string> lines_of(const std::string& body) {
  std::vector<std::string> out;
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) out.push_back(line);
  return out;
}

TEST(EverySample, OfEveryPushIsUsedSkippedOrUnknown) {
  std::size_t reports = 0;
  for (const char* const part : {"graphite_", "derived-graphite"}) {
    for (const std::string& path : list_captures(part)) {
      check_pushes(path, PushProtocol::kGraphite, lines_of(read_capture(path)));
      ++reports;
    }
  }
  EXPECT_EQ(reports, 14U);
  std::vector<std::string> datagrams;
  for (const std::string& line : lines_of(read_capture("spark/real-4.3.0/shuffle/push/statsd_packets.tsv")))
    datagrams.push_back(line.substr(line.rfind('\t') + 1));
  check_pushes("statsd_packets.tsv", PushProtocol::kStatsd, datagrams);
  check_pushes("spark/derived-statsd.txt", PushProtocol::kStatsd,
               lines_of(read_capture("spark/derived-statsd.txt")));
}

}  // namespace
}  // namespace flintgauge
