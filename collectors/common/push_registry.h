// The registry of one JVM as its pushes tell it, name by name. What a push protocol adds is the spelling of a
// line; see collectors/push_*.cc.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/common/spark_registry.h"
#include "flintgauge/push.h"

namespace flintgauge {

/// Looks like an id that Spark gives an application (spark.md section 1): spark-HEX32, app-DATE-NUMBER,
/// local-MS, spark-application-MS, application_MS_NUMBER; with any separator.
bool is_app_id(std::string_view text);

/// Does the mangled namespace name an application, and not this one?
bool claims_another_app(std::string_view mangled_namespace, std::string_view mangled_app_id);

class PushRegistry {
 public:
  PushRegistry(PushProtocol protocol, PushSender sender);

  bool has_news(SteadyTime now) const;
  PushReport report(SteadyTime now);
  const PushSender& sender() const { return sender_; }

  /// Does a namespace as it was sent name an application, and not the sender's?
  bool claims_another(std::string_view namespace_name) const;
  /// May the sender speak of numbers of this scope?
  bool is_own(Scope scope) const { return scope != Scope::kDriver || sender_.role == Role::kDriver; }

  /// `number` as it was sent; whatever the instance says about its unit is converted here.
  PushResult take_value(std::string_view name, double number, CountSuffix suffix, SteadyTime now);
  /// The same for a name whose parts and metric are known.
  PushResult take_metric(std::string_view namespace_name, std::string_view instance,
                         const RegistryMetric* metric, double number, SteadyTime now);
  /// A finite number in base units, for the route's measure.
  void set(Route route, double number, SteadyTime now);
  void forget(Measure measure);

 private:
  static constexpr SeriesIndex kNone = std::numeric_limits<SeriesIndex>::max();
  struct Value {
    double number = 0;
    SteadyTime heard;
    SeriesIndex series = kNone;  ///< kNone: never told
    bool is_told = false;        ///< in the last report
    bool is_known = false;
  };

  PushSender sender_;
  std::shared_ptr<const Target> target_;
  std::array<Value, kMeasureCount> values_;
  std::vector<Route> routes_;
  bool has_news_ = false;
};

}  // namespace flintgauge
