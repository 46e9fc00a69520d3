// What an application's driver tells besides its executors and stages: its own registry, its jobs, settings
// and name. Private to the Spark fold; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/spark_columns.h"
#include "agent/core/spark_ever_seen.h"
#include "flintgauge/block.h"
#include "flintgauge/measure.h"
#include "flintgauge/spark.h"

namespace flintgauge::spark {

/// Place of a measure of a driver's registry. REQUIRES: it is one.
constexpr std::size_t driver_place(Measure measure) {
  return static_cast<std::size_t>(measure) - static_cast<std::size_t>(Measure::kDriverTargetExecutors);
}
inline constexpr std::size_t kDriverMeasures = driver_place(Measure::kDriverCpuSeconds) + 1;

/// What one page of a driver's registry says of now. What is absent is not registered there (no dynamic
/// allocation), or the page does not show it.
struct DriverNow {
  bool known = false;
  std::array<std::optional<double>, kDriverMeasures> value;

  const std::optional<double>& of(Measure measure) const { return value[driver_place(measure)]; }
  /// Dropped events of several queues add up. Measures of executors are ignored.
  void take(Measure measure, double amount);
  /// What is absent here is taken from there: several pages may show the same registry.
  void add(const DriverNow& other);
};

class DriverSide {
 public:
  /// What all pages together say of now.
  void set_now(const DriverNow& now);
  bool is_live() const { return now_.known; }
  const DriverNow& now() const { return now_; }

  void set_jobs(std::string target_key, const SparkJobs& list);
  void set_settings(std::shared_ptr<const SparkSettings> settings) { settings_ = std::move(settings); }
  /// True when it says something else than before.
  bool set_about(const SparkAbout& about);
  /// The target says nothing about now any more.
  void drop(const std::string& target_key);

  /// Another driver under the same application id: its counters begin at 0, its settings are its own.
  void begin_again();
  /// Another SparkContext of the same driver: a registry of its own. A list of jobs shows by itself that they
  /// are numbered anew, and nobody tells of other settings.
  void begin_registry_again();

  /// Its columns. Counters never fall.
  void write(Numbers& numbers) const;
  void write_facts(SparkAppFacts& facts) const;

 private:
  static constexpr std::size_t kSucceeded = 0;
  static constexpr std::size_t kFailed = 1;
  using Jobs = EverSeen<std::int64_t, 2, Submission>;

  bool is_of_another_context(const SparkJobs& list) const;
  void forget_jobs();
  void write_jobs(Numbers& numbers) const;

  DriverNow now_;
  std::array<double, kDriverMeasures> before_{};   ///< counters of drivers that are gone
  std::array<double, kDriverMeasures> highest_{};  ///< counters of this one
  std::array<bool, kDriverMeasures> told_{};       ///< ever
  Jobs jobs_;
  std::vector<Jobs::Entry*> jobs_listed_;
  std::optional<double> jobs_running_;
  std::string jobs_target_;
  WallTime newest_job_;     ///< submission
  bool jobs_told_ = false;  ///< ever
  std::shared_ptr<const SparkSettings> settings_;
  SparkAbout about_;
};

}  // namespace flintgauge::spark
