#include "agent/io/self_metrics.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "agent/io/log.h"
#include "agent/io/process_stats.h"
#include "flintgauge/budget.h"

namespace flintgauge {
namespace {

constexpr std::array<std::string_view, 14> kResultNames = {
    "kept",         "skipped",    "bad",      "duplicate", "not_finite", "folded",     "unmatched",
    "host_network", "superseded", "not_live", "stale",     "unchanged",  "impossible", "left_out"};
constexpr std::array<std::string_view, 4> kMethodNames = {"GET", "HEAD", "POST", "other"};

/// Kept elsewhere as totals and read when a page is made: the registry cannot be set to a total.
bool is_read_at_collection(std::string_view name) {
  return name.starts_with("process_") || name.starts_with("flintgauge_store_") ||
         name == info(family("flintgauge_log_suppressed_total")).name;
}

prometheus::Labels labels_of(const Family& entry, std::initializer_list<std::string_view> values) {
  prometheus::Labels labels;
  std::size_t i = 0;
  for (const std::string_view value : values) labels.emplace(entry.labels.at(i++), value);
  return labels;
}

void add(prometheus::Counter* counter, std::uint64_t amount) noexcept {
  if (amount != 0) counter->Increment(static_cast<double>(amount));
}

using LabelValues = std::vector<std::string_view>;

/// Label values in the order of the catalogue: prometheus-cpp sorts its labels by name.
LabelValues values_of(const Family& entry, const prometheus::ClientMetric& metric) {
  LabelValues values;
  for (std::size_t i = 0; i < entry.label_count(); ++i) {
    const auto label = std::find_if(
        metric.label.begin(), metric.label.end(),
        [&](const prometheus::ClientMetric::Label& candidate) { return candidate.name == entry.labels[i]; });
    values.push_back(label == metric.label.end() ? std::string_view() : std::string_view(label->value));
  }
  return values;
}

void append_series(const Family& entry, const LabelValues& values, double value, std::string& out) {
  out += entry.name;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out += i == 0 ? '{' : ',';
    out += entry.labels[i];
    out += "=\"";
    append_escaped(values[i], out);
    out += '"';
  }
  out += values.empty() ? " " : "} ";
  append_value(value, out);
  out += '\n';
}

/// Series in the order of their label values: the registry's own order is that of a hash table.
void append_family(const Family& entry, const prometheus::MetricFamily& collected, PageFormat format,
                   std::string& out) {
  if (collected.metric.empty()) return;
  std::vector<std::pair<LabelValues, double>> series;
  for (const prometheus::ClientMetric& metric : collected.metric) {
    const bool is_counter = collected.type == prometheus::MetricType::Counter;
    series.emplace_back(values_of(entry, metric), is_counter ? metric.counter.value : metric.gauge.value);
  }
  std::sort(series.begin(), series.end());
  append_family_header(entry, format, out);
  for (const auto& [values, value] : series) append_series(entry, values, value, out);
}

/// What is read at collection; absent when it is not known.
struct Totals {
  std::optional<ProcessStats> process;
  std::optional<Store::Statistics> store;

  std::optional<double> value(FamilyId id) const {
    const auto of_process = [this](auto member) -> std::optional<double> {
      if (!process) return std::nullopt;
      return static_cast<double>((*process).*member);
    };
    const auto of_store = [this](auto member) -> std::optional<double> {
      if (!store) return std::nullopt;
      return static_cast<double>((*store).*member);
    };
    switch (id) {
      case family("flintgauge_log_suppressed_total"):
        return static_cast<double>(log::suppressed_total());
      case family("flintgauge_store_publishes_total"):
        return of_store(&Store::Statistics::publishes);
      case family("flintgauge_store_read_retries_total"):
        return of_store(&Store::Statistics::read_retries);
      case family("flintgauge_store_rows_busy_total"):
        return of_store(&Store::Statistics::rows_busy);
      case family("process_cpu_seconds_total"):
        return of_process(&ProcessStats::cpu_seconds);
      case family("process_open_fds"):
        return of_process(&ProcessStats::open_fds);
      case family("process_max_fds"):
        return of_process(&ProcessStats::max_fds);
      case family("process_virtual_memory_bytes"):
        return of_process(&ProcessStats::virtual_memory_bytes);
      case family("process_virtual_memory_max_bytes"):
        return of_process(&ProcessStats::max_virtual_memory_bytes);
      case family("process_heap_bytes"):
        return of_process(&ProcessStats::heap_bytes);
      case family("process_resident_memory_bytes"):
        return of_process(&ProcessStats::resident_memory_bytes);
      case family("process_start_time_seconds"):
        return of_process(&ProcessStats::start_time_seconds);
      case family("process_threads"):
        return of_process(&ProcessStats::threads);
      default:
        return std::nullopt;
    }
  }
};

}  // namespace

void EndpointCounters::count_scrape() noexcept { scrapes_->Increment(); }
void EndpointCounters::count_error(Reason reason) noexcept {
  errors_[static_cast<std::size_t>(reason)]->Increment();
}
void EndpointCounters::add_bytes(std::uint64_t bytes) noexcept { add(bytes_, bytes); }

void EndpointCounters::add_samples(const ScrapeCounts& scrape, const FoldCounts& fold) noexcept {
  const std::array<std::uint64_t, kResults> amounts = {
      scrape.kept, scrape.skipped, scrape.bad,        scrape.duplicate, scrape.not_finite,
      fold.folded, fold.unmatched, fold.host_network, fold.superseded,  fold.not_live,
      fold.stale,  fold.unchanged, fold.impossible,   fold.left_out};
  for (std::size_t i = 0; i < kResults; ++i) add(samples_[i], amounts[i]);
  add(slow_lines_, scrape.slow_lines);
  add(counter_resets_, fold.counter_resets);
  add(identity_mismatches_, fold.identity_mismatch);
}

void PushCounters::add(const PushCounts& lines, std::uint64_t bytes) noexcept {
  for (std::size_t i = 0; i < kPushResults; ++i) flintgauge::add(lines_[i], lines[i]);
  flintgauge::add(bytes_, bytes);
}
void PushCounters::count_report() noexcept { reports_->Increment(); }

SelfMetrics::SelfMetrics(const BuildInfo& build) {
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    const Family& entry = kCatalogue[i];
    if (entry.owner != Owner::kSelf || is_read_at_collection(entry.name)) continue;
    const std::string name(entry.name);
    const std::string help(entry.help);
    if (entry.type == MetricType::kCounter) {
      counters_[i] = &prometheus::BuildCounter().Name(name).Help(help).Register(registry_);
    } else {
      gauges_[i] = &prometheus::BuildGauge().Name(name).Help(help).Register(registry_);
    }
  }
  constexpr FamilyId kDropped = family("flintgauge_targets_dropped_total");
  dropped_blocked_ = &counter(kDropped, {to_string(Reason::kBlockedAddress)});
  dropped_limit_ = &counter(kDropped, {to_string(Reason::kLimit)});
  token_reloads_ = &counter(family("flintgauge_token_reloads_total"), {});
  for (std::size_t i = 0; i < http_rejected_.size(); ++i) {
    http_rejected_[i] = &counter(family("flintgauge_http_rejected_total"), {kHttpRejectionNames[i]});
  }
  for (std::size_t i = 0; i < clock_jumps_.size(); ++i) {
    clock_jumps_[i] = &counter(family("flintgauge_clock_jumps_total"), {kClockJumpNames[i]});
  }
  gauge(family("flintgauge_build_info"), {build.version, build.revision, build.compiler}).Set(1);
}

prometheus::Counter& SelfMetrics::counter(FamilyId id, std::initializer_list<std::string_view> label_values) {
  return counters_[static_cast<std::size_t>(id)]->Add(labels_of(info(id), label_values));
}

prometheus::Gauge& SelfMetrics::gauge(FamilyId id, std::initializer_list<std::string_view> label_values) {
  return gauges_[static_cast<std::size_t>(id)]->Add(labels_of(info(id), label_values));
}

EndpointCounters& SelfMetrics::endpoint(SourceKind source, std::string_view endpoint) {
  const std::lock_guard lock(endpoints_mutex_);
  std::unique_ptr<EndpointCounters>& counters = endpoints_[{source, std::string(endpoint)}];
  if (counters) return *counters;
  counters = std::make_unique<EndpointCounters>();
  const std::string_view kind = to_string(source);
  counters->scrapes_ = &counter(family("flintgauge_scrapes_total"), {kind, endpoint});
  counters->bytes_ = &counter(family("flintgauge_scrape_bytes_total"), {kind, endpoint});
  counters->slow_lines_ = &counter(family("flintgauge_scrape_slow_lines_total"), {kind, endpoint});
  counters->counter_resets_ = &counter(family("flintgauge_scrape_resets_total"), {kind});
  counters->identity_mismatches_ = &counter(family("flintgauge_identity_mismatches_total"), {kind});
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    counters->errors_[i] =
        &counter(family("flintgauge_scrape_errors_total"), {kind, endpoint, kReasonNames[i]});
  }
  for (std::size_t i = 0; i < kResultNames.size(); ++i) {
    counters->samples_[i] =
        &counter(family("flintgauge_scrape_samples_total"), {kind, endpoint, kResultNames[i]});
  }
  return *counters;
}

void SelfMetrics::enable_push(PushProtocol protocol) {
  PushGate& gate = push_gates_[static_cast<std::size_t>(protocol)];
  for (std::size_t i = 0; i < gate.refused.size(); ++i) {
    gate.refused[i] =
        &counter(family("flintgauge_push_refused_total"), {to_string(protocol), kPushRefusalNames[i]});
  }
  gate.connections = &gauge(family("flintgauge_push_connections"), {to_string(protocol)});
  push_kernel_drops_ = &counter(family("flintgauge_push_kernel_drops_total"), {});
  push_queue_full_ = &counter(family("flintgauge_push_queue_full_total"), {});
}

PushCounters& SelfMetrics::push(PushProtocol protocol, std::string_view namespace_name) {
  const std::lock_guard lock(endpoints_mutex_);
  std::pair key{protocol, std::string(namespace_name)};
  if (pushes_.size() >= kPushNamespaces && !pushes_.contains(key)) key.second = kOverflowAppId;
  std::unique_ptr<PushCounters>& counters = pushes_[key];
  if (counters) return *counters;
  counters = std::make_unique<PushCounters>();
  const std::string_view kind = to_string(protocol);
  for (std::size_t i = 0; i < kPushResults; ++i) {
    counters->lines_[i] =
        &counter(family("flintgauge_push_lines_total"), {kind, key.second, kPushResultNames[i]});
  }
  counters->bytes_ = &counter(family("flintgauge_push_bytes_total"), {kind, key.second});
  counters->reports_ = &counter(family("flintgauge_push_reports_total"), {kind, key.second});
  return *counters;
}

void SelfMetrics::count_push_refused(PushProtocol protocol, PushRefusal reason) noexcept {
  push_gates_[static_cast<std::size_t>(protocol)].refused[static_cast<std::size_t>(reason)]->Increment();
}

void SelfMetrics::set_push_connections(PushProtocol protocol, std::size_t count) noexcept {
  push_gates_[static_cast<std::size_t>(protocol)].connections->Set(static_cast<double>(count));
}

void SelfMetrics::add_push_kernel_drops(std::uint64_t datagrams) noexcept {
  add(push_kernel_drops_, datagrams);
}

void SelfMetrics::count_push_queue_full() noexcept { push_queue_full_->Increment(); }

void SelfMetrics::count_target_dropped(Reason reason) noexcept {
  (reason == Reason::kBlockedAddress ? dropped_blocked_ : dropped_limit_)->Increment();
}

void SelfMetrics::count_token_reload() noexcept { token_reloads_->Increment(); }

void SelfMetrics::set_tls_verify_disabled(SourceKind source, bool disabled) {
  gauge(family("flintgauge_tls_verify_disabled"), {to_string(source)}).Set(disabled ? 1 : 0);
}

void SelfMetrics::count_http_request(std::string_view method, int code) {
  const auto named = std::find(kMethodNames.begin(), kMethodNames.end() - 1, method);
  const auto row = static_cast<std::size_t>(named - kMethodNames.begin());
  if (code < static_cast<int>(kFirstCode) || code >= static_cast<int>(kFirstCode + kCodes)) code = 500;
  std::atomic<prometheus::Counter*>& cached =
      http_requests_[row][static_cast<std::size_t>(code) - kFirstCode];
  // Release and acquire: who finds the pointer finds the counter built. Two threads that both find none get
  // the same counter from the registry.
  prometheus::Counter* found = cached.load(std::memory_order_acquire);
  if (found == nullptr) {
    found = &counter(family("flintgauge_http_requests_total"), {kMethodNames[row], std::to_string(code)});
    cached.store(found, std::memory_order_release);
  }
  found->Increment();
}

void SelfMetrics::count_http_rejected(HttpRejection reason) noexcept {
  http_rejected_[static_cast<std::size_t>(reason)]->Increment();
}

void SelfMetrics::count_clock_jump(ClockJump direction) noexcept {
  clock_jumps_[static_cast<std::size_t>(direction)]->Increment();
}

void SelfMetrics::count_history_file(std::string_view result) {
  counter(family("flintgauge_history_file_total"), {result}).Increment();
}

void SelfMetrics::set_history(std::size_t jobs, std::uint64_t dropped, std::uint64_t left_out) {
  const auto raise = [](prometheus::Counter& total, std::uint64_t to) {
    total.Increment(static_cast<double>(to) - total.Value());
  };
  gauge(family("flintgauge_history_jobs"), {}).Set(static_cast<double>(jobs));
  raise(counter(family("flintgauge_history_jobs_dropped_total"), {}), dropped);
  raise(counter(family("flintgauge_history_executors_left_out_total"), {}), left_out);
}

void SelfMetrics::append_page(PageFormat format, std::string& out) const {
  Totals totals;
  if (const Result<ProcessStats> process = read_process_stats()) totals.process = *process;
  if (store_ != nullptr) totals.store = store_->statistics();
  const std::vector<prometheus::MetricFamily> collected = registry_.Collect();
  for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
    const Family& entry = kCatalogue[i];
    if (entry.owner != Owner::kSelf) continue;
    if (const std::optional<double> total = totals.value(static_cast<FamilyId>(i))) {
      append_family_header(entry, format, out);
      append_series(entry, {}, *total, out);
      continue;
    }
    const auto found = std::find_if(
        collected.begin(), collected.end(),
        [&entry](const prometheus::MetricFamily& candidate) { return candidate.name == entry.name; });
    if (found != collected.end()) append_family(entry, *found, format, out);
  }
}

}  // namespace flintgauge
