#include "agent/io/hint_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "agent/io/api_json.h"
#include "agent/io/page_parts.h"
#include "support/derived_block.h"

namespace flintgauge {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Now kAsked{.steady = {1'003'000}, .wall = {1'700'000'003'123}};  // 3 s after the evaluation
constexpr std::string_view kApp = "/api/v1/hints/team-a/spark-0f3a";

class HintRoutes : public testing::Test {
 protected:
  HintRoutes() { test::fill_derived(block_); }

  HttpResponse ask(const std::string& path, std::string_view query = "") const {
    return hint_answer({.path = path, .query = query, .accept = {}, .accept_encoding = {}}, block_, "node-1",
                       kAsked);
  }
  HttpResponse ask_app(const std::string& rest, std::string_view query = "") const {
    return ask(std::string(kApp) + rest, query);
  }
  rapidjson::Document json_of(const std::string& rest, std::string_view query = "") const {
    const HttpResponse response = ask_app(rest, query);
    EXPECT_EQ(response.status, 200) << response.body;
    rapidjson::Document document;
    document.Parse(response.body.c_str());
    EXPECT_FALSE(document.HasParseError()) << response.body;
    return document;
  }
  /// The pods of this node were read `age_ms` before kAsked.
  void know_pods(std::int64_t age_ms) {
    TargetState pods = test::make_target("kubelet_pods", {}, "https://10.0.0.7:10250/pods");
    pods.asked = pods.up = pods.ever_succeeded = true;
    pods.last_success = {kAsked.steady.ms - age_ms};
    block_.targets.push_back(pods);
  }
  void change_report(auto change) {
    auto report = std::make_shared<Report>(*block_.report);
    change(*report);
    block_.report = report;
  }

  Block block_;
};

/// The published form, told to be one of its answers.
class Form {
 public:
  Form() {
    std::ifstream file(FLINTGAUGE_SOURCE_DIR "/docs/hints.schema.json");
    std::stringstream text;
    text << file.rdbuf();
    text_ = text.str();
  }
  /// "" when the body has the form of `answer`, else where it has not.
  std::string refuses(const std::string& answer, const std::string& body) const {
    rapidjson::Document schema;
    schema.Parse(text_.c_str());
    EXPECT_FALSE(schema.HasParseError());
    EXPECT_TRUE(schema["definitions"].HasMember(answer.c_str())) << answer;
    schema.RemoveMember("anyOf");
    schema.AddMember("allOf", rapidjson::Value(rapidjson::kArrayType), schema.GetAllocator());
    rapidjson::Value ref(rapidjson::kObjectType);
    ref.AddMember("$ref", rapidjson::Value(("#/definitions/" + answer).c_str(), schema.GetAllocator()),
                  schema.GetAllocator());
    schema["allOf"].PushBack(ref, schema.GetAllocator());
    const rapidjson::SchemaDocument form(schema);
    rapidjson::Document document;
    document.Parse(body.c_str());
    rapidjson::SchemaValidator validator(form);
    if (document.Accept(validator)) return {};
    rapidjson::StringBuffer where;
    validator.GetInvalidDocumentPointer().StringifyUriFragment(where);
    return std::string(validator.GetInvalidSchemaKeyword()) + " at " + where.GetString();
  }

 private:
  std::string text_;
};

TEST_F(HintRoutes, EachPartByItself) {
  EXPECT_EQ(json_of("/horizontal")["desired"].GetInt(), 11);
  EXPECT_DOUBLE_EQ(json_of("/horizontal")["wastedCoreSeconds"].GetDouble(), 120.5);
  EXPECT_FALSE(json_of("/horizontal").HasMember("bottleneck"));
  const rapidjson::Document bottleneck = json_of("/bottleneck");
  EXPECT_STREQ(bottleneck["kind"].GetString(), "gc");
  EXPECT_EQ(bottleneck["causes"].Size(), 2U);
  EXPECT_STREQ(bottleneck["causes"][1]["kind"].GetString(), "slots");
  EXPECT_DOUBLE_EQ(bottleneck["figures"]["gc"].GetDouble(), 0.2);
  EXPECT_TRUE(bottleneck["figures"]["throttled"].IsNull()) << "not known is not zero";
  EXPECT_DOUBLE_EQ(bottleneck["sampleAgeSeconds"].GetDouble(), 5);
  EXPECT_FALSE(bottleneck.HasMember("inputs"));
  EXPECT_DOUBLE_EQ(json_of("/bottleneck", "explain=1")["inputs"]["gcSeconds"].GetDouble(), 192);
  const rapidjson::Document quota = json_of("/quota");
  EXPECT_STREQ(quota["pressure"].GetString(), "suspected");
  EXPECT_TRUE(quota["headroomExecutors"].IsNull());
  EXPECT_EQ(quota["settings"]["spark.dynamicAllocation.maxExecutors"].GetInt(), 2);
  EXPECT_EQ(json_of("/sideways")["executorsPerNode"].GetInt(), 4);
  EXPECT_DOUBLE_EQ(json_of("/sideways")["wasteMemory"].GetDouble(), 1 - 36.0 / 64);
}

TEST_F(HintRoutes, SidewaysTellsTheGapAndWhatNoNodeKnows) {
  const rapidjson::Document fits = json_of("/sideways");
  EXPECT_STREQ(fits["code"].GetString(), "fits");
  EXPECT_TRUE(fits["resource"].IsNull());
  EXPECT_TRUE(fits["gap"].IsNull());
  EXPECT_EQ(fits["shape"]["memoryBytes"].GetInt64(), std::int64_t{16} << 30);
  EXPECT_TRUE(fits["shape"]["heapBytes"].IsNull()) << "how the container divides is not known";
  EXPECT_TRUE(fits["inputs"]["overheadFactor"].IsNull());
  const auto names = [](const rapidjson::Value& value) { return value.GetString(); };
  std::vector<std::string> unknown;
  std::ranges::transform(fits["unknown"].GetArray(), std::back_inserter(unknown), names);
  EXPECT_THAT(unknown, testing::IsSupersetOf({"allocatable", "taints", "otherNodes", "quota", "volumes"}));

  change_report([](Report& report) {
    AppSideways& one = report.sideways[0];
    one.overhead_factor = 0.1;
    one.result.code = SidewaysCode::kNoFreeNode;
    one.result.resource = "memory";
    one.result.gap = 1024;
  });
  const rapidjson::Document full = json_of("/sideways");
  EXPECT_STREQ(full["code"].GetString(), "no_free_node");
  EXPECT_STREQ(full["resource"].GetString(), "memory");
  EXPECT_EQ(full["gap"].GetInt(), 1024);
  EXPECT_EQ(full["shape"]["heapBytes"].GetInt64(), std::int64_t{14894} << 20) << "16384 / 1.1";
  EXPECT_EQ(Form().refuses("sidewaysAnswer", ask_app("/sideways").body), "");
  change_report([](Report& report) { report.sideways[0].result.shape.reset(); });
  EXPECT_EQ(Form().refuses("sidewaysAnswer", ask_app("/sideways").body), "");
}

TEST_F(HintRoutes, SizeOfAnExecutorWithTheLinesToPaste) {
  const rapidjson::Document vertical = json_of("/vertical");
  constexpr std::int64_t kMiB = std::int64_t{1024} * 1024;
  const rapidjson::Value& memory = vertical["memoryBytes"];
  EXPECT_EQ(memory["current"]["total"].GetInt64(), (8192 + 819) * kMiB);
  EXPECT_EQ(memory["target"]["heap"].GetInt64(), 6656 * kMiB);
  EXPECT_EQ(memory["target"]["overhead"].GetInt64(), 704 * kMiB);
  EXPECT_EQ(memory["lower"]["heap"].GetInt64(), 4352 * kMiB);
  EXPECT_STREQ(memory["heapReason"].GetString(), "step");
  EXPECT_DOUBLE_EQ(vertical["cpuCores"]["target"].GetDouble(), 1.826);
  EXPECT_EQ(vertical["outOfMemory"]["container"].GetInt(), 2);
  EXPECT_EQ(vertical["runs"].GetInt(), 6);
  EXPECT_DOUBLE_EQ(vertical["sampleAgeSeconds"].GetDouble(), 5);
  ASSERT_EQ(vertical["settings"].Size(), 3U);
  EXPECT_STREQ(vertical["settings"][0].GetString(), "spark.executor.memory=6656m");
  EXPECT_STREQ(vertical["settings"][2].GetString(), "spark.kubernetes.executor.request.cores=1826m");
  EXPECT_FALSE(vertical.HasMember("terms"));
  EXPECT_EQ(json_of("/vertical", "explain=1")["terms"]["heapNeedBytes"].GetInt64(), 5888 * kMiB);
}

TEST_F(HintRoutes, SizeThatIsNotKnownIsNull) {
  change_report([](Report& report) {
    report.verticals[0].input.heap_bytes = 0;
    report.verticals[0].hint = vertical_hint(report.verticals[0].input);
  });
  EXPECT_TRUE(json_of("/vertical")["memoryBytes"].IsNull());
  EXPECT_EQ(json_of("/vertical")["settings"].Size(), 1U);
  change_report([](Report& report) { report.verticals.clear(); });
  EXPECT_EQ(ask_app("/vertical").status, 404);
  EXPECT_FALSE(json_of("").HasMember("vertical"));
}

TEST_F(HintRoutes, TheApplicationHasThemAll) {
  const rapidjson::Document all = json_of("", "explain=1");
  EXPECT_EQ(all["desired"].GetInt(), 11);
  EXPECT_STREQ(all["bottleneck"]["kind"].GetString(), "gc");
  EXPECT_STREQ(all["quota"]["pressure"].GetString(), "suspected");
  EXPECT_EQ(all["vertical"]["inputs"]["heapPeakBytes"]["p90"].GetInt64(), std::int64_t{5} << 30);
  EXPECT_EQ(all["sideways"]["freeExecutors"].GetInt(), 2);
  EXPECT_TRUE(all["terms"].HasMember("effectiveTargetSeconds"));
  EXPECT_EQ(all["confidenceInputs"]["completedTasks"].GetInt(), 90);
  EXPECT_EQ(all["confidenceInputs"]["ageSeconds"].GetInt(), 2);
  EXPECT_EQ(all["stableWindow"][0]["desired"].GetInt(), 12);
  EXPECT_DOUBLE_EQ(all["waste"]["beforeCoreSeconds"].GetDouble(), 80.5);
  EXPECT_EQ(all["waste"]["idleCores"].GetInt(), 8);
  EXPECT_EQ(all["vertical"]["slotInputs"]["slotSeconds"].GetInt(), 480);
  EXPECT_EQ(all["vertical"]["slotInputs"]["taskCpuSeconds"].GetInt(), 240);
}

TEST_F(HintRoutes, OfANamespaceOnly) {
  const HttpResponse response = ask("/api/v1/hints/team-a");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("spark-0f3a"));
  EXPECT_THAT(response.body, Not(HasSubstr("team-<b>")));
  EXPECT_EQ(ask("/api/v1/hints/team-b").status, 404);
  EXPECT_EQ(ask("/api/v1/hints/team-a", "absent=zero").status, 400);
}

TEST_F(HintRoutes, ListsExplainEveryTermToo) {
  EXPECT_THAT(ask("/api/v1/hints").body, HasSubstr("team-<b>"));
  EXPECT_EQ(ask("/api/v1/hints", "absent=zero").status, 400);
  EXPECT_EQ(ask("/api/v1/hints", "explain=2").status, 400);
  for (const char* const path : {"/api/v1/hints", "/api/v1/hints/team-a"}) {
    EXPECT_THAT(ask(path).body, Not(HasSubstr("stableWindow"))) << path;
    const HttpResponse response = ask(path, "explain=1");
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_THAT(response.body, HasSubstr("stableWindow")) << path;
    EXPECT_EQ(Form().refuses("list", response.body), "") << path;
  }
}

TEST_F(HintRoutes, AbsentPartsAre404) {
  EXPECT_EQ(ask_app("/vertical2").status, 404);
  EXPECT_EQ(ask_app("/").status, 404);
  EXPECT_EQ(ask_app("/quota/more").status, 404);
  const std::string other = "/api/v1/hints/team-<b>/spark-\"x\"&y";
  EXPECT_EQ(ask(other + "/horizontal").status, 404);
  EXPECT_EQ(ask(other).status, 404) << "its executors here are no hint of it";
  EXPECT_EQ(ask(other + "/sideways").status, 200);
}

TEST_F(HintRoutes, UnknownParametersAreRefused) {
  for (const char* const query : {"explain=2", "absent=0", "explain=1&", "&", "explain=1&x=1", "absent"}) {
    EXPECT_EQ(ask_app("", query).status, 400) << query;
  }
  EXPECT_EQ(ask_app("", "explain=0").status, 200);
  EXPECT_EQ(ask_app("/horizontal", "explain=1&absent=zero").status, 200);
  EXPECT_EQ(ask_app("/bottleneck", "absent=zero").status, 400);
}

// A zero scales a workload down: only where it is certain that another node drives the application.
TEST_F(HintRoutes, AbsentZeroIsZeroOnlyForWhatAnotherNodeDrives) {
  const std::string elsewhere = "/api/v1/hints/team-a/spark-elsewhere";
  EXPECT_EQ(ask(elsewhere, "absent=zero").status, 503) << "it does not know its pods";
  know_pods(60'001);
  EXPECT_EQ(ask(elsewhere, "absent=zero").status, 503) << "it does not know them any more";
  know_pods(60'000);
  const HttpResponse zero = ask(elsewhere + "/horizontal", "absent=zero");
  EXPECT_EQ(zero.status, 200);
  EXPECT_THAT(zero.body, HasSubstr("\"desired\":0,\"byRate\":0"));
  EXPECT_EQ(ask(elsewhere).status, 404) << "without the parameter";
  EXPECT_EQ(json_of("/horizontal", "absent=zero")["desired"].GetInt(), 11);
  change_report([](Report& report) { report.hints.clear(); });
  EXPECT_EQ(ask_app("/horizontal", "absent=zero").status, 503) << "it drives it, and the data are old";
  change_report([](Report& report) { report.apps[0].driver_pods = 0; });
  EXPECT_EQ(ask_app("/horizontal", "absent=zero").status, 200);
}

TEST_F(HintRoutes, PageOfAnApplicationShowsInputsStepsAndResult) {
  const auto page = [&](const std::string& path) {
    return app_answer({.path = path, .query = {}, .accept = {}, .accept_encoding = {}}, block_,
                      {"node-1", "9.9"}, kAsked);
  };
  const HttpResponse found = page("/app/team-a/spark-0f3a");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.content_type, "text/html; charset=utf-8");
  for (const char* const part : {"nightly-etl",
                                 "parity = ceil((R + P)",
                                 "(16 + 384)",
                                 "need = W &gt; E &middot; c &middot; Te = 480: E + ceil((W - E",
                                 "What would change it",
                                 "median of 3 executors",
                                 "gc",
                                 "against 0.1",
                                 "6 runs of nightly-&lt;etl&gt;",
                                 "a fifth less than now",
                                 "peaks of the JVM heap used",
                                 "<div>3584 MiB, 5120 MiB, 5376 MiB</div>",
                                 "held against now (step): now &middot; 0.8 = 8192 MiB &middot; 0.8",
                                 "<b>6656 MiB</b>",
                                 "What would change it: of the heap, the next run goes further down",
                                 "spark.executor.memory=6656m\nspark.executor.memoryOverhead=704m\n",
                                 "2 of their container",
                                 "spark.dynamicAllocation.maxExecutors=2",
                                 "executors that an empty node",
                                 "One more executor here: <b>fits</b>",
                                 "Not known to a node: allocatable",
                                 "garbage collection while they ran",
                                 "GC seconds / run seconds",
                                 "What would change it: more heap",
                                 "next target = min(",
                                 "What would change it: An executor pod that starts here",
                                 "wasted core-seconds = before"})
    EXPECT_THAT(found.body, HasSubstr(part));
  const HttpResponse hostile = page("/app/team-<b>/spark-\"x\"&y");
  EXPECT_EQ(hostile.status, 200);
  EXPECT_THAT(hostile.body, HasSubstr("&lt;b onmouseover=&#39;x&#39;&gt;"));
  for (const char* const part :
       {"<script", "<b onmouseover", "src=", "@import", "url(", "team-<b>", "-\"x\""})
    EXPECT_THAT(hostile.body, Not(HasSubstr(part)));
  EXPECT_EQ(page("/app/team-a/none").status, 404);
  EXPECT_EQ(page("/app/team-a").status, 404);
  EXPECT_EQ(page("/app/team-a/spark-0f3a/x").status, 404);
}

TEST_F(HintRoutes, PageShowsThePoolOfWorkersOfItsApplication) {
  const auto page = [&] {
    return app_answer({.path = "/app/team-a/spark-0f3a", .query = {}, .accept = {}, .accept_encoding = {}},
                      block_, {"node-1", "9.9"}, kAsked)
        .body;
  };
  change_report([](Report& report) {
    report.pools = {{.cluster = {"team-a", "<pool>"}, .app_ids = {"app-1"}, .demands = {{11, 4}}}};
  });
  EXPECT_THAT(page(), Not(HasSubstr("Workers of"))) << "another application's";
  change_report([](Report& report) {
    report.pools[0].app_ids.emplace_back("spark-0f3a");
    report.pools[0].demands.push_back({11, 4});
    report.pools[0].cores_per_worker = 8;
    report.pools[0].desired = 11;
  });
  EXPECT_THAT(page(), HasSubstr("Workers of &lt;pool&gt;"));
  EXPECT_THAT(page(), HasSubstr("workers = ceil(cores / cores of a worker) = ceil(88 / 8) = <b>11</b>"));
  change_report([](Report& report) { report.pools[0].cluster.namespace_name = "team-b"; });
  EXPECT_THAT(page(), Not(HasSubstr("Workers of"))) << "another tenant's";
}

TEST_F(HintRoutes, AnswersHaveThePublishedForm) {
  know_pods(0);
  change_report([](Report& report) {
    ProfileHint profile;
    profile.id = 1;
    report.hints[0].profiles = {profile, profile};
    report.hints[0].queries = {{"orders", {.executors = 2, .input_rate = 3, .processing_rate = 1}, 6}};
    report.hints[0].by_rate = 6;
    PoolHint pool;
    pool.cluster = {"team-a", "pool"};
    pool.app_ids = {"app-1"};
    pool.demands = {{11, 4}};
    report.pools = {pool, {.cluster = {"team-b", "pool"}, .app_ids = {}, .demands = {}}};
  });
  const Form form;
  for (const char* const query : {"", "explain=1"}) {
    EXPECT_EQ(form.refuses("application", ask_app("", query).body), "");
    EXPECT_EQ(form.refuses("horizontalAnswer", ask_app("/horizontal", query).body), "");
    EXPECT_EQ(form.refuses("verticalAnswer", ask_app("/vertical", query).body), "");
    EXPECT_EQ(form.refuses("bottleneckAnswer", ask_app("/bottleneck", query).body), "");
    EXPECT_EQ(form.refuses("quotaAnswer", ask_app("/quota", query).body), "");
    EXPECT_EQ(form.refuses("sidewaysAnswer", ask_app("/sideways", query).body), "");
  }
  change_report([](Report& report) {
    AppVerticalHint& one = report.verticals[0];
    one.driver = DriverSize{.input = one.input, .hint = {}};
    one.driver->input.is_driver = true;
    one.driver->hint = vertical_hint(one.driver->input);
    one.hint = {};
  });
  for (const char* const query : {"", "explain=1"})
    EXPECT_EQ(form.refuses("verticalAnswer", ask_app("/vertical", query).body), "") << "of the driver alone";
  EXPECT_STREQ(json_of("/vertical")["driver"]["settings"][0].GetString(), "spark.driver.memory=6656m");
  EXPECT_TRUE(json_of("/vertical", "explain=1")["driver"].HasMember("terms"));
  change_report([](Report& report) { report.verticals[0].driver.reset(); });
  EXPECT_EQ(form.refuses("verticalAnswer", ask_app("/vertical").body), "") << "nothing of it known";
  EXPECT_TRUE(json_of("/vertical")["driver"].IsNull());
  const std::string of_namespace = ask("/api/v1/hints/team-a").body;
  EXPECT_EQ(form.refuses("list", of_namespace), "");
  const std::string explained = ask("/api/v1/hints/team-a", "explain=1").body;
  EXPECT_EQ(form.refuses("list", explained), "");
  EXPECT_THAT(explained, HasSubstr("\"terms\":{\"demandCores\":44,"));
  EXPECT_THAT(of_namespace, Not(HasSubstr("demandCores")));
  EXPECT_THAT(of_namespace, HasSubstr("\"pools\":[{\"namespace\":\"team-a\""));
  EXPECT_THAT(of_namespace, Not(HasSubstr("team-b")));
  EXPECT_EQ(form.refuses("absentAnswer", ask("/api/v1/hints/team-a/none", "absent=zero").body), "");
  EXPECT_NE(form.refuses("horizontalAnswer", ask_app("/bottleneck").body), "") << "the form can refuse";
  EXPECT_NE(form.refuses("bottleneckAnswer", "{\"kind\":1}"), "");
}

TEST(AppPath, LinksOnlyWhatNeedsNoEscaping) {
  EXPECT_EQ(html::app_path("team-a", "spark-0f3a"), "/app/team-a/spark-0f3a");
  EXPECT_EQ(html::app_path("team-a", "a b"), "");
  EXPECT_EQ(html::app_path("", "a"), "");
  EXPECT_EQ(html::app_path("a", "\"><script>"), "");
}

}  // namespace
}  // namespace flintgauge
