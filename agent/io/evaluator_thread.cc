#include "agent/io/evaluator_thread.h"

#include <array>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <utility>

#include "agent/io/log.h"
#include "agent/io/system_clock.h"
#include "agent/io/thread_name.h"
#include "flintgauge/exposition.h"

namespace flintgauge {
namespace {

constexpr std::chrono::milliseconds kAtLeastEvery{1'000};  // ages grow although nobody publishes
constexpr std::chrono::milliseconds kAtMostEvery{200};     // many drivers publish one after the other

}  // namespace

EvaluatorThread::EvaluatorThread(const EvaluateSettings& settings, const BudgetLimits& limits, Store& store,
                                 Published published)
    : evaluator_(settings, limits, read_clocks()), store_(store), published_(std::move(published)) {}

EvaluatorThread::~EvaluatorThread() { stop(); }

void EvaluatorThread::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void EvaluatorThread::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void EvaluatorThread::wake() noexcept {
  {
    const std::lock_guard lock(mutex_);
    is_due_ = true;
  }
  changed_.notify_one();
}

void EvaluatorThread::run(const std::stop_token& stop) noexcept try {
  name_thread("evaluator");
  const auto never = [] { return false; };
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, kAtLeastEvery, [this] { return is_due_; });
      if (stop.stop_requested()) return;
      is_due_ = false;
    }
    evaluate();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, kAtMostEvery, never);
  }
} catch (const std::exception& thrown) {
  log::error("evaluator ended, so does the program", {{"error", thrown.what()}});
  std::abort();
}

std::optional<std::string_view> EvaluatorThread::load_history(std::string_view bytes, std::string_view node) {
  return evaluator_.load_history(bytes, node, read_clocks());
}

void EvaluatorThread::evaluate() {
  const View view = store_.read();
  if (!view) return;  // all reader rows taken; counted by the store, tried again within a second
  Block& derived = store_.writable(Shard::kDerived);
  const std::shared_ptr<const Report> report = evaluator_.evaluate(view, read_clocks(), derived);
  const std::array<const Block*, kShards> blocks = {view.block(Shard::kKubelet), view.block(Shard::kSpark),
                                                    view.block(Shard::kCompanions), &derived};
  derived.page_text.clear();
  render(blocks, PageFormat::kText004, derived.page_text);
  derived.page_openmetrics.clear();
  render(blocks, PageFormat::kOpenMetrics100, derived.page_openmetrics);
  store_.publish(Shard::kDerived);
  published_(view, *report);
}

}  // namespace flintgauge
