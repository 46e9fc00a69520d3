// What is known of each executor of one application that was ever seen. Private to the Spark fold.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/core/spark_columns.h"
#include "agent/core/spark_ever_seen.h"
#include "flintgauge/spark_facts.h"

namespace flintgauge::spark {

inline constexpr std::string_view kDriverId = "driver";

/// Executor ids are numbers on Kubernetes, in the order of their birth; others sort before them by text.
struct ExecutorKey {
  std::int64_t number = -1;
  std::string text;  ///< of an id that is no number
  auto operator<=>(const ExecutorKey&) const = default;
};
ExecutorKey executor_key(std::string_view id);

enum class LossState : std::uint8_t {
  kNone,
  kPending,  ///< it is gone, and why may still be told
  kCounted,
};

/// What is known of one executor beside its counters.
struct ExecutorDetail {
  ExecutorFacts facts;        ///< without its totals, which are the entry's counters
  ColumnSet told = 0;         ///< counters that somebody told
  std::uint64_t reading = 0;  ///< the last REST list that had it
  LossState loss = LossState::kNone;
};

using SeenExecutors = EverSeen<ExecutorKey, kTotals, ExecutorDetail>;

}  // namespace flintgauge::spark
