// One use of everything that a pure layer may not use: the test of .ci/check-layers. Never linked into
// anything.
#include <civetweb.h>
#include <pthread.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>

namespace flintgauge {

std::int64_t impure();
std::int64_t impure() {
  std::cout << "stream";
  const std::ofstream file("file");
  std::printf("%d", static_cast<int>(file.is_open()));
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  pthread_t thread{};
  pthread_create(
      &thread, nullptr, [](void* nothing) { return nothing; }, nullptr);
  const bool set = std::getenv("HOME") != nullptr;
  const unsigned features = mg_init_library(0);
  return std::chrono::steady_clock::now().time_since_epoch().count() + fd + features + (set ? 1 : 0);
}

}  // namespace flintgauge
