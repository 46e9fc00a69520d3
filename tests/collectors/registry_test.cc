#include "flintgauge/collector.h"

#include <gtest/gtest.h>

#include <set>

#include "collectors/common/spark_target.h"
#include "support/spark_reference.h"

namespace flintgauge {
namespace {

TEST(Registry, CollectorNamesAreUnique) {
  std::set<std::string> names;
  for (const auto& collector : make_collectors())
    EXPECT_TRUE(names.insert(std::string(collector->name())).second);
}

TEST(Registry, ADriverIsAskedNoMoreThanItsBudget) {
  for (const std::int64_t interval_ms : {5'000, 10'000, 60'000}) {
    Discovery discovery = reference::one_driver();
    discovery.spark_interval_ms = interval_ms;
    double requests = 0;
    for (const auto& collector : make_collectors()) {
      if (collector->source() != SourceKind::kSpark) continue;
      for (const Target& target : collector->targets(discovery)) {
        EXPECT_GE(target.pace.interval_ms, interval_ms) << target.key;
        if (target.fallback_of.empty())
          requests += static_cast<double>(interval_ms) / static_cast<double>(target.pace.interval_ms);
      }
    }
    EXPECT_LE(requests, kRequestsPerRound) << interval_ms;
    EXPECT_GE(requests, 3);
  }
}

}  // namespace
}  // namespace flintgauge
