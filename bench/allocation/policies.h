// The three ways to decide how many executors there are.
#pragma once

#include <deque>
#include <utility>

#include "bench/allocation/cluster.h"

namespace flintgauge::allocation {

/// Spark's dynamic allocation with shuffle tracking, defaults of Spark 4: apache/spark
/// ExecutorAllocationManager (docs/hints.md has its rule). Backlog timeouts of 1 s, target doubling each
/// second, shrinking at once.
class SparkDynamicAllocation final : public Policy {
 public:
  double want(const Moment& moment, const Settings& settings) override;
  Victims victims() const override { return Victims::kIdleForLong; }
  Creator creator() const override { return Creator::kDriver; }

 private:
  double target_ = -1;
  double add_ = 1;
  double add_at_ = kNever;
  static constexpr double kNever = std::numeric_limits<double>::infinity();
};

/// What a HorizontalPodAutoscaler makes of a hint before its windows, rate limits and bounds: kubernetes
/// replica_calculator.go, external metric, AverageValue 1.
double recommended_replicas(double hint, double replicas);

/// Our hint, read every 10 s, followed by a HorizontalPodAutoscaler: deploy/examples/hpa-application.yaml,
/// synced every 15 s. Windows and rate limits are those of kubernetes horizontal.go.
class HintAndAutoscaler final : public Policy {
 public:
  double want(const Moment& moment, const Settings& settings) override;
  Victims victims() const override { return Victims::kYoungest; }
  Creator creator() const override { return Creator::kController; }

 private:
  void read_hint(const Moment& moment, const Settings& settings);
  double autoscale(double now, double replicas, const Settings& settings);
  double changed_within(double now, double seconds, bool up) const;

  double next_hint_ = 0, next_sync_ = 0;
  double hint_ = -1;  ///< none yet
  double mean_seconds_ = 0, mean_at_ = 0;
  double replicas_ = -1;
  std::deque<std::pair<double, double>> recommendations_;  ///< (time, replicas) of the last 300 s
  std::deque<std::pair<double, double>> changes_;          ///< (time, difference)
};

/// Always the same number.
class FixedSize final : public Policy {
 public:
  explicit FixedSize(double executors) : executors_(executors) {}
  double want(const Moment&, const Settings&) override { return executors_; }
  Victims victims() const override { return Victims::kIdleForLong; }
  Creator creator() const override { return Creator::kDriver; }

 private:
  double executors_;
};

}  // namespace flintgauge::allocation
