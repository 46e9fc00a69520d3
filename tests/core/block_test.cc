#include "flintgauge/block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace flintgauge {
namespace {

using testing::ElementsAre;

constexpr FamilyId kCpu = family("flintgauge_app_cpu_usage_seconds_total");  // namespace, app_id, role
constexpr FamilyId kRss = family("flintgauge_namespace_memory_rss_bytes");   // namespace, workload
constexpr FamilyId kNode = family("flintgauge_node_memory_capacity_bytes");  // no labels

TEST(Schema, SortsByFamilyThenLabelValuesAndKnowsWhereEachSeriesCameFrom) {
  SchemaBuilder builder;
  const auto node = builder.add(kNode, {});
  const auto rss = builder.add(kRss, {"team-a", "spark"});
  const auto cpu_b = builder.add(kCpu, {"team-b", "app-1", "driver"});
  const auto cpu_a = builder.add(kCpu, {"team-a", "app-9", "executor"});
  const auto [schema, ticket_of] = builder.build();

  EXPECT_THAT(ticket_of, ElementsAre(cpu_a, cpu_b, rss, node));
  ASSERT_EQ(schema->size(), 4U);
  EXPECT_THAT(schema->labels(0), ElementsAre("team-a", "app-9", "executor"));
  EXPECT_EQ(
      schema->prefix(0),
      "flintgauge_app_cpu_usage_seconds_total{namespace=\"team-a\",app_id=\"app-9\",role=\"executor\"} ");
  EXPECT_EQ(schema->prefix(3), "flintgauge_node_memory_capacity_bytes ");
  EXPECT_TRUE(schema->labels(3).empty());
}

TEST(Schema, RangeOfAFamilyIsEmptyWhenItHasNoSeries) {
  SchemaBuilder builder;
  builder.add(kRss, {"team-a", "spark"});
  builder.add(kRss, {"team-a", "other"});
  const auto schema = builder.build().schema;
  EXPECT_EQ(schema->range(kRss), std::pair(std::size_t{0}, std::size_t{2}));
  EXPECT_EQ(schema->range(kCpu).first, schema->range(kCpu).second);
  EXPECT_EQ(schema->range(kNode).first, schema->range(kNode).second);
  EXPECT_EQ(SchemaBuilder().build().schema->size(), 0U);
}

TEST(Schema, KeepsLabelValuesRawAndEscapesThemOnceInThePrefix) {
  const std::string nasty = "a\"b\\c\nd}{=,";
  SchemaBuilder builder;
  builder.add(kRss, {nasty, ""});
  const auto schema = builder.build().schema;
  EXPECT_THAT(schema->labels(0), ElementsAre(nasty, ""));
  EXPECT_EQ(schema->prefix(0),
            "flintgauge_namespace_memory_rss_bytes{namespace=\"a\\\"b\\\\c\\nd}{=,\",workload=\"\"} ");
}

TEST(Schema, OfEqualSeriesTheFirstAddedStays) {
  SchemaBuilder builder;
  const auto first = builder.add(kRss, {"a", "b"});
  builder.add(kRss, {"a", "b"});
  const auto other = builder.add(kRss, {"a", "c"});
  EXPECT_THAT(builder.build().ticket_of, ElementsAre(first, other));
}

TEST(Schema, BuilderIsEmptyAfterBuild) {
  SchemaBuilder builder;
  builder.add(kRss, {"a", "b"});
  const auto before = builder.build().schema;
  builder.add(kNode, {});
  const auto after = builder.build().schema;
  EXPECT_EQ(after->size(), 1U);
  EXPECT_EQ(before->prefix(0), "flintgauge_namespace_memory_rss_bytes{namespace=\"a\",workload=\"b\"} ");
}

// The slow twin: a map from key to the ticket that came first.
TEST(Schema, AgreesWithAnOrderedMapOnRandomSeries) {
  std::mt19937 random(3);
  const std::string alphabet("ab\"\\\n\0", 6);
  for (int round = 0; round < 200; ++round) {
    SchemaBuilder builder;
    std::map<std::pair<FamilyId, std::vector<std::string>>, std::uint32_t> twin;
    for (std::uint32_t i = 0, n = static_cast<std::uint32_t>(random() % 40); i < n; ++i) {
      const FamilyId id = std::array{kCpu, kRss, kNode}[random() % 3];
      std::vector<std::string> values(info(id).label_count());
      for (std::string& value : values) {
        for (auto length = random() % 3; length > 0; --length) value += alphabet[random() % alphabet.size()];
      }
      twin.emplace(std::pair(id, values), i);
      builder.add(id, std::vector<std::string_view>(values.begin(), values.end()));
    }
    const auto [schema, ticket_of] = builder.build();
    ASSERT_EQ(schema->size(), twin.size());
    std::size_t series = 0;
    for (const auto& [key, ticket] : twin) {
      EXPECT_EQ(schema->family(series), key.first);
      EXPECT_TRUE(std::ranges::equal(schema->labels(series), key.second));
      EXPECT_EQ(ticket_of[series], ticket);
      ++series;
    }
  }
}

}  // namespace
}  // namespace flintgauge
