#include "flintgauge/catalogue.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

namespace flintgauge {
namespace {

TEST(Catalogue, NamesAreUniqueAndFollowTheRules) {
  std::set<std::string_view> names;
  for (const Family& entry : kCatalogue) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_TRUE(entry.name.starts_with("flintgauge_") || entry.name.starts_with("process_")) << entry.name;
    EXPECT_EQ(entry.type == MetricType::kCounter, entry.name.ends_with("_total")) << entry.name;
    EXPECT_EQ(entry.type == MetricType::kInfo, entry.name.ends_with("_info")) << entry.name;
    EXPECT_FALSE(entry.help.empty()) << entry.name;
    EXPECT_TRUE(entry.help.ends_with('.')) << entry.name;
  }
}

TEST(Catalogue, EveryFamilySaysWhatItIsMadeFrom) {
  for (const Family& entry : kCatalogue) EXPECT_GT(entry.sources.size(), 1U) << entry.name;
}

TEST(Catalogue, UnitIsTheSuffixBeforeTotal) {
  EXPECT_EQ(unit_of(info(family("flintgauge_app_cpu_usage_seconds_total"))), "seconds");
  EXPECT_EQ(unit_of(info(family("flintgauge_app_cpu_requests_cores"))), "cores");
  EXPECT_EQ(unit_of(info(family("flintgauge_app_pods"))), "");
}

TEST(Catalogue, DocumentationIsGeneratedFromIt) {
  const std::string path = std::string(FLINTGAUGE_SOURCE_DIR) + "/docs/metrics.md";
  if (std::getenv("FLINTGAUGE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << catalogue_markdown();
  std::ostringstream file;
  file << std::ifstream(path).rdbuf();
  EXPECT_EQ(file.str(), catalogue_markdown())
      << "run with FLINTGAUGE_UPDATE_GOLDEN=1 and review the difference";
}

}  // namespace
}  // namespace flintgauge
