// The thread that joins the sources' blocks, computes the hints, renders the pages and publishes all of it as
// the derived block.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "flintgauge/evaluate.h"
#include "flintgauge/store.h"

namespace flintgauge {

class EvaluatorThread {
 public:
  /// Called from the thread after each publication, with what it was made from; must not block.
  using Published = std::function<void(const View& sources, const Report& report)>;

  /// `store` outlives it.
  EvaluatorThread(const EvaluateSettings& settings, const BudgetLimits& limits, Store& store,
                  Published published);
  ~EvaluatorThread();  ///< stop()
  EvaluatorThread(const EvaluatorThread&) = delete;
  EvaluatorThread& operator=(const EvaluatorThread&) = delete;

  /// Makes the thread. May throw std::system_error.
  void start();
  void stop();
  /// A source has published: evaluate soon. Any thread.
  void wake() noexcept;

  /// One evaluation, on the caller's thread. REQUIRES: the thread is not running.
  void evaluate();

  /// See Evaluator. From the thread (in Published), or REQUIRES: the thread is not running.
  std::string save_history(std::string_view node) const { return evaluator_.save_history(node); }
  std::optional<std::string_view> load_history(std::string_view bytes, std::string_view node);

 private:
  void run(const std::stop_token& stop) noexcept;

  Evaluator evaluator_;
  Store& store_;
  Published published_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool is_due_ = true;
  std::jthread thread_;
};

}  // namespace flintgauge
