#include "agent/io/collector_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace flintgauge {
namespace {

using testing::HasSubstr;

std::vector<std::string_view> chosen(std::string_view disabled) {
  const auto collectors = choose_collectors(disabled);
  std::vector<std::string_view> names;
  if (!collectors) return names;
  for (const auto& collector : *collectors) names.push_back(collector->name());
  return names;
}

TEST(CollectorChoice, AllUnlessNamed) {
  const auto all = make_collectors();
  EXPECT_EQ(chosen("").size(), all.size());
  EXPECT_EQ(chosen(" , ").size(), all.size());
  EXPECT_EQ(chosen("spark_stages, kubelet_summary").size(), all.size() - 2);
  EXPECT_THAT(chosen("spark_stages"), testing::Not(testing::Contains("spark_stages")));
}

TEST(CollectorChoice, UnknownNamesAreAnErrorThatListsTheKnownOnes) {
  for (const std::string_view bad : {"spark_stage", "cadvisor,cadvisor", "\x1b[2J"}) {
    const auto collectors = choose_collectors(bad);
    ASSERT_FALSE(collectors) << bad;
    EXPECT_EQ(collectors.error().reason, Reason::kConfig);
    EXPECT_THAT(collectors.error().message, HasSubstr("there are: cadvisor, "));
    EXPECT_THAT(collectors.error().message, testing::Not(HasSubstr("\x1b")));
  }
}

TEST(CollectorChoice, PodsCannotBeLeftOut) { EXPECT_FALSE(choose_collectors("kubelet_pods")); }

}  // namespace
}  // namespace flintgauge
