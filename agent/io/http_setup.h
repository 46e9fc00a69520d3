// The libcurl settings of a request. Private to the HTTP client.
#pragma once

#include <string>
#include <string_view>

#include "agent/io/http_client.h"

namespace flintgauge {

/// Sets everything that never changes once, when the request's easy handle is made; times, credentials and
/// the pin anew for each request. Allocates nothing outside libcurl while they stay the same.
class HttpSetup {
 public:
  explicit HttpSetup(HttpFetch& request) : request_(request) {}
  void apply(const HttpTimes& times, std::string_view authorization);

 private:
  void make_easy();
  void limit_protocols();
  void limit_sizes();
  void set_callbacks();
  void set_trust();
  void set_server_name();
  void set_pin();
  void set_headers(std::string_view authorization);
  template <typename Value>
  void set(CURLoption option, Value value);

  HttpFetch& request_;
};

}  // namespace flintgauge
