// Reading JSON that others wrote. The one place that knows RapidJSON; what a collector sees is:
//
//   json::Paths paths;                                   // once: which places of the document are wanted
//   paths.want("items[].metadata.name", json::Kind::kString, Field::kName);
//   json::Reader reader;                                 // one per decoder: keeps its buffers
//   reader.read(body, paths, visitor, counts);           // calls visitor for the wanted places, in order
//
// No tree is built. Everything is optional: a member of another type than wanted is as if it were absent, and
// counted; so is null, which is not counted as bad. A member name that comes twice in one object: the last
// one wins, whole, and the earlier one is counted. Deeper than 32 levels is refused.
//
// Counts of ScrapeCounts for JSON: every scalar is kept, skipped (not wanted, null, or inside something not
// wanted), bad (wrong type, or the visitor cannot read it), not_finite (no number of the wanted range) or
// duplicate; an object or array counts once when it is itself bad or duplicate. Strings are UTF-8: one with
// half a surrogate pair ("\udc00") is bad.
//
// One thread at a time per Reader; Paths are immutable while they are read with. No exceptions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/collector.h"
#include "flintgauge/error.h"

namespace flintgauge::json {

inline constexpr int kMaxDepth = 32;

enum class Kind : std::uint8_t {
  kObject,
  kArray,
  kString,
  kBool,
  kInteger,   ///< number without fraction or exponent, in the range of int64
  kNumber,    ///< finite double
  kQuantity,  ///< string or number: Kubernetes writes "500m" and accepts 1
};

/// One wanted scalar. Views are valid during the call only.
struct Value {
  std::string_view text;     ///< kString: decoded; kQuantity: as written
  std::string_view name;     ///< the member's name where the path ends in '*'
  std::int64_t integer = 0;  ///< kInteger
  double number = 0;         ///< kNumber
  bool truth = false;        ///< kBool
};

enum class Verdict : std::uint8_t {
  kKept,
  kSkipped,    ///< not wanted after all
  kBad,        ///< not readable as what it should be
  kNotFinite,  ///< a number out of range
};

/// Receives the wanted places. `id` is what want() was given.
class Visitor {
 public:
  virtual ~Visitor() = default;
  /// The document is read from its start (again): forget what it said.
  virtual void clear() = 0;
  virtual void open(int /*id*/) {}   ///< a wanted object or array begins
  virtual void close(int /*id*/) {}  ///< ... and ends
  virtual void null(int /*id*/) {}   ///< a wanted place holds null
  /// Anything but kKept: the value is as if it were absent.
  virtual Verdict value(int id, const Value& value) = 0;
};

/// The wanted places of one kind of document, as a tree of names.
class Paths {
 public:
  /// `path`: member names joined by dots; "[]" stands for the elements of an array, "*" for any member name:
  /// "[].id", "items[].metadata.labels.*". Objects and arrays on the way need not be wanted themselves.
  /// REQUIRES: at most 64 names wanted in one object; a place is wanted once.
  template <typename Field>
  void want(std::string_view path, Kind kind, Field id) {
    add(path, kind, static_cast<int>(id));
  }

 private:
  friend class Handler;
  using Place = std::uint16_t;
  static constexpr Place kNowhere = 0xFFFF;  ///< nothing is wanted there
  static constexpr int kNoId = -1;

  struct Name {
    std::string text;
    Place place;
  };
  struct Node {
    Kind kind = Kind::kObject;
    int id = kNoId;
    Place any = kNowhere;      ///< "*"; names under it may come twice
    Place element = kNowhere;  ///< "[]"
    std::vector<Name> names;
  };

  void add(std::string_view path, Kind kind, int id);
  Place child(Place parent, std::string_view name);
  Place element_of(Place array);
  Place new_place();

  std::vector<Node> nodes_{1};  // 0 is the document
};

class Reader {
 public:
  Reader();
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Reads one whole document. kTruncated when it ends too early, kJson when it is broken, too deep, or not
  /// the wanted kind of document (object or array). Adds to `counts`.
  Status read(std::string_view document, const Paths& paths, Visitor& visitor, ScrapeCounts& counts);

  /// Gives back what the longest string and the deepest document so far needed.
  void forget_buffers();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flintgauge::json
