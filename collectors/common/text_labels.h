// The series part of an exposition line: metric name and labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/error.h"

namespace flintgauge {

/// A label as its writer meant it: escapes undone, valid UTF-8.
struct Label {
  std::string_view name;
  std::string_view value;
};

/// Value of a label, or "" when there is none.
std::string_view find_label(std::span<const Label> labels, std::string_view name);

enum class LabelSyntax : std::uint8_t {
  kEscaped,    ///< text format 0.0.4: \\, \" and \n in values
  kUnescaped,  ///< Spark's executor page: values as they are, quotes included; a value ends at a quote that
               ///< is followed by the next label or by the last brace
};

/// Most that a line may cost (reliability-security.md section 0.1).
struct TextLimits {
  std::size_t samples = 0;     ///< sample lines of one body
  std::size_t labels = 0;      ///< of one series
  std::size_t name_size = 0;   ///< bytes of a metric or label name
  std::size_t value_size = 0;  ///< bytes of a label value, as written
  // What is kept from scrape to scrape: lines of wanted metrics, and the bytes of one.
  std::size_t wanted_lines = SIZE_MAX;
  std::size_t wanted_line_size = SIZE_MAX;
};
/// The kubelet is trusted and shows labels that tenants chose: what they can reach must not fail the node's
/// page.
inline constexpr TextLimits kKubeletTextLimits{500'000, 1'024, 1'024, 16'384};
inline constexpr TextLimits kTenantTextLimits{20'000, 40, 256, 1'024};

/// End of the metric name at `p`: [a-zA-Z_:][a-zA-Z0-9_:]*. `p` itself when there is none.
const char* scan_metric_name(const char* p, const char* end);

/// Reads the labels of one line at a time; buffers are reused, and what it returns lives until the next
/// read().
class LabelReader {
 public:
  LabelReader(LabelSyntax syntax, const TextLimits& limits) : syntax_(syntax), limits_(limits) {}

  /// Reads `{...}` at `p` (the end of the metric name; blanks may come first). Returns the place after the
  /// brace, or `p` itself when there are no labels, or null: then reason() and message() say why.
  const char* read(const char* p, const char* end);

  /// In the order of the line.
  std::span<const Label> labels() const { return labels_; }
  /// Some value was no UTF-8; it holds U+FFFD for what could not be read.
  bool repaired_utf8() const { return repaired_utf8_; }

  /// One text for all spellings of the series: `name{a="1",b="2"}`, labels sorted by name, values as written.
  /// REQUIRES: read() of the same line. Empty when `text` is that spelling already (the usual case).
  std::string_view canonical(std::string_view text, std::string_view metric_name);

  Reason reason() const { return reason_; }
  std::string_view message() const { return message_; }

 private:
  struct Raw {
    std::string_view name;
    std::string_view value;  ///< as written
    bool escaped;
    bool suspicious;  ///< holds a byte that plain ASCII text has not
  };
  const char* read_one(const char* p, const char* end);
  const char* end_of_value(const char* p, const char* end, Raw& raw) const;
  static const char* end_of_escaped(const char* p, const char* end, Raw& raw);
  const char* refuse(Reason reason, std::string_view message);
  bool has_duplicates();
  void decode();

  LabelSyntax syntax_;
  TextLimits limits_;
  std::vector<Raw> raw_;
  std::vector<Label> labels_;
  std::vector<Raw> sorted_;
  std::string decoded_;  ///< backs values that are not as written
  std::string canonical_;
  bool is_ascending_ = true;   ///< the labels stand in the order of their names
  bool is_as_written_ = true;  ///< no value needs decode()
  bool repaired_utf8_ = false;
  Reason reason_ = Reason::kParse;
  std::string_view message_;  ///< literal
};

/// Appends `text` with every byte that is no part of valid UTF-8 (overlong forms, surrogates and NUL
/// included) replaced by U+FFFD. True when nothing had to be replaced.
bool append_utf8(std::string_view text, std::string& out);

}  // namespace flintgauge
