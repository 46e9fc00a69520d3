// A slot is what a row is about: a container instance, a pod's sandbox, a pod, or the node. Slots are
// resolved to pods, series are not: when the pod list changes, some hundred slots are looked up anew and no
// series. Private to the kubelet fold; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/core/kubelet_pods.h"
#include "flintgauge/collector.h"
#include "flintgauge/identity.h"

namespace flintgauge::kubelet {

using SlotIndex = std::uint32_t;
inline constexpr SlotIndex kNoSlot = UINT32_MAX;

/// One of the targets that speak about slots; kept small because every gauge has a cell for each.
using Rank = std::uint8_t;
inline constexpr std::size_t kRanks = 3;  ///< the full text page, its stand-in, the summary
inline constexpr Rank kSummaryRank = 2;   ///< where the summary is, if it came in the usual order
inline constexpr Rank kNoRank = kRanks;

/// One counter of one slot. Its rows (per CPU, device, interface) each have their own baseline; the channel
/// knows whose rows count now and what was counted before them, so that a change of source or a row that
/// comes back neither loses nor repeats anything.
struct Channel {
  double counted = 0;     ///< since the slot was made
  double parked = 0;      ///< counted of this slot by rows that no longer have a baseline
  double former_sum = 0;  ///< what the source that reigned before this one had counted, and
  double since = 0;       ///< what has been counted since, should it come back
  double incoming = 0;    ///< of the batch being applied: sum of rows without a baseline
  std::int64_t incoming_ms = kNoTimestamp;
  std::int64_t last_ms = kNoTimestamp;   ///< newest sample counted, wall clock
  std::int64_t start_ms = kNoTimestamp;  ///< of the slot, when it was counted last
  std::uint32_t reign = 0;               ///< rows with this number have a valid baseline; 0 = never counted
  SlotIndex reigning = kNoSlot;   ///< the slot whose rows count: this one, or one without an id that means it
  std::uint32_t parked_rows = 0;  ///< that many rows are in `parked`
  std::uint32_t incoming_rows = 0;  ///< and in `incoming`
  std::uint32_t rows = 0;           ///< rows with a valid baseline
  Rank former = kNoRank;            ///< that source
  Rank rank = kNoRank;              ///< their source, or the last that there was
  bool decided = false;             ///< of the batch being applied
  bool accepted = false;
  bool replaced = false;  ///< its present rows give way to another source's
};
inline constexpr std::size_t kSlotCounters = 14;

/// Place of a counter among a slot's channels: a slot has either container counters or network counters.
constexpr std::size_t channel_of(Measure counter) {
  const auto place = static_cast<std::size_t>(counter);
  return place < kSlotCounters ? place : place - kSlotCounters;
}
static_assert(static_cast<std::size_t>(Measure::kNetworkReceiveBytes) == kSlotCounters);
static_assert(kSampledCounters <= 2 * kSlotCounters);

/// The newest value of a gauge from one source.
struct Cell {
  double value = 0;
  std::int64_t sampled_ms = 0;  ///< wall clock
  std::uint32_t batch = 0;      ///< the source's batch that gave it; 0 = none
};
inline constexpr std::size_t kSlotGauges = 5;

/// Place of a gauge among a slot's cells, by scope.
std::size_t gauge_place(Scope scope, Measure gauge);

/// A slot's channels. Slots that only have gauges, or whose rows mean another slot, never need any.
class Channels {
 public:
  /// To count into: made when it is the first.
  Channel& at(std::size_t place) {
    if (made_ == nullptr) made_ = std::make_unique<std::array<Channel, kSlotCounters>>();
    return (*made_)[place];
  }
  /// To read.
  const Channel& operator[](std::size_t place) const { return made_ != nullptr ? (*made_)[place] : kNothing; }

 private:
  static constexpr Channel kNothing{};
  std::unique_ptr<std::array<Channel, kSlotCounters>> made_;
};

struct Slot {
  bool used = false;
  Scope scope = Scope::kContainer;
  Route route;                               ///< what the rows say of themselves; measure is meaningless
  std::uint32_t rows = 0;                    ///< series bound to it, of all sources
  std::uint64_t serial = 0;                  ///< of its making: the later, the younger
  SteadyTime last_bound;                     ///< when a row was bound or let go last
  std::int64_t start_ms = kNoTimestamp;      ///< of the container, as rows say
  std::array<std::uint32_t, kRanks> seen{};  ///< newest batch of each source with a row of this slot

  // From the pod list.
  PodNumber pod = kNoPod;
  const Pod* listed_pod = nullptr;    ///< null when the newest list does not have it
  const Container* listed = nullptr;  ///< null when the newest list does not have it
  bool is_meant = false;              ///< scratch of expire(): by another slot
  SlotIndex meant = kNoSlot;          ///< the slot that holds the numbers: itself, or the one with an id
  std::uint8_t lists_missed = 0;      ///< lists since it was made that did not know it
  bool superseded = false;            ///< a newer instance of the same container has rows too

  Channels counters;
  std::array<std::array<Cell, kRanks>, kSlotGauges> gauges;
};

class SlotTable {
 public:
  explicit SlotTable(PodTable& pods) : pods_(pods) {}

  /// The slot of a row; made and resolved when it is new.
  SlotIndex bind(const Route& route, const Now& now);
  void release(SlotIndex index, const Now& now);

  /// Looks every slot up in a new list; null: there is no list to trust any more.
  void resolve_all(std::shared_ptr<const PodList> list);

  /// Decides which of several instances of a container counts. `newest`: the newest batch of each source, 0
  /// when it has none that counts. Call after slots, start times, sources or lists changed.
  void choose_instances(const std::array<std::uint32_t, kRanks>& newest);

  /// Forgets slots without rows, and unbinds from pods that ended.
  void expire(const Now& now);
  void unbind(PodNumber pod);

  Slot& operator[](SlotIndex index) { return slots_[index]; }
  Slot& meant(SlotIndex index) { return slots_[slots_[index].meant]; }
  const std::vector<Slot>& all() const { return slots_; }

  /// Runs in a container that the list says is running, in a running pod. The node always lives.
  static bool is_live(const Slot& slot);
  /// When the thing started: rows first, then the list. kNoTimestamp when nobody says.
  std::int64_t started_ms(const Slot& slot) const;
  /// True when a slot waits for a list that knows it. A slot that three lists did not know waits no longer.
  bool wants_pods() const;
  std::uint32_t next_reign() { return ++reigns_; }

 private:
  SlotIndex find_or_make(const Route& route, const Now& now);
  void resolve(SlotIndex index);
  PodRef look_up(const Slot& slot) const;
  void note_sandbox(SlotIndex index);
  void mean(SlotIndex index);
  SlotIndex meaning_of(SlotIndex index);
  void hand_on(Slot& from, Slot& to, SlotIndex speaker);
  static bool waits_for_list(const Slot& slot);

  PodTable& pods_;
  std::shared_ptr<const PodList> list_;
  std::unique_ptr<PodIndex> index_;
  std::vector<Slot> slots_;
  std::vector<SlotIndex> free_;
  std::vector<SlotIndex> order_;  ///< scratch of choose_instances
  std::uint64_t serials_ = 0;
  std::uint32_t reigns_ = 0;
  std::unordered_map<std::string, SlotIndex> by_key_;
  std::unordered_map<PodNumber, SlotIndex> sandboxes_;  ///< newest sandbox with an id, by pod
};

}  // namespace flintgauge::kubelet
