// A slow, obvious reader of the pages we serve: checks the rules of both formats line by line and gives back
// what a page says. Problems are collected, not thrown.
#pragma once

#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "flintgauge/exposition.h"

namespace flintgauge::testing {

struct ParsedPage {
  using Labels = std::vector<std::pair<std::string, std::string>>;
  std::map<std::pair<std::string, Labels>, double> samples;  ///< name and labels in order -> value
  std::map<std::string, std::string> types;                  ///< family -> type word
  std::map<std::string, std::string> units;
  std::map<std::string, std::string> helps;  ///< as on the page, escapes and all
  std::vector<std::string> problems;
};

class PageParser {
 public:
  static ParsedPage parse(const std::string& text, PageFormat format) {
    PageParser parser(format);
    parser.read(text);
    return std::move(parser.page_);
  }

 private:
  explicit PageParser(PageFormat format) : openmetrics_(format == PageFormat::kOpenMetrics100) {}

  void problem(const std::string& what) { page_.problems.push_back(what + ": " + line_); }

  void read(const std::string& text) {
    if (text.empty() || text.back() != '\n') page_.problems.push_back("page does not end with a newline");
    std::istringstream lines(text);
    bool ended = false;
    while (std::getline(lines, line_)) {
      if (ended) problem("something behind # EOF");
      if (line_ == "# EOF" && openmetrics_) {
        ended = true;
      } else if (line_.empty()) {
        problem("empty line");
      } else if (line_[0] == '#') {
        read_comment();
      } else {
        read_sample();
      }
    }
    if (openmetrics_ && !ended) page_.problems.push_back("no # EOF");
  }

  void read_comment() {
    std::istringstream words(line_);
    std::string hash, keyword, name, rest;
    words >> hash >> keyword >> name;
    std::getline(words, rest);
    if (!rest.empty()) rest.erase(0, 1);
    if (name != family_) {
      if (!seen_.insert(name).second) problem("family comes a second time");
      family_ = name;
      family_has_samples_ = false;
    }
    if (family_has_samples_) problem("comment behind samples");
    auto& table = keyword == "TYPE" ? page_.types : keyword == "UNIT" ? page_.units : page_.helps;
    if (keyword != "TYPE" && keyword != "HELP" && !(keyword == "UNIT" && openmetrics_)) problem("comment");
    if (!table.emplace(name, rest).second) problem("said twice");
    if (keyword == "UNIT" && !name.ends_with("_" + rest)) problem("unit is not the suffix");
  }

  void read_sample() {
    std::size_t at = line_.find_first_of("{ ");
    if (at == std::string::npos) return problem("no value");
    const std::string name = line_.substr(0, at);
    ParsedPage::Labels labels;
    if (line_[at] == '{' && !read_labels(++at, labels)) return problem("labels");
    if (line_.substr(at, 1) != " ") return problem("no space before the value");
    const std::string text = line_.substr(at + 1);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (text.empty() || text.find(' ') != std::string::npos || *end != '\0') return problem("value");
    if (!page_.samples.emplace(std::pair(name, labels), value).second) problem("series comes a second time");
    check_family(name);
  }

  void check_family(const std::string& name) {
    family_has_samples_ = true;
    const auto type = page_.types.find(family_);
    if (type == page_.types.end()) return problem("sample without # TYPE");
    std::string expected = family_;
    if (openmetrics_ && type->second == "counter") expected += "_total";
    if (openmetrics_ && type->second == "info") expected += "_info";
    if (name != expected) problem("sample of another family");
  }

  bool read_labels(std::size_t& at, ParsedPage::Labels& labels) {
    while (at < line_.size() && line_[at] != '}') {
      if (!labels.empty() && line_[at++] != ',') return false;
      const std::size_t equals = line_.find('=', at);
      if (equals == std::string::npos || line_[equals + 1] != '"') return false;
      std::string name = line_.substr(at, equals - at);
      std::string value;
      for (at = equals + 2; at < line_.size() && line_[at] != '"'; ++at) {
        if (line_[at] != '\\') {
          value += line_[at];
          continue;
        }
        const char escaped = line_[++at];
        if (escaped != '\\' && escaped != '"' && escaped != 'n') return false;
        value += escaped == 'n' ? '\n' : escaped;
      }
      if (at++ >= line_.size()) return false;
      labels.emplace_back(std::move(name), std::move(value));
    }
    return at++ < line_.size();
  }

  bool openmetrics_;
  std::string line_;
  std::string family_;  // of the last comment
  bool family_has_samples_ = false;
  std::set<std::string> seen_;
  ParsedPage page_;
};

}  // namespace flintgauge::testing
