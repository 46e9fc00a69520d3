// Writing JSON: one object at a time, its members in the order of the calls. Private to the JSON API.
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/io/api_json.h"
#include "flintgauge/identity.h"
#include "flintgauge/time.h"

namespace flintgauge::json {

inline constexpr int kSchemaVersion = 1;  // grows when a field changes its meaning; new fields do not count

using rapidjson::StringBuffer;
using Writer = rapidjson::Writer<StringBuffer>;

inline double seconds_since(SteadyTime then, SteadyTime now) {
  return static_cast<double>(std::max<std::int64_t>(elapsed_ms(then, now), 0)) / 1e3;
}

/// One object; its members in the order of the calls.
class Object {
 public:
  explicit Object(Writer& writer) : writer_(writer) { writer_.StartObject(); }
  ~Object() { writer_.EndObject(); }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  void key(std::string_view name) { writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }
  void text(std::string_view name, std::string_view value) {
    key(name);
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  /// Whole numbers without a fraction; null when not finite.
  void number(std::string_view name, double value) {
    key(name);
    if (!std::isfinite(value)) {
      writer_.Null();
    } else if (std::floor(value) == value && std::fabs(value) < 9e15) {
      writer_.Int64(static_cast<std::int64_t>(value));
    } else {
      writer_.Double(value);
    }
  }
  void number(std::string_view name, std::int64_t value) {
    key(name);
    writer_.Int64(value);
  }
  void number(std::string_view name, std::uint64_t value) {
    key(name);
    writer_.Uint64(value);
  }
  void flag(std::string_view name, bool value) {
    key(name);
    writer_.Bool(value);
  }
  void null(std::string_view name) {
    key(name);
    writer_.Null();
  }
  /// null when absent.
  void number(std::string_view name, const std::optional<double>& value) {
    if (value) {
      number(name, *value);
    } else {
      null(name);
    }
  }

 private:
  Writer& writer_;
};

inline void write_app(Object& object, const AppKey& app) {
  object.text("namespace", app.namespace_name);
  object.text("appId", app.app_id);
}

/// What every answer starts with.
inline void write_envelope(Object& object, std::string_view node, const Now& now) {
  object.number("schemaVersion", std::int64_t{kSchemaVersion});
  object.text("generatedAt", timestamp_text(now.wall));
  if (!node.empty()) object.text("node", node);
}

/// A body of one object, whose members `write` adds.
template <typename Write>
std::string object_json(Write write) {
  StringBuffer buffer;
  Writer writer(buffer);
  {
    Object object(writer);
    write(object, writer);
  }
  return std::string(buffer.GetString(), buffer.GetSize()) + '\n';
}

/// The body of a list: envelope and one array. `write_item` is called for each item.
template <typename Items, typename Write>
std::string list_json(std::string_view name, const Items& items, std::string_view node, const Now& now,
                      Write write_item) {
  return object_json([&](Object& object, Writer& writer) {
    write_envelope(object, node, now);
    object.key(name);
    writer.StartArray();
    for (const auto& item : items) write_item(writer, item);
    writer.EndArray();
  });
}

}  // namespace flintgauge::json
