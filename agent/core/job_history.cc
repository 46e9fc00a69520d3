#include "agent/core/job_history.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>

namespace flintgauge {

void DecayingRatio::add(double part_more, double whole_more, WallTime now) {
  if (!std::isfinite(part_more) || !std::isfinite(whole_more) || part_more < 0 || whole_more < 0) return;
  const double days =
      static_cast<double>(std::max<std::int64_t>(now.ms - at.ms, 0)) / static_cast<double>(kDayMs);
  const double kept = std::exp2(-days);
  part = part * kept + part_more;
  whole = whole * kept + whole_more;
  at = std::max(at, now);
}

std::optional<double> DecayingRatio::value() const {
  if (!(whole > 0)) return std::nullopt;
  return part / whole;
}

void OomFloor::raise(double to_bytes, WallTime now) {
  if (!std::isfinite(to_bytes) || to_bytes < value(now)) return;
  bytes = to_bytes;
  at = now;
}

void JobRecord::note_run(std::string_view app_id) {
  const std::uint64_t hash = std::max<std::uint64_t>(XXH3_64bits(app_id.data(), app_id.size()), 1);
  if (std::find(recent_runs.begin(), recent_runs.end(), hash) != recent_runs.end()) return;
  recent_runs[next_run] = hash;
  next_run = static_cast<std::uint8_t>((next_run + 1U) % kRecentRuns);
  ++runs;
}

JobRecord& JobHistory::use(const JobKey& key, WallTime now) {
  auto at = jobs_.find(key);
  if (at == jobs_.end()) {
    if (jobs_.size() >= kMaxJobs) drop_one();
    at = jobs_.try_emplace(key).first;
  }
  at->second.used = std::max(at->second.used, now);
  return at->second;
}

const JobRecord* JobHistory::find(const JobKey& key) const {
  const auto at = jobs_.find(key);
  return at == jobs_.end() ? nullptr : &at->second;
}

WallTime JobHistory::newest() const {
  WallTime newest;
  for (const auto& [key, record] : jobs_) newest = std::max(newest, record.used);
  return newest;
}

void JobHistory::drop_one() {
  // Keys of a namespace lie together.
  std::size_t most = 0;
  auto oldest = jobs_.end();
  for (auto begin = jobs_.begin(); begin != jobs_.end();) {
    auto least = begin;
    auto end = begin;
    std::size_t count = 0;
    for (; end != jobs_.end() && end->first.namespace_name == begin->first.namespace_name; ++end, ++count) {
      if (end->second.used < least->second.used) least = end;
    }
    if (count > most) {
      most = count;
      oldest = least;
    }
    begin = end;
  }
  if (oldest == jobs_.end()) return;
  jobs_.erase(oldest);
  ++dropped_;
}

}  // namespace flintgauge
