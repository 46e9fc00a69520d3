// A series set that seldom changes and whose values change always: the schema is built when the set is new,
// and afterwards the same walk only writes the values. One thread.
#pragma once

#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "flintgauge/block.h"

namespace flintgauge {

class SeriesList {
 public:
  /// Runs `walk` (a callable that calls add() for every series, always in the same order) and writes schema
  /// and values of the block. `rebuild`: the set of series is another than at the last call.
  template <typename Walk>
  void fill(Block& block, bool rebuild, Walk&& walk) {
    building_ = rebuild || schema_ == nullptr;
    added_.clear();
    std::forward<Walk>(walk)(*this);
    if (building_) {
      SchemaBuilder::Built built = builder_.build();
      schema_ = std::move(built.schema);
      ticket_of_ = std::move(built.ticket_of);
      count_ = added_.size();
    }
    assert(added_.size() == count_);
    block.schema = schema_;
    block.values.resize(ticket_of_.size());
    for (std::size_t i = 0; i < ticket_of_.size(); ++i) block.values[i] = added_[ticket_of_[i]];
  }

  void add(FamilyId family, std::initializer_list<std::string_view> labels, double value) {
    if (building_) builder_.add(family, labels);
    added_.push_back(value);
  }

 private:
  SchemaBuilder builder_;
  std::shared_ptr<const Schema> schema_;
  std::vector<std::uint32_t> ticket_of_;
  std::vector<double> added_;  // by ticket
  std::size_t count_ = 0;
  bool building_ = false;
};

}  // namespace flintgauge
