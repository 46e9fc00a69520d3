#include "agent/io/self_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace flintgauge {
namespace {

using testing::HasSubstr;
using testing::Not;

const BuildInfo kBuild{.version = "1.2.3", .revision = "abc", .compiler = "g++ \"12\""};

std::string page(const SelfMetrics& metrics, PageFormat format = PageFormat::kText004) {
  std::string out;
  metrics.append_page(format, out);
  return out;
}

/// Series of a page: text before the last space -> value. Fails on duplicates and on lines out of place.
std::map<std::string, double> series_of(const std::string& text) {
  std::map<std::string, double> series;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ")) continue;
    const std::size_t space = line.rfind(' ');
    EXPECT_TRUE(series.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second) << line;
  }
  return series;
}

TEST(SelfMetrics, CountsPerEndpointAndReason) {
  SelfMetrics metrics(kBuild);
  EndpointCounters& cadvisor = metrics.endpoint(SourceKind::kKubelet, "cadvisor");
  cadvisor.count_scrape();
  cadvisor.count_scrape();
  cadvisor.count_error(Reason::kTimeout);
  cadvisor.add_bytes(1000);
  cadvisor.add_samples({.kept = 5, .skipped = 7, .slow_lines = 2},
                       {.folded = 4, .unmatched = 1, .counter_resets = 3});
  const auto series = series_of(page(metrics));
  EXPECT_EQ(series.at(R"(flintgauge_scrapes_total{source="kubelet",endpoint="cadvisor"})"), 2);
  EXPECT_EQ(
      series.at(R"(flintgauge_scrape_errors_total{source="kubelet",endpoint="cadvisor",reason="timeout"})"),
      1);
  EXPECT_EQ(series.at(R"(flintgauge_scrape_bytes_total{source="kubelet",endpoint="cadvisor"})"), 1000);
  EXPECT_EQ(
      series.at(R"(flintgauge_scrape_samples_total{source="kubelet",endpoint="cadvisor",result="kept"})"), 5);
  EXPECT_EQ(
      series.at(R"(flintgauge_scrape_samples_total{source="kubelet",endpoint="cadvisor",result="skipped"})"),
      7);
  EXPECT_EQ(
      series.at(R"(flintgauge_scrape_samples_total{source="kubelet",endpoint="cadvisor",result="folded"})"),
      4);
  EXPECT_EQ(
      series.at(R"(flintgauge_scrape_samples_total{source="kubelet",endpoint="cadvisor",result="stale"})"),
      0);
  EXPECT_EQ(series.at(R"(flintgauge_scrape_slow_lines_total{source="kubelet",endpoint="cadvisor"})"), 2);
  EXPECT_EQ(series.at(R"(flintgauge_scrape_resets_total{source="kubelet"})"), 3);
}

TEST(SelfMetrics, EveryKnownReasonStartsAtZero) {
  SelfMetrics metrics(kBuild);
  metrics.endpoint(SourceKind::kSpark, "spark_stages");
  const auto series = series_of(page(metrics));
  for (const std::string_view reason : kReasonNames) {
    EXPECT_EQ(
        series.at("flintgauge_scrape_errors_total{source=\"spark\",endpoint=\"spark_stages\",reason=\"" +
                  std::string(reason) + "\"}"),
        0);
  }
  EXPECT_EQ(series.at(R"(flintgauge_http_rejected_total{reason="busy"})"), 0);
  EXPECT_EQ(series.at(R"(flintgauge_clock_jumps_total{direction="backward"})"), 0);
  EXPECT_EQ(series.at("flintgauge_token_reloads_total"), 0);
}

TEST(SelfMetrics, AnEndpointIsRegisteredOnce) {
  SelfMetrics metrics(kBuild);
  EndpointCounters& first = metrics.endpoint(SourceKind::kKubelet, "pods");
  EXPECT_EQ(&metrics.endpoint(SourceKind::kKubelet, "pods"), &first);
  EXPECT_NE(&metrics.endpoint(SourceKind::kSpark, "pods"), &first);
}

TEST(SelfMetrics, HttpLabelsAreAClosedSet) {
  SelfMetrics metrics(kBuild);
  metrics.count_http_request("GET", 200);
  metrics.count_http_request("GET", 200);
  metrics.count_http_request("BREW\n", 405);
  metrics.count_http_request("get", 405);
  metrics.count_http_request("POST", 99);
  metrics.count_http_request("POST", 600);
  const auto series = series_of(page(metrics));
  EXPECT_EQ(series.at(R"(flintgauge_http_requests_total{method="GET",code="200"})"), 2);
  EXPECT_EQ(series.at(R"(flintgauge_http_requests_total{method="other",code="405"})"), 2);
  EXPECT_EQ(series.at(R"(flintgauge_http_requests_total{method="POST",code="500"})"), 2);
}

TEST(SelfMetrics, ReadsTheStoreAndTheProcessWhenAPageIsMade) {
  Store store;
  SelfMetrics metrics(kBuild);
  EXPECT_THAT(page(metrics), Not(HasSubstr("flintgauge_store_publishes_total")));
  metrics.watch_store(store);
  for (int i = 0; i < 3; ++i) {
    store.writable(Shard::kSpark);
    store.publish(Shard::kSpark);
  }
  const auto series = series_of(page(metrics));
  EXPECT_EQ(series.at("flintgauge_store_publishes_total"), 3);
  EXPECT_EQ(series.at("flintgauge_store_rows_busy_total"), 0);
  EXPECT_EQ(series.at("flintgauge_store_read_retries_total"), 0);
  EXPECT_GE(series.at("process_threads"), 1);
  EXPECT_GT(series.at("process_resident_memory_bytes"), 0);
}

TEST(SelfMetrics, CountsWhatTheHistoryCannotKeep) {
  SelfMetrics metrics(kBuild);
  metrics.set_history(7, 0, 0);
  metrics.set_history(1'000, 3, 5);
  metrics.set_history(1'000, 4, 5);
  const auto series = series_of(page(metrics));
  EXPECT_EQ(series.at("flintgauge_history_jobs"), 1'000);
  EXPECT_EQ(series.at("flintgauge_history_jobs_dropped_total"), 4);
  EXPECT_EQ(series.at("flintgauge_history_executors_left_out_total"), 5);
}

TEST(SelfMetrics, SaysWhoItIs) {
  EXPECT_THAT(page(SelfMetrics(kBuild)),
              HasSubstr(R"(flintgauge_build_info{version="1.2.3",revision="abc",compiler="g++ \"12\""} 1)"));
}

TEST(SelfMetrics, FillsEveryFamilyThatTheCatalogueGivesIt) {
  Store store;
  SelfMetrics metrics(kBuild);
  metrics.watch_store(store);
  metrics.endpoint(SourceKind::kKubelet, "cadvisor");
  metrics.set_tls_verify_disabled(SourceKind::kKubelet, true);
  metrics.count_http_request("GET", 200);
  metrics.enable_push(PushProtocol::kGraphite);
  metrics.push(PushProtocol::kGraphite, "team-a");
  metrics.set_history(1, 0, 0);
  metrics.count_history_file("written");
  const std::string text = page(metrics);
  std::size_t at = 0;
  for (const Family& entry : kCatalogue) {
    const std::size_t found = text.find("# TYPE " + std::string(entry.name) + " ");
    if (entry.owner != Owner::kSelf) {
      EXPECT_EQ(found, std::string::npos) << entry.name;
      continue;
    }
    ASSERT_NE(found, std::string::npos) << entry.name;
    EXPECT_GE(found, at) << entry.name << " is out of catalogue order";
    at = found;
  }
  EXPECT_EQ(series_of(text).at(R"(flintgauge_tls_verify_disabled{source="kubelet"})"), 1);
}

TEST(SelfMetrics, SpeaksOpenMetrics) {
  SelfMetrics metrics(kBuild);
  const std::string text = page(metrics, PageFormat::kOpenMetrics100);
  EXPECT_THAT(text, HasSubstr("# TYPE flintgauge_token_reloads counter\n"));
  EXPECT_THAT(text, HasSubstr("\nflintgauge_token_reloads_total 0\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE flintgauge_build info\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE process_cpu_seconds counter\n# UNIT process_cpu_seconds seconds\n"));
}

TEST(SelfMetrics, CountsFromManyThreadsAddUpWhilePagesAreMade) {
  SelfMetrics metrics(kBuild);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&metrics] {
      EndpointCounters& endpoint = metrics.endpoint(SourceKind::kKubelet, "cadvisor");
      for (int n = 0; n < 1000; ++n) {
        endpoint.count_scrape();
        metrics.count_http_request("GET", 200 + n % 3);
        if (n % 250 == 0) page(metrics);
      }
    });
  }
  threads.clear();
  const auto series = series_of(page(metrics));
  EXPECT_EQ(series.at(R"(flintgauge_scrapes_total{source="kubelet",endpoint="cadvisor"})"), 4000);
  EXPECT_EQ(series.at(R"(flintgauge_http_requests_total{method="GET",code="200"})") +
                series.at(R"(flintgauge_http_requests_total{method="GET",code="201"})") +
                series.at(R"(flintgauge_http_requests_total{method="GET",code="202"})"),
            4000);
}

}  // namespace
}  // namespace flintgauge
