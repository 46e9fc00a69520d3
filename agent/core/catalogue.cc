#include "flintgauge/catalogue.h"

namespace flintgauge {
namespace {

std::string_view type_word(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kInfo:
      return "info";
    case MetricType::kStateSet:
      return "state set";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "";
}

/// A pipe would end the table cell.
void append_cell(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
}

void append_row(std::string& out, const Family& entry) {
  out += "| `";
  out += entry.name;
  out += "` | ";
  out += type_word(entry.type);
  out += " | ";
  for (std::size_t i = 0; i < entry.label_count(); ++i) {
    if (i != 0) out += ", ";
    out += entry.labels[i];
  }
  out += " | ";
  append_cell(out, entry.help);
  out += " | ";
  append_cell(out, entry.sources);
  out += " |\n";
}

}  // namespace

std::string catalogue_markdown() {
  std::string out =
      "# Metrics\n\n"
      "Generated from the catalogue (`include/flintgauge/catalogue.h`); a test compares. Rewrite it with\n"
      "`FLINTGAUGE_UPDATE_GOLDEN=1 ctest --preset dev -R Catalogue`.\n\n"
      "An agent publishes its node's share: add over nodes with `sum by (namespace, app_id)`. No series "
      "carries a time stamp;\n"
      "data that are too old vanish. In OpenMetrics the name of a counter family has no `_total`, that of an "
      "info family no `_info`.\n\n"
      "Made from: *driver registry* is the driver's own registry by whatever way it comes, `/metrics/json/`, "
      "else `/metrics/prometheus/`\n"
      "or a JMX exporter's page; Graphite, StatsD or a Pushgateway. *Executor registry* is an executor's: a "
      "JMX "
      "exporter's page, Graphite,\n"
      "StatsD or a Pushgateway, and a driver's in local mode. Of a counter that several tell the larger "
      "number "
      "counts.\n\n"
      "| Family | Type | Labels | Meaning | Made from |\n|---|---|---|---|---|\n";
  for (const Family& entry : kCatalogue) append_row(out, entry);
  return out;
}

}  // namespace flintgauge
