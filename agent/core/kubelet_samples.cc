#include "agent/core/kubelet_samples.h"

#include <algorithm>

namespace flintgauge::kubelet {
namespace {

/// The sample's stamp, or kNoTimestamp when it has none that can be believed.
std::int64_t believed_ms(const Sample& sample, const Now& now) {
  const bool believed =
      sample.timestamp_ms >= kYear1971Ms && sample.timestamp_ms <= now.wall.ms + kMaxAheadMs;
  return believed ? sample.timestamp_ms : kNoTimestamp;
}

/// cAdvisor subtracts two unsigned numbers for swap: from here on the result is an underflow.
constexpr double kUnderflow = 9'223'372'036'854'775'808.0;

/// The cAdvisor page says most and is asked most often; then what stands in for it; then the JSON summary.
Rank preferred_rank(const Target& target) {
  if (!target.fallback_of.empty()) return 1;
  return target.expect == Expect::kJson ? 2 : 0;
}

}  // namespace

Rank SampleTable::rank_of(const Target& target) {
  for (Rank rank = 0; rank < kRanks; ++rank) {
    if (sources_[rank].key == target.key) return rank;
  }
  for (std::size_t i = 0; i < kRanks; ++i) {
    const auto rank = static_cast<Rank>((preferred_rank(target) + i) % kRanks);
    if (!sources_[rank].key.empty()) continue;
    sources_[rank].key = target.key;
    sources_[rank].fallback_of = target.fallback_of;
    return rank;
  }
  return kNoRank;
}

FoldCounts SampleTable::apply(const Target& target, const SampleBatch& batch, const Now& now,
                              std::int64_t agent_started_ms) {
  Pass pass{rank_of(target), now, agent_started_ms, {}};
  if (pass.rank == kNoRank) {
    pass.counts.unmatched = batch.samples.size();
    return pass.counts;
  }
  Source& source = sources_[pass.rank];
  source.fresh_ms = std::max(kFreshMs, 3 * target.pace.interval_ms);
  source.committed = now.steady;
  ++source.batch;
  bool changed = !source.counts;
  source.counts = true;
  changed |= bind_rows(batch, pass);
  changed |= note_presence(batch, pass);
  if (changed) choose_instances();
  newcomers_.clear();
  source.tells = source.incomplete = false;
  source.oldest_age_ms = kNoAge;
  for (const Sample& sample : batch.samples) take(source, sample, pass);
  if (!newcomers_.empty()) take_newcomers(pass);
  return pass.counts;
}

void SampleTable::take(Source& source, const Sample& sample, Pass& pass) {
  const Row& row = source.rows[sample.series];
  switch (row.kind) {
    case RowKind::kIgnored:
    case RowKind::kStartTime:
      ++pass.counts.folded;
      break;
    case RowKind::kScrapeError:
      source.tells = true;
      source.incomplete |= sample.value != 0;
      ++pass.counts.folded;
      break;
    case RowKind::kEvidence:
      take_evidence(row.measure, sample.value);
      ++pass.counts.folded;
      break;
    case RowKind::kGauge:
      take_gauge(row, sample, pass);
      break;
    case RowKind::kCounter:
      take_counter(sample.series, sample, pass);
      break;
  }
}

/// True when the set of rows changed.
bool SampleTable::bind_rows(const SampleBatch& batch, const Pass& pass) {
  Source& source = sources_[pass.rank];
  if (source.rows.size() < batch.routes.size()) source.rows.resize(batch.routes.size());
  for (const SeriesIndex series : batch.retired) {
    if (series < source.rows.size()) let_go(source.rows[series], pass.now);
  }
  for (const SeriesIndex series : batch.created) {
    Row& row = source.rows[series];
    let_go(row, pass.now);  // a new decoder of the target numbers its series from 0 again
    const Route& route = batch.routes[series];
    row.measure = route.measure;
    row.kind = kind_of(route.scope, route.measure);
    if (row.kind != RowKind::kIgnored && row.kind != RowKind::kScrapeError)
      row.slot = slots_.bind(route, pass.now);
  }
  return !batch.retired.empty() || !batch.created.empty();
}

void SampleTable::let_go(Row& row, const Now& now) {
  if (row.slot == kNoSlot) return;
  if (row.kind == RowKind::kCounter) forget_baseline(row);
  slots_.release(row.slot, now);
  row = Row{};
}

void SampleTable::forget_baseline(Row& row) {
  Channel& channel = channel_of_row(row);
  if (row.reign == 0 || row.reign != channel.reign) return;
  row.reign = 0;
  channel.parked += row.value;
  ++channel.parked_rows;
  --channel.rows;
}

/// Marks the slots that have rows in this batch and reads start times, which may stand behind the counters
/// they are needed for. True when a start time changed.
bool SampleTable::note_presence(const SampleBatch& batch, const Pass& pass) {
  const Source& source = sources_[pass.rank];
  bool changed = false;
  for (const Sample& sample : batch.samples) {
    const Row& row = source.rows[sample.series];
    if (row.slot == kNoSlot) continue;
    Slot& slot = slots_.meant(row.slot);
    slot.seen[pass.rank] = source.batch;
    if (row.kind != RowKind::kStartTime || !(sample.value > 0) || sample.value > 1e11) continue;
    const auto start_ms = static_cast<std::int64_t>(sample.value * 1000);
    if (start_ms > slot.start_ms) {  // sources differ by a second or two; a restart is always later
      slot.start_ms = start_ms;
      changed = true;
    }
  }
  return changed;
}

void SampleTable::choose_instances() {
  std::array<std::uint32_t, kRanks> newest{};
  for (std::size_t rank = 0; rank < kRanks; ++rank)
    newest[rank] = sources_[rank].counts ? sources_[rank].batch : 0;
  slots_.choose_instances(newest);
}

void SampleTable::take_evidence(Measure measure, double value) {
  if (is_pressure(measure)) measures_pressure_ |= value > 0;
  if (measure == Measure::kMemorySwapBytes) measures_swap_ |= value > 0 && value < kUnderflow;
}

void SampleTable::take_gauge(const Row& row, const Sample& sample, Pass& pass) {
  Source& source = sources_[pass.rank];
  if (row.measure == Measure::kMemorySwapBytes) {
    if (sample.value < 0 || sample.value >= kUnderflow) {
      ++pass.counts.impossible;
      return;
    }
    take_evidence(row.measure, sample.value);
  }
  Slot& own = slots_[row.slot];
  Slot& slot = own.scope == Scope::kContainer ? slots_[own.meant] : own;
  const std::int64_t stamp = believed_ms(sample, pass.now);
  const std::int64_t sampled_ms = stamp == kNoTimestamp ? pass.now.wall.ms : stamp;
  Cell& cell = slot.gauges[gauge_place(own.scope, row.measure)][pass.rank];
  if (cell.batch == source.batch) {
    cell.value += sample.value;
    cell.sampled_ms = std::min(cell.sampled_ms, sampled_ms);
  } else {
    cell = Cell{sample.value, sampled_ms, source.batch};
  }
  if (slot.scope != Scope::kNode && slot.pod == kNoPod) {
    ++pass.counts.unmatched;
  } else if (slot.superseded) {
    ++pass.counts.superseded;
  } else if (!SlotTable::is_live(slot)) {
    ++pass.counts.not_live;
  } else {
    const std::int64_t age_ms = pass.now.wall.ms - sampled_ms;
    if (row.measure == Measure::kMemoryWorkingSetBytes && slot.scope == Scope::kContainer)
      source.oldest_age_ms = std::max(source.oldest_age_ms, std::max<std::int64_t>(age_ms, 0));
    ++(age_ms > source.fresh_ms ? pass.counts.stale : pass.counts.folded);
  }
}

const Cell* SampleTable::fresh_cell(const std::array<Cell, kRanks>& cells, const Now& now) const {
  const Cell* found = nullptr;
  const Source* speaker = nullptr;
  for (std::size_t rank = 0; rank < kRanks; ++rank) {
    const Source& source = sources_[rank];
    const Cell& cell = cells[rank];
    if (!source.counts || cell.batch != source.batch || now.wall.ms - cell.sampled_ms > source.fresh_ms)
      continue;
    // What stands in is asked only while the other fails: then its word is the newer one.
    const bool stands_in =
        speaker != nullptr && source.fallback_of == speaker->key && source.committed > speaker->committed;
    if (found != nullptr && !stands_in) continue;
    found = &cell;
    speaker = &source;
  }
  return found;
}

/// False, and counted, when the sample is nobody's or no count.
bool SampleTable::is_countable(const Slot& slot, const Sample& sample, Pass& pass) const {
  const bool of_pod = slot.scope != Scope::kNode;
  if (of_pod && slot.pod == kNoPod) {
    ++pass.counts.unmatched;
  } else if (of_pod && slot.scope != Scope::kContainer && pods_[slot.pod].host_network) {
    ++pass.counts.host_network;
  } else if (sample.value < 0) {  // the baseline stays for the next good value
    ++pass.counts.impossible;
  } else {
    return true;
  }
  return false;
}

void SampleTable::take_counter(std::uint32_t index, const Sample& sample, Pass& pass) {
  Row& row = sources_[pass.rank].rows[index];
  const Slot& slot = slots_.meant(row.slot);
  if (!is_countable(slot, sample, pass)) return;
  Channel& channel = channel_of_row(row);
  const std::int64_t stamp = believed_ms(sample, pass.now);
  const bool stamped = stamp != kNoTimestamp;
  const std::int64_t sampled_ms = stamped ? stamp : pass.now.wall.ms;
  if (row.reign == 0 || row.reign != channel.reign) {
    newcomers_.push_back({index, sample.value, sampled_ms, stamped});
    channel.incoming += sample.value;
    ++channel.incoming_rows;
    channel.incoming_ms = std::max(channel.incoming_ms, sampled_ms);
    return;
  }
  // A baseline far in the future was stamped before the clock was set back.
  const bool comparable = stamped && row.stamped && row.sampled_ms <= pass.now.wall.ms + kMaxAheadMs;
  if (comparable && sampled_ms <= row.sampled_ms) {
    ++pass.counts.unchanged;
    return;
  }
  // Rows without a container id tell a restart by the start time too: the new instance may have used more
  // already than the old one had.
  const bool restarted = slots_[row.slot].route.container_id.empty() && slot.start_ms > row.sampled_ms &&
                         channel.start_ms != kNoTimestamp && slot.start_ms != channel.start_ms;
  const bool reset = sample.value < row.value || restarted;
  if (reset) {
    ++pass.counts.counter_resets;
    channel.former = kNoRank;
  }
  const double amount = reset ? sample.value : sample.value - row.value;
  add(slot, row.measure, amount);
  channel.since += amount;
  channel.counted += amount;
  row.value = sample.value;
  row.sampled_ms = sampled_ms;
  row.stamped = stamped;
  channel.last_ms = std::max(channel.last_ms, sampled_ms);
  if (slot.start_ms != kNoTimestamp) channel.start_ms = slot.start_ms;
  ++pass.counts.folded;
}

/// Rows without a valid baseline: new series, series that came back, another source. Decided by channel,
/// because what was counted before is known only as a sum.
void SampleTable::take_newcomers(Pass& pass) {
  const Source& source = sources_[pass.rank];
  bool any_replaced = false;
  for (const Newcomer& newcomer : newcomers_) {
    const Row& row = source.rows[newcomer.row];
    Channel& channel = channel_of_row(row);
    if (channel.decided) continue;
    channel.decided = true;
    channel.accepted = accepts(channel, row.slot, pass);
    channel.replaced = channel.accepted && channel.rows != 0 && channel.rank != pass.rank;
    any_replaced |= channel.replaced;
  }
  if (any_replaced) park_replaced();
  for (const Newcomer& newcomer : newcomers_) take_newcomer(newcomer, pass);
  for (const Newcomer& newcomer : newcomers_) {
    Channel& channel = channel_of_row(source.rows[newcomer.row]);
    channel.decided = channel.accepted = channel.replaced = false;
    channel.incoming = 0;
    channel.incoming_rows = 0;
    channel.incoming_ms = kNoTimestamp;
  }
}

void SampleTable::take_newcomer(const Newcomer& newcomer, Pass& pass) {
  Row& row = sources_[pass.rank].rows[newcomer.row];
  const Slot& slot = slots_.meant(row.slot);
  Channel& channel = channel_of_row(row);
  if (!channel.accepted) {
    ++pass.counts.superseded;
    return;
  }
  if (channel.decided) {  // the first of its rows brings the amount of all
    channel.decided = false;
    const double amount = first_amount(channel, slot, pass);
    add(slot, row.measure, amount);
    channel.since += amount;
    channel.counted += amount;
    begin_reign(channel, slot, row.slot, pass.rank);
  }
  row.value = newcomer.value;
  row.sampled_ms = newcomer.sampled_ms;
  row.stamped = newcomer.stamped;
  row.reign = channel.reign;
  ++channel.rows;
  ++pass.counts.folded;
}

/// A source that reigns gives way to a better one, or to the one that stands in for it: that one is asked
/// only while the other fails.
bool SampleTable::accepts(const Channel& channel, SlotIndex speaker, const Pass& pass) const {
  if (channel.reign == 0) return true;
  const bool future = channel.last_ms > pass.now.wall.ms + kMaxAheadMs;  // the clock was set back
  if (channel.incoming_ms < channel.last_ms && !future) return false;
  if (channel.rows == 0) return true;
  if (channel.rank == pass.rank) return channel.reigning == speaker;
  return pass.rank < channel.rank || sources_[pass.rank].fallback_of == sources_[channel.rank].key;
}

/// What the newcomers of a channel add to the total: their sum, less what was counted of the same thing
/// before.
double SampleTable::first_amount(Channel& channel, const Slot& slot, Pass& pass) const {
  const std::int64_t start_ms = slots_.started_ms(slot);
  const bool counts_from_zero = start_ms != kNoTimestamp && start_ms > pass.agent_started_ms;
  if (channel.reign == 0) return counts_from_zero ? channel.incoming : 0;
  if (start_ms != kNoTimestamp && channel.start_ms != kNoTimestamp && start_ms != channel.start_ms &&
      start_ms > channel.last_ms) {  // a new life since the last sample
    ++pass.counts.counter_resets;
    channel.parked = 0;
    channel.former = kNoRank;
    return channel.incoming;
  }
  if (channel.rank != pass.rank) return amount_after_change(channel, pass.rank);
  if (channel.rows != 0 && channel.parked == 0)
    return counts_from_zero ? channel.incoming : 0;  // one row more
  // With a row among them that was not there before, nobody can tell its past from the growth of the others.
  const bool mixed = channel.incoming_rows > channel.parked_rows && !counts_from_zero;
  const double amount = mixed ? 0 : std::max(0.0, channel.incoming - channel.parked);
  channel.parked = std::max(0.0, channel.parked - channel.incoming);
  return amount;
}

/// Two sources may differ in what they add up (the summary tells one interface): one that comes back is
/// compared with what it said itself, less what the other has counted meanwhile.
double SampleTable::amount_after_change(Channel& channel, Rank rank) {
  const double counted = channel.former == rank ? channel.former_sum + channel.since : channel.parked;
  channel.former = channel.rank;
  channel.former_sum = channel.parked;
  channel.since = 0;
  channel.parked = 0;
  return std::max(0.0, channel.incoming - counted);
}

void SampleTable::begin_reign(Channel& channel, const Slot& slot, SlotIndex speaker, Rank rank) {
  if (channel.rows == 0) channel.reign = slots_.next_reign();
  channel.parked_rows -= std::min(channel.parked_rows, channel.incoming_rows);
  channel.reigning = speaker;
  channel.rank = rank;
  channel.last_ms = std::max(channel.last_ms, channel.incoming_ms);
  channel.start_ms = slots_.started_ms(slot);
}

/// The present rows of channels that another source takes over: their sum is what has been counted.
void SampleTable::park_replaced() {
  for (Source& source : sources_) {
    for (Row& row : source.rows) {
      if (row.slot != kNoSlot && row.kind == RowKind::kCounter && channel_of_row(row).replaced)
        forget_baseline(row);
    }
  }
}

void SampleTable::drop(const Target& target) {
  for (Source& source : sources_) {
    if (source.key != target.key) continue;
    source.counts = false;
    for (Row& row : source.rows) {
      if (row.slot != kNoSlot && row.kind == RowKind::kCounter) forget_baseline(row);
    }
  }
}

void SampleTable::add(const Slot& slot, Measure measure, double amount) {
  if (slot.scope == Scope::kNode) {
    node_.cpu_seconds += amount;
    node_.fed = true;
    return;
  }
  const KnownPod& pod = pods_[slot.pod];
  groups_.add(pod.app, column_of(measure), amount);
  groups_.add(pod.workload, column_of(measure), amount);
}

}  // namespace flintgauge::kubelet
