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
  {"flintgauge_hint_executors_parity", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Executors that Spark's own rule would ask for: one slot for each task that runs or waits. Not clamped.",
   "docs/hints.md"},
  {"flintgauge_hint_startup_seconds", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Time from the creation of an executor pod to its registration that the hint reckons with: measured on this node, else hints.startup.",
   "docs/hints.md"},
  {"flintgauge_hint_wasted_core_seconds_total", MetricType::kCounter, Owner::kDerived, {{"namespace", "app_id"}},
   "Core-seconds of executors that neither ran a task nor held cached blocks, since the agent first saw the application.",
   "docs/hints.md"},
  {"flintgauge_hint_node_executors", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Executors of this application that an empty node like this one could hold at most.",
   "docs/hints.md"},
  {"flintgauge_hint_node_executors_free", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id"}},
   "Executors of this application that this node could still hold at most, beside what runs here.",
   "docs/hints.md"},
  {"flintgauge_hint_node_waste_ratio", MetricType::kGauge, Owner::kDerived, {{"namespace", "app_id", "resource"}},
   "Part of an empty node like this one that executors of this application would leave unused: cpu, memory.",
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
