// Waiting in tests: for a condition, with a deadline; never for a time.
#pragma once

#include <chrono>
#include <thread>

namespace flintgauge::testing {

/// True as soon as the condition holds, false at the deadline. It is looked at every few milliseconds, so it
/// must be safe to call while other threads work.
template <typename Condition>
bool wait_until(const Condition& condition, std::chrono::seconds limit = std::chrono::seconds(10)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace flintgauge::testing
