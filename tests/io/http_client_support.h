// A client with a sink that keeps what it gets, for tests against the fake server.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <utility>

#include "agent/io/http_client.h"
#include "support/fake_http.h"

namespace flintgauge {

using testing::FakeConnection;
using testing::FakeHttp;
using testing::FakeRequest;

struct StringSink final : BodySink {
  Status take(std::string_view more) override {
    body += more;
    has_begun = true;
    if (body.find("poison") != std::string::npos) return fail(Reason::kParse, "line 1: poison");
    return {};
  }
  std::string body;
  std::atomic<bool> has_begun{false};  // for the server's side of a test
};

struct Fetched {
  HttpResult result;
  std::string body;
  bool ok() const { return result.status.has_value(); }
  Reason reason() const { return result.status ? Reason::kInternal : result.status.error().reason; }
  std::string message() const { return result.status ? "" : result.status.error().message; }
};

class HttpClientTest : public ::testing::Test {
 protected:
  static HttpTarget target(std::string url) {
    HttpTarget made;
    made.url = std::move(url);
    made.body_limit = 1U << 20U;
    return made;
  }

  Fetched fetch(HttpFetch& request, const std::string& authorization = "") {
    sink_.body.clear();
    sink_.has_begun = false;
    client_.start(request, times_, authorization);
    while (client_.wait(1000) != &request) {
    }
    return {request.result(), sink_.body};
  }

  Fetched fetch(const HttpTarget& wanted) {
    HttpFetch request(wanted, sink_);
    return fetch(request);
  }

  /// Against a server of one script.
  Fetched fetch_from(const FakeHttp::Handler& handler) {
    FakeHttp server(handler);
    return fetch(target(server.url("/metrics")));
  }

  StringSink sink_;
  HttpTimes times_{.timeout_ms = 3'000, .connect_timeout_ms = 1'000, .is_patient = false};
  HttpClient client_;
};

constexpr std::string_view kOkHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n";

inline std::string ok_head(std::string_view more) {
  return std::string(kOkHead) + std::string(more) + "\r\n";
}

}  // namespace flintgauge
