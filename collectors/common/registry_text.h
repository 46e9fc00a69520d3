// Decoder of a Dropwizard registry that was written as a text page: PrometheusServlet's own spelling, or that
// of a JMX exporter's rules. Names are looked into once in a series' life; values come out in base units.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "collectors/common/spark_registry.h"
#include "collectors/common/text_labels.h"
#include "flintgauge/collector.h"

namespace flintgauge {

struct RegistryPage {
  /// Where a metric of this name goes; nothing when nobody wants it. Pure.
  std::function<std::optional<Route>(std::string_view metric_name)> route;
  LabelSyntax labels = LabelSyntax::kUnescaped;
  /// The unit in which the page says a measure.
  RegistryUnit (*unit)(Measure measure) = unit_of_measure;
};

/// Lenient: a bad line is counted, never fails the page (spark.md section 2). Negative values mean "cannot
/// tell" and are counted as not finite.
std::unique_ptr<Decoder> make_registry_text_decoder(RegistryPage page);

}  // namespace flintgauge
