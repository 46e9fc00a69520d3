#include "flintgauge/block.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "flintgauge/exposition.h"

namespace flintgauge {

std::pair<std::size_t, std::size_t> Schema::range(FamilyId family) const {
  const auto first = std::ranges::lower_bound(rows_, family, {}, &Row::family);
  const auto last = std::ranges::upper_bound(first, rows_.end(), family, {}, &Row::family);
  return {static_cast<std::size_t>(first - rows_.begin()), static_cast<std::size_t>(last - rows_.begin())};
}

std::uint32_t SchemaBuilder::add(FamilyId family, std::span<const std::string_view> label_values) {
  assert(label_values.size() == info(family).label_count());
  entries_.push_back(
      {family, static_cast<std::uint32_t>(pieces_.size()), static_cast<std::uint32_t>(label_values.size())});
  for (const std::string_view value : label_values) {
    pieces_.push_back({static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(value.size())});
    text_ += value;
  }
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

std::uint32_t SchemaBuilder::add(FamilyId family, std::initializer_list<std::string_view> label_values) {
  return add(family, std::span(label_values.begin(), label_values.size()));
}

int SchemaBuilder::compare(const Entry& a, const Entry& b) const {
  if (a.family != b.family) return a.family < b.family ? -1 : 1;
  for (std::uint32_t i = 0; i < a.piece_count; ++i) {
    const int order = text(pieces_[a.first_piece + i]).compare(text(pieces_[b.first_piece + i]));
    if (order != 0) return order;
  }
  return 0;
}

/// `values` gets where each label value lies in the schema's arena: inside the prefix when it needed no
/// escape, else as a copy of its own behind it.
void SchemaBuilder::append(const Entry& entry, Schema& schema, std::vector<Piece>& values) const {
  std::string& arena = schema.arena_;
  const Family& family = info(entry.family);
  const auto position = [&arena] { return static_cast<std::uint32_t>(arena.size()); };
  Schema::Row row{entry.family, static_cast<std::uint32_t>(values.size()), entry.piece_count, position(), 0};
  arena += family.name;
  for (std::uint32_t i = 0; i < entry.piece_count; ++i) {
    arena += i == 0 ? '{' : ',';
    arena += family.labels[i];
    arena += "=\"";
    values.push_back({position(), pieces_[entry.first_piece + i].size});
    append_escaped(text(pieces_[entry.first_piece + i]), arena);
    arena += '"';
  }
  arena += entry.piece_count == 0 ? " " : "} ";
  row.prefix_size = position() - row.prefix_begin;
  schema.rows_.push_back(row);
  for (std::uint32_t i = 0; i < entry.piece_count; ++i) {
    const std::string_view raw = text(pieces_[entry.first_piece + i]);
    Piece& value = values[row.first_value + i];
    if (std::string_view(arena).substr(value.begin, value.size) == raw) continue;
    value.begin = position();
    arena += raw;
  }
}

SchemaBuilder::Built SchemaBuilder::build() {
  std::vector<std::uint32_t> order(entries_.size());
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
    const int by_key = compare(entries_[a], entries_[b]);
    return by_key != 0 ? by_key < 0 : a < b;  // of equal ones the first added wins
  });
  const auto equal = [this](std::uint32_t a, std::uint32_t b) {
    return compare(entries_[a], entries_[b]) == 0;
  };
  order.erase(std::unique(order.begin(), order.end(), equal), order.end());

  auto schema = std::make_shared<Schema>();
  std::vector<Piece> values;
  values.reserve(pieces_.size());
  schema->rows_.reserve(order.size());
  for (const std::uint32_t ticket : order) append(entries_[ticket], *schema, values);
  schema->arena_.shrink_to_fit();
  schema->values_.reserve(values.size());
  for (const Piece& value : values) {
    schema->values_.emplace_back(schema->arena_.data() + value.begin, value.size);
  }
  entries_.clear();
  pieces_.clear();
  text_.clear();
  return {std::move(schema), std::move(order)};
}

}  // namespace flintgauge
