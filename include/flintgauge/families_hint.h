// Families of the hints (docs/hints.md). A part of the catalogue (catalogue.h), which is
// what to include.
#pragma once

#include <array>

#include "flintgauge/family.h"

namespace flintgauge {

// clang-format off
/// Columns: name, type, owner, labels, help, sources.
inline constexpr auto kHintFamilies = std::to_array<Family>({
  {"flintgauge_hint_executors_desired", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Executors the application should have: clamped, never below busy executors, inside the quota.",
   "docs/hints.md"},
  {"flintgauge_hint_executors_desired_stable", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "The desired number damped like a Horizontal Pod Autoscaler: up at once, down by the greatest of 5 minutes.",
   "docs/hints.md"},
  {"flintgauge_hint_executors_current", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Executors registered now.",
   "docs/hints.md"},
  {"flintgauge_hint_executors_min", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Lower bound used for the hint.",
   "docs/hints.md"},
  {"flintgauge_hint_executors_max", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Upper bound used for the hint.",
   "docs/hints.md"},
  {"flintgauge_hint_executors_unmet", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Executors wanted but cut off by the quota.",
   "docs/hints.md"},
  {"flintgauge_hint_confidence_ratio", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "How much the hint rests on: tasks seen, time observed, age of the data.",
   "docs/hints.md"},
  {"flintgauge_hint_backlog_seconds", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Time the present executors would need for the work that is known.",
   "docs/hints.md"},
  {"flintgauge_hint_executors_idle", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Executors that neither run a task nor hold cached blocks.",
   "docs/hints.md"},
  {"flintgauge_hint_reason", MetricType::kStateSet, Owner::kDerived, {{"namespace", "app_id", "reason"}},
   "The term that decided the hint: 1 for the one, 0 for the others.",
   "docs/hints.md"},
  {"flintgauge_app_bottleneck", MetricType::kStateSet, Owner::kDerived, {{"namespace", "app_id", "kind"}},
   "What holds the application back, over a window of minutes: 1 for the one, 0 for the others; unknown when the data do not decide.",
   "docs/hints.md"},
  {"flintgauge_app_bottleneck_confidence_ratio", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "How directly what holds the application back was measured, and on how many tasks.",
   "docs/hints.md"},
  {"flintgauge_app_bottleneck_share_ratio", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Part of the slot time that the named bottleneck costs; where slots are missing, part of the known tasks that waits.",
   "docs/hints.md"},
});
// clang-format on

}  // namespace flintgauge
