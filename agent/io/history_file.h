// The file in which the history of jobs survives the agent (setting history.file).
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "flintgauge/config.h"
#include "flintgauge/error.h"
#include "flintgauge/time.h"

namespace flintgauge {

class SelfMetrics;

/// At most `limit` bytes of the file. Absent when there is no such file.
Result<std::optional<std::string>> read_small_file(const std::string& path, std::size_t limit);

/// Writes a file beside it, flushes it to the disk and renames it: whoever reads finds the old bytes or the
/// new.
Status replace_file(const std::string& path, std::string_view bytes);

/// Writes histories on a thread of its own: a slow disk must not delay an evaluation.
class HistoryFile {
 public:
  /// `metrics` outlives it. An empty path: every call does nothing.
  HistoryFile(HistoryConfig config, SelfMetrics& metrics);
  ~HistoryFile();  ///< stop()
  HistoryFile(const HistoryFile&) = delete;
  HistoryFile& operator=(const HistoryFile&) = delete;

  /// Reads the file and hands it to `take`, which says why it refuses. Every outcome is counted and logged.
  void load(const std::function<std::optional<std::string_view>(std::string_view)>& take);

  /// Makes the thread. May throw std::system_error.
  void start();
  void stop();

  /// True once an interval, for the one thread that then calls offer().
  bool is_due(SteadyTime now);
  /// Hands over bytes to be written soon; those offered before and not yet written are forgotten.
  void offer(std::string bytes);
  /// Writes at once, on the caller's thread. REQUIRES: the thread is not running.
  void write(std::string_view bytes);

 private:
  void run(const std::stop_token& stop);

  HistoryConfig config_;
  SelfMetrics& metrics_;
  SteadyTime last_;
  bool is_failing_ = false;  // the writer's: one line per change of state
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<std::string> offered_;
  std::jthread thread_;
};

}  // namespace flintgauge
