// Pages without text: rows as a decoder would hand them over, and a fold whose block can be asked by name.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flintgauge/block.h"
#include "flintgauge/collector.h"
#include "flintgauge/fold.h"

namespace flintgauge::testing {

constexpr std::int64_t kEpochMs = 1'760'000'000'000;

/// Both clocks, `seconds` after the fold's start.
inline Now after(double seconds) {
  const auto ms = static_cast<std::int64_t>(seconds * 1000);
  return {SteadyTime{50'000 + ms}, WallTime{kEpochMs + ms}};
}
inline std::int64_t stamp(double seconds) { return after(seconds).wall.ms; }

/// A value that no series has.
constexpr double kAbsent = -12345;

/// One line of a page. `series` tells lines apart that have the same route (device, interface, CPU).
struct Line {
  Route route;
  double value = 0;
  std::int64_t timestamp_ms = kNoTimestamp;
  std::string series;
};

inline Line line(Scope scope, Measure measure, double value, std::int64_t timestamp_ms = kNoTimestamp) {
  Line out;
  out.route.scope = scope;
  out.route.measure = measure;
  out.value = value;
  out.timestamp_ms = timestamp_ms;
  return out;
}

/// A target and what its decoder remembers: which series had which index.
class FakePage {
 public:
  explicit FakePage(std::string key, std::string fallback_of = "", Expect expect = Expect::kText) {
    target.key = std::move(key);
    target.fallback_of = std::move(fallback_of);
    target.expect = expect;
  }

  Target target;

  /// The batch of a body with these lines. Valid until the next call.
  SampleBatch scrape(const std::vector<Line>& lines) {
    created_.clear();
    retired_.clear();
    samples_.clear();
    std::map<std::string, bool> present;
    for (const Line& entry : lines) present[key_of(entry)] = true;
    for (auto at = index_.begin(); at != index_.end();) {
      if (present.contains(at->first)) {
        ++at;
        continue;
      }
      retired_.push_back(at->second);
      free_.push_back(at->second);
      at = index_.erase(at);
    }
    for (const Line& entry : lines) samples_.push_back({index_of(entry), entry.value, entry.timestamp_ms});
    return {routes_, retired_, created_, samples_};
  }

 private:
  static std::string key_of(const Line& entry) {
    const Route& r = entry.route;
    return std::to_string(static_cast<int>(r.scope)) + "|" + std::to_string(static_cast<int>(r.measure)) +
           "|" + r.namespace_name + "|" + r.pod + "|" + r.container + "|" + r.container_id + "|" + r.pod_uid +
           "|" + r.app_id + "|" + entry.series;
  }

  SeriesIndex index_of(const Line& entry) {
    const std::string key = key_of(entry);
    if (const auto at = index_.find(key); at != index_.end()) return at->second;
    auto index = static_cast<SeriesIndex>(routes_.size());
    if (free_.empty()) {
      routes_.push_back(entry.route);
    } else {
      index = free_.back();
      free_.pop_back();
      routes_[index] = entry.route;
    }
    index_[key] = index;
    created_.push_back(index);
    return index;
  }

  std::map<std::string, SeriesIndex> index_;
  std::vector<Route> routes_;
  std::vector<SeriesIndex> free_, created_, retired_;
  std::vector<Sample> samples_;
};

/// `family{a="b",...}` -> value of every series of a block.
inline std::map<std::string, double> series_in(const Block& block) {
  std::map<std::string, double> out;
  EXPECT_NE(block.schema, nullptr);
  EXPECT_EQ(block.schema->size(), block.values.size());
  for (std::size_t i = 0; i < block.values.size(); ++i) {
    std::string name(block.schema->prefix(i));
    name.pop_back();
    EXPECT_TRUE(out.emplace(name, block.values[i]).second) << name;
  }
  return out;
}

}  // namespace flintgauge::testing
