#include "agent/io/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace flintgauge {
namespace {

TEST(Settings, KeysAreUniqueSectionsAreTogetherAndEveryRowIsExplained) {
  std::set<std::string_view> keys, sections;
  std::string_view section;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
    EXPECT_TRUE(setting.help.ends_with('.')) << setting.key;
    if (setting.section() == section) continue;
    section = setting.section();
    EXPECT_TRUE(sections.insert(section).second) << "section in two places: " << section;
  }
}

TEST(Settings, EachHasAPlaceOfItsOwnAndDefaultsReadBack) {
  for (const Setting& setting : settings()) {
    const std::string before = value_text(setting, Config{});
    Config config;
    ASSERT_TRUE(set_value(setting, before, config)) << setting.key << ' ' << before;
    EXPECT_EQ(value_text(setting, config), before);
    const std::string other = before == "true"    ? "false"
                              : before == "false" ? "true"
                              : before == "7m"    ? "8m"
                                                  : "7m";
    const std::string number = before == "7" ? "8" : "7";
    ASSERT_TRUE(set_value(setting, other, config) || set_value(setting, number, config)) << setting.key;
    int changed = 0;
    for (const Setting& row : settings()) {
      if (value_text(row, config) != value_text(row, Config{})) ++changed;
    }
    EXPECT_EQ(changed, 1) << setting.key << ": two rows share a member, or none is set";
  }
}

struct Case {
  const char* key;
  const char* text;
  const char* kept;  // as value_text says, or null when it must be refused
};
class SetValue : public testing::TestWithParam<Case> {};

TEST_P(SetValue, ReadsOrSaysWhatIsExpected) {
  const Setting* const setting = find_setting(GetParam().key);
  ASSERT_NE(setting, nullptr);
  Config config;
  const Status status = set_value(*setting, GetParam().text, config);
  ASSERT_EQ(status.has_value(), GetParam().kept != nullptr) << GetParam().text;
  if (status) {
    EXPECT_EQ(value_text(*setting, config), GetParam().kept);
  } else {
    const std::string start = std::string(GetParam().key) + ": \"" + GetParam().text + "\" is not ";
    EXPECT_TRUE(status.error().message.starts_with(start)) << status.error().message;
  }
}
INSTANTIATE_TEST_SUITE_P(
    Settings, SetValue,
    testing::Values(
        Case{"kubelet.interval", "500ms", "500ms"}, Case{"kubelet.interval", "90s", "90s"},
        Case{"kubelet.interval", "60s", "1m"}, Case{"kubelet.interval", "1.5s", "1500ms"},
        Case{"kubelet.interval", "2h", "2h"}, Case{"kubelet.interval", "10", nullptr},
        Case{"kubelet.interval", "s", nullptr}, Case{"kubelet.interval", "", nullptr},
        Case{"kubelet.interval", "-10s", nullptr}, Case{"kubelet.interval", "10 s", nullptr},
        Case{"kubelet.interval", "10sec", nullptr}, Case{"kubelet.interval", "1e3s", nullptr},
        Case{"kubelet.interval", "99999999999999999999h", nullptr},
        Case{"kubelet.body_limit", "64KiB", "64KiB"}, Case{"kubelet.body_limit", "1048576", "1MiB"},
        Case{"kubelet.body_limit", "10MB", "10000000"}, Case{"kubelet.body_limit", "0.5GiB", "512MiB"},
        Case{"kubelet.body_limit", "64Mi", nullptr}, Case{"kubelet.body_limit", "much", nullptr},
        Case{"hints.drain_target", "0s", "0s"}, Case{"hints.drain_target", "2m", "2m"},
        Case{"hints.max_executors", "50", "50"}, Case{"hints.max_executors", "nan", nullptr},
        Case{"hints.max_executors", "inf", nullptr}, Case{"web.max_requests", "4", "4"},
        Case{"web.max_requests", "4.5", nullptr}, Case{"web.max_requests", "99999999999", nullptr},
        Case{"series.app", "-1", nullptr}, Case{"spark.enabled", "true", "true"},
        Case{"spark.enabled", "yes", nullptr}, Case{"spark.enabled", "True", nullptr},
        Case{"node.name", "5", "5"}, Case{"node.name", "", ""}));

TEST(Suggestion, IsTheNearestKey) {
  EXPECT_EQ(suggestion("kubelet.intervall"), "; did you mean kubelet.interval?");
  EXPECT_EQ(suggestion("kubelt.url"), "; did you mean kubelet.url?");
  EXPECT_EQ(suggestion("kubelete"), "; did you mean kubelet?");
  EXPECT_EQ(suggestion("listen_address"), "; did you mean web.listen_address?");
  EXPECT_EQ(suggestion("spark.insecure_skip_verify"), "; did you mean kubelet.insecure_skip_verify?");
  EXPECT_EQ(suggestion("quite_something_else"), "");
  EXPECT_EQ(suggestion(std::string(100'000, 'x')), "");
}

TEST(Settings, DocumentationIsGeneratedFromTheTable) {
  const std::string path = std::string(FLINTGAUGE_SOURCE_DIR) + "/docs/configuration.md";
  if (std::getenv("FLINTGAUGE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << configuration_markdown();
  std::ostringstream file;
  file << std::ifstream(path).rdbuf();
  EXPECT_EQ(file.str(), configuration_markdown())
      << "run with FLINTGAUGE_UPDATE_GOLDEN=1 and review the difference";
}

}  // namespace
}  // namespace flintgauge
