#include "support/random_pages.h"

#include <algorithm>

namespace flintgauge {
namespace {

const std::vector<std::string_view> kNames = {"w",
                                              "w_total",
                                              "w:x",
                                              "wanted_bytes_of_a_rather_long_name_to_compare_in_steps",
                                              "u",
                                              "unwanted_total",
                                              "u_of_a_long_name_that_has_more_than_32_bytes",
                                              "w_totals",
                                              "unwanted_totals",
                                              "unwanted_total_x"};
const std::vector<std::string_view> kLabels = {"a", "b", "id", "drop", "le", "_x", "namespace", "pod"};
const std::vector<std::string_view> kValues = {
    "",
    "1",
    "yes",
    "a,b",
    "a=b",
    "} 9 {",
    "# x",
    "C:\\\\DIR\\\\",
    "a \\\"quoted\\\" word\\nline",
    "\xC3\xA9\xE4\xB8\x96",
    "\xF0\x9F\x98\x80",
    "\xFF\xC0",
    "/kubepods/burstable/pod01d759a6-d60e-4932-816e-1b580abc4209/0123456789abcdef",
    "+Inf",
    "{{ $x }}"};
const std::vector<std::string_view> kNumbers = {"0",
                                                "1",
                                                "-1",
                                                "3.25",
                                                "8.388608e+06",
                                                "1.048576e+06",
                                                "1.759912345e+09",
                                                "18446744073709551615",
                                                "4.9e-324",
                                                "1.5E7",
                                                "1.0E-4",
                                                "680.0",
                                                "9007199254740993",
                                                "0.1",
                                                "123456789012345678901234567890",
                                                "1e22",
                                                "1e23",
                                                "-0",
                                                "NaN",
                                                "+Inf",
                                                "-Inf",
                                                "Infinity",
                                                "1e999",
                                                "1e-999",
                                                "+5",
                                                ".5",
                                                "5.",
                                                "00012",
                                                "1.7976931348623157e308",
                                                "2.2250738585072014e-308",
                                                "0.000000000000000000000000000001",
                                                "9007199254740991e22",
                                                "3e-22",
                                                "1E+02"};
const std::vector<std::string_view> kStamps = {
    "1760000000000", "1760000000001", "-1000", "0", "+7", "9223372036854775807", "-9223372036854775808"};

}  // namespace

TextPage page_of_w() {
  TextPage page;
  page.measure = [](std::string_view name) -> std::optional<Measure> {
    if (!name.starts_with('w')) return std::nullopt;
    return name.size() % 2 == 0 ? Measure::kCpuUsageSeconds : Measure::kMemoryRssBytes;
  };
  page.route = [](Measure measure, std::span<const Label> labels) -> std::optional<Route> {
    if (find_label(labels, "drop") == "yes") return std::nullopt;
    std::vector<std::string> sorted;
    for (const Label& label : labels)
      sorted.push_back(std::string(label.name) + "=" + std::string(label.value));
    std::sort(sorted.begin(), sorted.end());
    Route route;
    route.measure = measure;
    for (const std::string& label : sorted) route.pod += label + ";";
    return route;
  };
  page.limits = {1'000, 8, 64, 128};
  return page;
}

TextPage lenient_page() {
  TextPage page = page_of_w();
  page.lenient = true;
  page.labels = LabelSyntax::kUnescaped;
  return page;
}

std::size_t RandomPages::below(std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
}

std::string RandomPages::series(std::string_view name) {
  std::vector<std::string_view> labels;
  for (const std::string_view label : kLabels) {
    if (chance(30)) labels.push_back(label);
  }
  if (chance(10)) std::shuffle(labels.begin(), labels.end(), random_);
  if (labels.empty() && chance(80)) return std::string(name);
  const bool is_spaced = chance(10);
  const std::string blank = is_spaced ? " " : "";
  std::string out = std::string(name) + blank + "{" + blank;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    out += (i == 0 ? "" : ",") + blank + std::string(labels[i]) + blank + "=" + blank + "\"" +
           std::string(pick(kValues)) + "\"";
  }
  if (!labels.empty() && chance(5)) out += ",";
  return out + blank + "}";
}

std::string RandomPages::value() {
  std::string out(pick(kNumbers));
  if (chance(50))
    out = std::to_string(below(1'000'000'000)) + (chance(50) ? "." + std::to_string(below(1'000'000)) : "");
  if (chance(60)) out += " " + std::string(pick(kStamps));
  return out;
}

std::string RandomPages::line(std::string_view name) {
  return series(name) + (chance(95) ? " " : "\t ") + value() + (chance(95) ? "" : " ");
}

std::vector<std::string> RandomPages::lines() {
  std::vector<std::string> out;
  const std::size_t runs = 1 + below(8);
  for (std::size_t run = 0; run < runs; ++run) {
    const std::string_view name = pick(kNames);
    if (chance(70)) out.push_back("# TYPE " + std::string(name) + " counter");
    const std::size_t rows = below(8);
    for (std::size_t row = 0; row < rows; ++row) out.push_back(line(chance(90) ? name : pick(kNames)));
    if (chance(10)) out.emplace_back(pick({"", "  ", "#", "# EOF", "\t# x"}));
  }
  return out;
}

std::vector<std::string> RandomPages::next(std::vector<std::string> lines) {
  for (std::string& line : lines) {
    const std::size_t end_of_series = line.rfind('}');
    if (end_of_series != std::string::npos && chance(80))
      line = line.substr(0, end_of_series + 1) + " " + value();
  }
  for (std::size_t changes = below(4); changes > 0 && !lines.empty(); --changes) {
    const auto at = lines.begin() + static_cast<std::ptrdiff_t>(below(lines.size()));
    switch (below(4)) {
      case 0:
        lines.erase(at);
        break;
      case 1:
        lines.insert(at, line(pick(kNames)));
        break;
      case 2:
        lines.insert(at, lines[below(lines.size())]);
        break;
      default:
        std::iter_swap(at, lines.begin() + static_cast<std::ptrdiff_t>(below(lines.size())));
        break;
    }
  }
  return lines;
}

std::string RandomPages::damage(std::string body) {
  const std::vector<std::string_view> parts = {"\"", "\\",   "{",    "}", ",", "=",    " ",  "\t", "\r",
                                               "\n", "#",    "\n#",  "e", "+", "-",    ".",  "0",  "1",
                                               "9",  "\xFF", "\xC3", "w", "u", "\r\n", "nan"};
  for (std::size_t changes = 1 + below(4); changes > 0 && !body.empty(); --changes) {
    const std::size_t at = below(body.size());
    switch (below(5)) {
      case 0:
        body[at] = static_cast<char>(below(256));
        break;
      case 1:
        body.insert(at, pick(parts));
        break;
      case 2:
        body.erase(at, 1 + below(8));
        break;
      case 3:
        body.insert(at, body.substr(below(body.size()), below(64)));
        break;
      default:
        if (chance(20)) body.resize(at);
        break;
    }
  }
  return body;
}

Split RandomPages::split(std::size_t most) {
  return [this, most] { return below(most + 1); };
}

std::string RandomPages::join(const std::vector<std::string>& lines, std::string_view line_end) {
  std::string out;
  for (const std::string& line : lines) out.append(line).append(line_end);
  return out;
}

}  // namespace flintgauge
