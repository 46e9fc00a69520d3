// What json::Reader must tell a Visitor about a document, found by walking the reference tree.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "collectors/common/json.h"
#include "support/json_reference.h"

namespace flintgauge::reference {

struct WantedPath {
  std::string path;
  json::Kind kind;
  int id;
};

/// "items[].labels.*" -> ".items", "[]", ".labels", "*"
inline std::vector<std::string> segments(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    if (path.starts_with("[]")) {
      out.emplace_back("[]");
      path.remove_prefix(2);
      continue;
    }
    if (path.starts_with('.')) path.remove_prefix(1);
    const std::size_t end = std::min(path.find_first_of(".["), path.size());
    out.push_back(path.substr(0, end) == "*" ? "*" : "." + std::string(path.substr(0, end)));
    path.remove_prefix(end);
  }
  return out;
}

inline std::string event(const char* what, int id) { return std::string(what) + " " + std::to_string(id); }
inline std::string value_event(int id, std::string_view name, std::string_view text) {
  return event("value", id) + " name=" + std::string(name) + " text=" + std::string(text);
}

/// Records what a Reader says, in the words of the functions above.
class Recorder : public json::Visitor {
 public:
  explicit Recorder(std::vector<WantedPath> wanted) : wanted_(std::move(wanted)) {}
  void clear() override { events.clear(); }
  void open(int id) override { events.push_back(event("open", id)); }
  void close(int id) override { events.push_back(event("close", id)); }
  void null(int id) override { events.push_back(event("null", id)); }
  json::Verdict value(int id, const json::Value& value) override {
    const json::Kind kind = wanted_[static_cast<std::size_t>(id)].kind;
    const bool star = wanted_[static_cast<std::size_t>(id)].path.ends_with('*');
    std::string text(value.text);
    if (kind == json::Kind::kBool) text = value.truth ? "true" : "false";
    if (kind == json::Kind::kInteger) text = std::to_string(value.integer);
    if (kind == json::Kind::kNumber) text = std::to_string(value.number);
    events.push_back(value_event(id, star ? value.name : std::string_view(), text));
    return json::Verdict::kKept;
  }

  std::vector<std::string> events;

 private:
  std::vector<WantedPath> wanted_;
};

class EventWalk {
 public:
  explicit EventWalk(const std::vector<WantedPath>& wanted) {
    for (const WantedPath& w : wanted) paths_.push_back({segments(w.path), w.kind, w.id});
  }

  void walk(const Json& node, std::vector<std::string> here = {}, std::string_view name = {}) {
    const Path* exact = nullptr;
    std::optional<Json::Type> container;
    for (const Path& p : paths_) {
      if (p.segments.size() < here.size() || !std::equal(here.begin(), here.end(), p.segments.begin()))
        continue;
      if (p.segments.size() == here.size()) {
        exact = &p;
      } else {
        container = p.segments[here.size()] == "[]" ? Json::Type::kArray : Json::Type::kObject;
      }
    }
    if (exact == nullptr && !container) return;
    if (node.type == Json::Type::kNull) {
      if (exact != nullptr) events.push_back(event("null", exact->id));
      return;
    }
    if (exact != nullptr && exact->kind == json::Kind::kArray) container = Json::Type::kArray;
    if (exact != nullptr && exact->kind == json::Kind::kObject) container = Json::Type::kObject;
    if (container) return composite(node, *container, exact, here);
    scalar(node, *exact, exact->segments.back() == "*" ? name : std::string_view());
  }

  std::vector<std::string> events;
  std::uint64_t kept = 0, bad = 0, not_finite = 0;
  bool has_star_repeats = false;  ///< a Reader tells names under "*" as often as they come

 private:
  struct Path {
    std::vector<std::string> segments;
    json::Kind kind;
    int id;
  };

  bool wants(const std::vector<std::string>& here) const {
    return std::any_of(paths_.begin(), paths_.end(), [&](const Path& p) {
      return p.segments.size() >= here.size() && std::equal(here.begin(), here.end(), p.segments.begin());
    });
  }

  void composite(const Json& node, Json::Type type, const Path* exact, std::vector<std::string>& here) {
    if (node.type != type) {
      ++bad;
      return;
    }
    if (exact != nullptr) events.push_back(event("open", exact->id));
    for (const Json& element : node.elements) step(element, here, "[]", "");
    for (const auto& [name, member] : node.members) {
      here.push_back("." + name);
      const bool named = wants(here);
      here.back() = "*";
      has_star_repeats = has_star_repeats || (node.has_repeats && wants(here));
      here.pop_back();
      step(member, here, named ? "." + name : "*", name);
    }
    if (exact != nullptr) events.push_back(event("close", exact->id));
  }

  void step(const Json& node, std::vector<std::string>& here, const std::string& segment,
            std::string_view name) {
    here.push_back(segment);
    walk(node, here, name);
    here.pop_back();
  }

  static bool is_unicode(std::string_view text) {
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      if (text[i] == '\xED' && static_cast<unsigned char>(text[i + 1]) >= 0xA0) return false;
    }
    return true;
  }

  void scalar(const Json& node, const Path& path, std::string_view name) {
    using Kind = json::Kind;
    using Type = Json::Type;
    std::string text = node.text;
    bool fits = is_unicode(name) && is_unicode(text);
    bool in_range = true;
    if (path.kind == Kind::kString) fits = fits && node.type == Type::kString;
    if (path.kind == Kind::kQuantity)
      fits = fits && (node.type == Type::kString || node.type == Type::kNumber);
    if (path.kind == Kind::kBool) {
      fits = fits && node.type == Type::kBool;
      text = node.truth ? "true" : "false";
    }
    if (path.kind == Kind::kInteger || path.kind == Kind::kNumber) fits = fits && node.type == Type::kNumber;
    if (path.kind == Kind::kInteger && fits) {
      fits = text.find_first_of(".eE") == std::string::npos;
      std::int64_t number = 0;
      in_range = std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{};
      if (!fits) in_range = true;
      text = std::to_string(number);
    }
    if (path.kind == Kind::kNumber && fits) {
      double number = 0;
      in_range = std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{};
      text = std::to_string(number);
    }
    ++(!fits ? bad : !in_range ? not_finite : kept);
    if (fits && in_range) events.push_back(value_event(path.id, name, text));
  }

  std::vector<Path> paths_;
};

}  // namespace flintgauge::reference
