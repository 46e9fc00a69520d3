#include "agent/io/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "agent/io/html.h"
#include "support/derived_block.h"
#include "support/raw_http.h"

namespace flintgauge {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr Now kAsked{.steady = {1'003'000}, .wall = {1'700'000'003'123}};  // 3 s after the evaluation

class RoutesTest : public testing::Test {
 protected:
  void publish() {
    test::fill_derived(store_.writable(Shard::kDerived));
    store_.publish(Shard::kDerived);
  }
  HttpResponse ask(std::string_view path, std::string_view query = "", std::string_view accept = "",
                   std::string_view encoding = "") const {
    return routes_.answer({.path = path, .query = query, .accept = accept, .accept_encoding = encoding});
  }
  rapidjson::Document ask_json(std::string_view path, std::string_view query = "") const {
    const HttpResponse response = ask(path, query);
    EXPECT_EQ(response.content_type, "application/json");
    rapidjson::Document document;
    document.Parse(response.body.c_str());
    EXPECT_FALSE(document.HasParseError()) << response.body;
    return document;
  }

  Store store_;
  SelfMetrics self_{{.version = "9.9", .revision = "r", .compiler = "c"}};
  Routes routes_{
      store_, self_, {.node = "node-1", .build = {"9.9", "r", "c"}, .clocks = [] { return kAsked; }}};
};

TEST_F(RoutesTest, NothingPublishedIs503ButAlive) {
  for (const char* const path : {"/", "/metrics", "/api/v1/targets", "/api/v1/apps", "/api/v1/hints",
                                 "/api/v1/hints/a/b", "/-/ready", "/readyz"}) {
    EXPECT_EQ(ask(path).status, 503) << path;
    EXPECT_FALSE(Routes::is_liveness(path)) << path;
  }
  for (const char* const path : {"/-/healthy", "/healthz", "/livez"}) {
    EXPECT_EQ(ask(path).status, 200) << path;
    EXPECT_TRUE(Routes::is_liveness(path)) << path;
  }
}

TEST_F(RoutesTest, ReadyOncePublishedUntilStopping) {
  publish();
  EXPECT_EQ(ask("/-/ready").status, 200);
  EXPECT_EQ(ask("/readyz").status, 200);
  routes_.stop_being_ready();
  EXPECT_EQ(ask("/-/ready").status, 503);
  EXPECT_EQ(ask("/-/healthy").status, 200);
  EXPECT_EQ(ask("/metrics").status, 200) << "a last scrape is served";
}

TEST_F(RoutesTest, UnknownPathsAre404) {
  publish();
  for (const char* const path :
       {"/metrics/", "/Metrics", "//metrics", "/api/v1", "/api/v1/", "/api/v1/targets/", "/api/v2/hints",
        "/-/reload", "/favicon.ico", "/index.html", ""})
    EXPECT_EQ(ask(path).status, 404) << path;
}

TEST_F(RoutesTest, AllReaderRowsTakenIs503) {
  publish();
  std::vector<View> readers;
  for (std::size_t i = 0; i < kReaders; ++i) readers.push_back(store_.read());
  EXPECT_EQ(ask("/metrics").status, 503);
  EXPECT_EQ(ask("/-/ready").status, 503);
  readers.pop_back();
  EXPECT_EQ(ask("/metrics").status, 200);
}

TEST_F(RoutesTest, MetricsInBothFormats) {
  publish();
  const HttpResponse text = ask("/metrics");
  EXPECT_EQ(text.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(text.body, StartsWith("# HELP flintgauge_target_up"));
  EXPECT_THAT(text.body, HasSubstr("\nflintgauge_build_info{version=\"9.9\""));
  EXPECT_THAT(text.body, Not(HasSubstr("# EOF")));
  EXPECT_EQ(text.vary, "Accept, Accept-Encoding");
  EXPECT_TRUE(text.keep_alive);
  const HttpResponse open =
      ask("/metrics", "", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
  EXPECT_THAT(std::string(open.content_type), StartsWith("application/openmetrics-text; version=1.0.0"));
  EXPECT_THAT(open.body, EndsWith("# EOF\n"));
  EXPECT_EQ(
      ask("/metrics", "", "application/openmetrics-text;version=1.0.0;escaping=underscores").content_type,
      "application/openmetrics-text; version=1.0.0; escaping=underscores; charset=utf-8");
}

TEST_F(RoutesTest, GzipOnlyWhenAsked) {
  publish();
  EXPECT_EQ(ask("/metrics", "", "", "gzip;q=0").content_encoding, "");
  EXPECT_EQ(ask("/api/v1/apps", "", "", "gzip").content_encoding, "");
  const HttpResponse packed = ask("/metrics", "", "", "gzip");
  ASSERT_EQ(packed.content_encoding, "gzip");
  std::string page(1U << 20U, '\0');
  z_stream stream{};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.body.data()));
  stream.avail_in = static_cast<uInt>(packed.body.size());
  stream.next_out = reinterpret_cast<Bytef*>(page.data());
  stream.avail_out = static_cast<uInt>(page.size());
  ASSERT_EQ(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  page.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_THAT(page, StartsWith("# HELP flintgauge_target_up"));
}

TEST_F(RoutesTest, UnknownQueryIsRefusedNotIgnored) {
  publish();
  for (const char* const path : {"/metrics", "/api/v1/targets", "/api/v1/apps", "/api/v1/hints"})
    EXPECT_EQ(ask(path, "namespace=team-a").status, 400) << path;
  EXPECT_EQ(ask("/api/v1/hints/team-a/spark-0f3a", "explain=yes").status, 400);
  EXPECT_EQ(ask("/healthz", "verbose").status, 200);
}

TEST_F(RoutesTest, TargetsSayStateErrorAndAge) {
  publish();
  const rapidjson::Document answer = ask_json("/api/v1/targets");
  EXPECT_EQ(answer["schemaVersion"].GetInt(), 1);
  EXPECT_STREQ(answer["generatedAt"].GetString(), "2023-11-14T22:13:23.123Z");
  EXPECT_STREQ(answer["node"].GetString(), "node-1");
  ASSERT_EQ(answer["targets"].Size(), 3U);
  const auto& up = answer["targets"][0];
  EXPECT_STREQ(up["state"].GetString(), "up");
  EXPECT_STREQ(up["source"].GetString(), "kubelet");
  EXPECT_DOUBLE_EQ(up["lastSuccessAgeSeconds"].GetDouble(), 4.5);
  EXPECT_EQ(up["samplesKept"].GetInt(), 4321);
  EXPECT_FALSE(up.HasMember("lastError"));
  const auto& down = answer["targets"][1];
  EXPECT_STREQ(down["state"].GetString(), "down");
  EXPECT_STREQ(down["source"].GetString(), "spark");
  EXPECT_STREQ(down["reason"].GetString(), "timeout");
  EXPECT_STREQ(down["lastError"].GetString(), "no answer in 10 s; body began \"<script>alert(1)</script>\"");
  EXPECT_DOUBLE_EQ(down["lastSuccessAgeSeconds"].GetDouble(), 48);
  EXPECT_STREQ(answer["targets"][2]["state"].GetString(), "not_asked");
  EXPECT_FALSE(answer["targets"][2].HasMember("lastSuccess")) << "absent, not zero";
}

TEST_F(RoutesTest, TargetsSayTheirSource) {
  publish();
  Block& block = store_.writable(Shard::kDerived);
  test::fill_derived(block);
  block.targets = {test::make_target("companion_page/a/p", {"a", ""}, "http://10.1.2.3:9404/metrics")};
  store_.publish(Shard::kDerived);
  EXPECT_STREQ(ask_json("/api/v1/targets")["targets"][0]["source"].GetString(), "companions");
}

TEST_F(RoutesTest, AppsHaveNullForTheUnknown) {
  publish();
  const rapidjson::Document answer = ask_json("/api/v1/apps");
  ASSERT_EQ(answer["apps"].Size(), 2U);
  EXPECT_DOUBLE_EQ(answer["apps"][0]["cpuCores"].GetDouble(), 3.25);
  EXPECT_TRUE(answer["apps"][1]["cpuCores"].IsNull());
  EXPECT_STREQ(answer["apps"][1]["appId"].GetString(), "spark-\"x\"&y");
}

TEST_F(RoutesTest, HintsCarryTheirInputs) {
  publish();
  const rapidjson::Document all = ask_json("/api/v1/hints");
  ASSERT_EQ(all["hints"].Size(), 2U) << "of the other application only what is known of its executors here";
  EXPECT_FALSE(all["hints"][0].HasMember("desired"));
  const rapidjson::Document one = ask_json("/api/v1/hints/team-a/spark-0f3a");
  for (const rapidjson::Value* hint : {&all["hints"][1], static_cast<const rapidjson::Value*>(&one)}) {
    EXPECT_EQ((*hint)["desired"].GetInt(), 11);
    EXPECT_EQ((*hint)["current"].GetInt(), 4);
    EXPECT_EQ((*hint)["desiredStable"].GetInt(), 12);
    EXPECT_STREQ((*hint)["reason"].GetString(), "drain");
    EXPECT_DOUBLE_EQ((*hint)["confidence"].GetDouble(), 0.75);
    EXPECT_DOUBLE_EQ((*hint)["sampleAgeSeconds"].GetDouble(), 5) << "2 s at the evaluation, 3 s since";
    EXPECT_DOUBLE_EQ((*hint)["inputs"]["meanTaskSeconds"].GetDouble(), 2.5);
    EXPECT_TRUE((*hint)["inputs"]["quotaHeadroomExecutors"].IsNull());
    EXPECT_FALSE(hint->HasMember("terms"));
  }
  EXPECT_EQ(ask_json("/api/v1/hints/team-a/spark-0f3a", "explain=1")["terms"]["parity"].GetInt(), 100);
}

TEST_F(RoutesTest, NoFreshHintIs404NeverAZero) {
  publish();
  for (const char* const path :
       {"/api/v1/hints/team-<b>/spark-\"x\"&y", "/api/v1/hints/team-a/other",
        "/api/v1/hints/other/spark-0f3a", "/api/v1/hints/team-b", "/api/v1/hints/", "/api/v1/hints//",
        "/api/v1/hints/team-a/spark-0f3a/", "/api/v1/hints/a/b/c"}) {
    const HttpResponse response = ask(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_THAT(response.body, StartsWith("{\"error\":\"")) << path;
    EXPECT_THAT(response.body, Not(HasSubstr("desired"))) << path;
  }
}

TEST_F(RoutesTest, PageShowsAllAndEscapesForeignText) {
  publish();
  const HttpResponse page = ask("/");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, StartsWith("<!doctype html>"));
  for (const char* const part :
       {"node-1", "9.9", "nightly-etl", "in team-a &middot; Spark 3.5.1", "spark-0f3a</div>", "4 &rarr; 11",
        "(drain)", "confidence 75&nbsp;%", "6.5 GiB", "no fresh hint", "4 s ago", "48 s ago",
        "&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;b onmouseover=&#39;x&#39;&gt;", "in team-&lt;b&gt;",
        "spark-&quot;x&quot;&amp;y", "api/v1?a=1&amp;b=2"})
    EXPECT_THAT(page.body, HasSubstr(part));
  for (const char* const part : {"<script", "<b onmouseover", "src=", "@import", "url(", "team-<b>"})
    EXPECT_THAT(page.body, Not(HasSubstr(part)));
  if (const char* const path = std::getenv("FLINTGAUGE_KEEP_PAGE")) std::ofstream(path) << page.body;
}

TEST(Html, TextForPeople) {
  using namespace html;
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1024), "1 KiB");
  EXPECT_EQ(bytes_text(1.5 * 1024 * 1024 * 1024), "1.5 GiB");
  EXPECT_EQ(bytes_text(512.0 * 1024 * 1024), "512 MiB");
  EXPECT_EQ(bytes_text(1e300).substr(bytes_text(1e300).size() - 3), "PiB");
  EXPECT_EQ(bytes_text(NAN), "&ndash;");
  EXPECT_EQ(age_text(0.9), "0 s");
  EXPECT_EQ(age_text(119.9), "119 s");
  EXPECT_EQ(age_text(120), "2 min");
  EXPECT_EQ(age_text(7'200), "2 h");
  EXPECT_EQ(age_text(172'800), "2 d");
  EXPECT_EQ(number_text(3.25, 1), "3.2");
  EXPECT_EQ(number_text(3, 2), "3");
  EXPECT_EQ(number_text(-0.01, 1), "0");
  EXPECT_EQ(number_text(INFINITY), "&ndash;");
}

}  // namespace
}  // namespace flintgauge
