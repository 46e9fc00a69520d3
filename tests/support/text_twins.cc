#include "support/text_twins.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <sstream>

namespace flintgauge {
namespace {

Status feed_in_pieces(Decoder& decoder, std::string_view body, const Split& split) {
  while (!body.empty()) {
    const std::size_t size = std::min(split(), body.size());
    // A copy of exactly these bytes: a read past their end is seen by AddressSanitizer.
    const std::vector<char> piece(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    if (Status fed = decoder.feed({piece.data(), piece.size()}); !fed) return fed;
    body.remove_prefix(size);
  }
  return {};
}

std::string reason_text(const std::optional<Reason>& reason) {
  return reason ? std::string(to_string(*reason)) : "success";
}

std::string compare_counts(const ScrapeCounts& fast, const ScrapeCounts& slow) {
  const auto text = [](const ScrapeCounts& c) {
    std::ostringstream out;
    out << "bytes " << c.bytes << " kept " << c.kept << " skipped " << c.skipped << " bad " << c.bad
        << " duplicate " << c.duplicate << " not_finite " << c.not_finite;
    return out.str();
  };
  return text(fast) == text(slow) ? "" : "counts: fast " + text(fast) + ", slow " + text(slow);
}

}  // namespace

std::string describe(const Route& route) {
  std::ostringstream out;
  out << static_cast<int>(route.measure) << '/' << static_cast<int>(route.scope) << ' '
      << route.namespace_name << '/' << route.pod << '/' << route.container << ' ' << route.container_id
      << ' ' << route.pod_uid << ' ' << route.app_id;
  return out.str();
}

std::size_t TextTwins::live() const {
  return static_cast<std::size_t>(
      std::count_if(routes_.begin(), routes_.end(), [](const auto& route) { return route.has_value(); }));
}

std::string TextTwins::scrape(std::string_view body, const Split& split) {
  const SlowScrape slow = slow_scrape(body, page_);
  decoder_->begin();
  std::optional<Reason> failure;
  std::string message;
  if (Status fed = feed_in_pieces(*decoder_, body, split); !fed) {
    failure = fed.error().reason;
    message = fed.error().message;
  } else if (Result<Batch> batch = decoder_->finish(); !batch) {
    failure = batch.error().reason;
    message = batch.error().message;
  } else {
    batch_ = std::get<SampleBatch>(*batch);
  }
  if (failure != slow.failure) {
    return "fast: " + reason_text(failure) + " (" + message + "), slow: " + reason_text(slow.failure);
  }
  if (failure) return "";
  if (std::string difference = compare_counts(decoder_->counts(), slow.counts); !difference.empty())
    return difference;
  return apply(slow);
}

std::string TextTwins::apply(const SlowScrape& slow) {
  routes_.resize(std::max(routes_.size(), batch_.routes.size()));
  for (const SeriesIndex series : batch_.retired) {
    if (series >= routes_.size() || !routes_[series]) return "retired a series that was not live";
    routes_[series].reset();
  }
  for (const SeriesIndex series : batch_.created) {
    if (series >= routes_.size() || routes_[series]) return "created a series that was live";
    routes_[series] = batch_.routes[series];
  }
  std::vector<std::string> fast_live;
  std::vector<std::string> slow_live;
  for (const auto& route : routes_) {
    if (route) fast_live.push_back(describe(*route));
  }
  for (const auto& [key, route] : slow.live) slow_live.push_back(describe(route));
  std::sort(fast_live.begin(), fast_live.end());
  std::sort(slow_live.begin(), slow_live.end());
  if (fast_live != slow_live) {
    return "live series: fast " + std::to_string(fast_live.size()) + ", slow " +
           std::to_string(slow_live.size());
  }
  return compare_samples(slow);
}

std::string TextTwins::compare_samples(const SlowScrape& slow) const {
  if (batch_.samples.size() != slow.samples.size()) return "number of samples";
  for (std::size_t i = 0; i < slow.samples.size(); ++i) {
    const Sample& fast = batch_.samples[i];
    if (!routes_[fast.series]) return "a sample of a series that is not live";
    const std::string fast_route = describe(*routes_[fast.series]);
    const std::string slow_route = describe(slow.samples[i].route);
    const bool same =
        fast_route == slow_route && fast.timestamp_ms == slow.samples[i].timestamp_ms &&
        std::bit_cast<std::uint64_t>(fast.value) == std::bit_cast<std::uint64_t>(slow.samples[i].value);
    if (same) continue;
    return "sample " + std::to_string(i) + ": fast " + fast_route + " = " + std::to_string(fast.value) +
           " @" + std::to_string(fast.timestamp_ms) + ", slow " + slow_route + " = " +
           std::to_string(slow.samples[i].value) + " @" + std::to_string(slow.samples[i].timestamp_ms);
  }
  return "";
}

}  // namespace flintgauge
