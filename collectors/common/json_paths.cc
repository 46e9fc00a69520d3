// The wanted places as a tree; nothing of RapidJSON here.
#include <algorithm>

#include "collectors/common/json.h"

namespace flintgauge::json {

Paths::Place Paths::new_place() {
  nodes_.emplace_back();
  return static_cast<Place>(nodes_.size() - 1);
}

Paths::Place Paths::child(Place parent, std::string_view name) {
  if (name == "*") {
    if (nodes_[parent].any == kNowhere) {
      const Place place = new_place();
      nodes_[parent].any = place;
    }
    return nodes_[parent].any;
  }
  for (const Name& known : nodes_[parent].names) {
    if (known.text == name) return known.place;
  }
  const Place place = new_place();
  nodes_[parent].names.push_back({std::string(name), place});
  return place;
}

Paths::Place Paths::element_of(Place array) {
  nodes_[array].kind = Kind::kArray;
  if (nodes_[array].element == kNowhere) {
    const Place place = new_place();
    nodes_[array].element = place;
  }
  return nodes_[array].element;
}

void Paths::add(std::string_view path, Kind kind, int id) {
  Place place = 0;
  while (!path.empty()) {
    if (path.starts_with("[]")) {
      place = element_of(place);
      path.remove_prefix(2);
    } else {
      if (path.starts_with('.')) path.remove_prefix(1);
      const std::size_t end = std::min(path.find_first_of(".["), path.size());
      place = child(place, path.substr(0, end));
      path.remove_prefix(end);
    }
  }
  nodes_[place].kind = kind;
  nodes_[place].id = id;
}

}  // namespace flintgauge::json
