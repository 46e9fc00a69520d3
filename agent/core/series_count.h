// How many series each namespace costs: flintgauge_series. Private to the evaluator. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/core/app_table.h"
#include "flintgauge/block.h"

namespace flintgauge {

class SeriesCount {
 public:
  using Blocks = std::array<const Block*, 3>;  ///< of the sources; null when they have published nothing

  /// Counts the source blocks anew when their schemas are others than last time. `own_changed`: so will be
  /// the derived block's set, which has the namespaces of `apps` and `hinted`. True when the set of
  /// namespaces changed.
  bool read(const Blocks& sources, bool own_changed, const std::vector<App>& apps,
            const std::vector<AppKey>& hinted);

  /// Counts the derived block, once it is built.
  void read_own(const Schema& schema);

  /// Sorted by name; "" is the node and the agent.
  const std::vector<std::pair<std::string, std::size_t>>& namespaces() const { return namespaces_; }

 private:
  using Tally = std::map<std::string, std::size_t, std::less<>>;
  static void tally(const Schema& schema, Tally& into);
  void sum();

  Tally sources_, own_;
  std::vector<std::pair<std::string, std::size_t>> namespaces_;
  // Kept alive, so that an equal address is the same object.
  std::array<std::shared_ptr<const Schema>, std::tuple_size_v<Blocks>> schemas_;
};

}  // namespace flintgauge
