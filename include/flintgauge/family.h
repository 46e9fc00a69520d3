// What a metric family is: the words of the catalogue.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace flintgauge {

enum class MetricType : std::uint8_t { kCounter, kGauge, kInfo, kStateSet, kHistogram };

/// Who fills a family. A family has exactly one owner, so a page never has to merge series of two blocks.
enum class Owner : std::uint8_t {
  kKubelet,     ///< block of the kubelet source
  kSpark,       ///< block of the Spark source
  kDerived,     ///< block of the evaluator
  kCompanions,  ///< block of the source of companion tools
  kSelf,        ///< the agent's own counters (prometheus-cpp registry)
};

inline constexpr std::size_t kMaxFamilyLabels = 7;

struct Family {
  std::string_view name;  ///< full name as in text format 0.0.4, counters with _total
  MetricType type;
  Owner owner;
  std::array<std::string_view, kMaxFamilyLabels>
      labels;  ///< label names in the order of exposition; unused ones empty
  std::string_view help;
  std::string_view sources;  ///< for docs/metrics.md: the original metric(s) it is made from

  constexpr std::size_t label_count() const {
    std::size_t count = 0;
    while (count < labels.size() && !labels[count].empty()) ++count;
    return count;
  }
};

}  // namespace flintgauge
