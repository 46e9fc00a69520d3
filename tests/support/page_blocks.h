// Blocks for tests of the page: each shard's block gets series of the families that its owner has.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "flintgauge/block.h"
#include "flintgauge/catalogue.h"

namespace flintgauge::testing {

/// Any double: whole, fractional, tiny, huge, infinite, not a number.
inline double any_value(std::mt19937_64& random) {
  switch (random() % 8) {
    case 0:
      return static_cast<double>(random() % 1000);
    case 1:
      return static_cast<double>(random() >> 8);
    case 2:
      return -static_cast<double>(random() % 100) / 7;
    case 3:
      return static_cast<double>(random() % 1'000'000'007) / 1e3;
    case 4:
      return std::ldexp(1.0, static_cast<int>(random() % 2000) - 1000);
    case 5: {
      const double special[] = {0.0,
                                -0.0,
                                1e21,
                                1e22,
                                9007199254740992.0,
                                9007199254740994.0,
                                5e-324,
                                std::numeric_limits<double>::max(),
                                std::numeric_limits<double>::infinity(),
                                -std::numeric_limits<double>::infinity(),
                                std::numeric_limits<double>::quiet_NaN()};
      return special[random() % std::size(special)];
    }
    default:
      return std::bit_cast<double>(static_cast<std::uint64_t>(random()));  // any bits
  }
}

inline std::string any_text(std::mt19937_64& random) {
  static constexpr std::string_view kPieces[] = {"a", "team-b", "\"", "\\", "\n",       "{",         "}",
                                                 ",", "=",      " ",  "#",  "\xc3\xa4", "spark-0a1b"};
  std::string text;
  for (auto count = random() % 4; count > 0; --count) text += kPieces[random() % std::size(kPieces)];
  return text;
}

/// `tries` random series of the families of `owner`; `value` and `text` make values and label values.
template <typename Value, typename Text>
std::unique_ptr<Block> make_block(Owner owner, std::size_t tries, std::mt19937_64& random, Value value,
                                  Text text) {
  std::vector<FamilyId> families;
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    if (kCatalogue[i].owner == owner) families.push_back(static_cast<FamilyId>(i));
  }
  SchemaBuilder builder;
  for (std::size_t i = 0; i < tries; ++i) {
    const FamilyId id = families[i < families.size() ? i : random() % families.size()];
    std::vector<std::string> values(info(id).label_count());
    for (std::string& label : values) label = text(random);
    builder.add(id, std::vector<std::string_view>(values.begin(), values.end()));
  }
  auto block = std::make_unique<Block>();
  block->schema = builder.build().schema;
  for (std::size_t i = 0; i < block->schema->size(); ++i) block->values.push_back(value(random));
  return block;
}

}  // namespace flintgauge::testing
