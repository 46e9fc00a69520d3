#include "agent/io/push_request.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace flintgauge {
namespace {

/// The status that a head is refused with; 0: it is good.
int fault_of(const std::string& head) {
  PushRequest request;
  std::string_view bytes = head;
  const auto state = request.feed(bytes);
  EXPECT_NE(state, PushRequest::State::kHead) << head;
  return state == PushRequest::State::kFault ? request.fault().status : 0;
}

std::string post(const std::string& headers) { return "POST /metrics/job/x HTTP/1.1\r\n" + headers + "\r\n"; }

TEST(PushRequest, IsReadHoweverItsBytesAreSplit) {
  const std::string text =
      "PUT /metrics/job/x/role/driver HTTP/1.1\r\nHost: a\r\ncontent-LENGTH:\t 4 \r\nExpect: "
      "100-Continue\r\n\r\na 1\n";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    PushRequest request;
    std::string_view rest = text;
    auto state = PushRequest::State::kHead;
    while (state == PushRequest::State::kHead) {
      std::string_view piece = rest.substr(0, step);
      const std::size_t size = piece.size();
      state = request.feed(piece);
      rest.remove_prefix(size - piece.size());
    }
    ASSERT_EQ(state, PushRequest::State::kBody);
    EXPECT_EQ(request.path(), "/metrics/job/x/role/driver");
    EXPECT_EQ(request.action(), PushAction::kReplace);
    EXPECT_EQ(request.length(), 4U);
    EXPECT_TRUE(request.wants_continue());
    EXPECT_EQ(rest, "a 1\n");
  }
}

TEST(PushRequest, TakesWhatClientsOfAPushgatewaySend) {
  EXPECT_EQ(fault_of("DELETE /metrics/job/x HTTP/1.1\r\n\r\n"), 0);
  EXPECT_EQ(fault_of("POST /metrics/job/x HTTP/1.0\r\nContent-Length: 0\r\n\r\n"), 0);
  EXPECT_EQ(fault_of(post("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: "
                          "7\r\nContent-Encoding: identity\r\n")),
            0);
  EXPECT_EQ(fault_of(post("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1048576\r\n")),
            0)
      << "curl";
}

TEST(PushRequest, RefusesWhatItCannotReadAndSaysTheMend) {
  EXPECT_EQ(fault_of(post("Content-Length: 1\r\nContent-Encoding: gzip\r\n")), 415);
  EXPECT_EQ(fault_of(post("Content-Length: 1\r\nContent-Encoding: snappy\r\n")), 415);
  EXPECT_EQ(fault_of(post("Content-Length: 1\r\nContent-Type: application/vnd.google.protobuf; "
                          "proto=io.prometheus.client.MetricFamily; encoding=delimited\r\n")),
            415);
  EXPECT_EQ(
      fault_of(post("Content-Length: 1\r\nContent-Type: application/openmetrics-text; version=1.0.0\r\n")),
      415);
  EXPECT_EQ(fault_of(post("Content-Length: 1048577\r\n")), 413);
  EXPECT_EQ(fault_of(post("Content-Length: 99999999999999999999999\r\n")), 413);
  EXPECT_EQ(fault_of(post("")), 411);
  EXPECT_EQ(fault_of(post("Transfer-Encoding: chunked\r\n")), 411);
  for (const char* method : {"GET", "HEAD", "put", "PATCH", "OPTIONS", "CONNECT"})
    EXPECT_EQ(fault_of(std::string(method) + " /metrics/job/x HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), 405)
        << method;
  PushRequest request;
  std::string_view bytes = "POST /metrics/job/x HTTP/1.1\r\nContent-Encoding: gzip\r\n\r\n";
  request.feed(bytes);
  EXPECT_NE(request.fault().text.find("without Content-Encoding"), std::string::npos);
}

TEST(PushRequest, RefusesWhatTwoServersCouldReadDifferently) {
  for (const char* length : {"", "+1", "-1", "0x1", "1,1", "1 1", "1x"})
    EXPECT_EQ(fault_of(post("Content-Length: " + std::string(length) + "\r\n")), 400) << length;
  EXPECT_EQ(fault_of(post("Content-Length: 1\r\nContent-Length: 1\r\n")), 400);
  EXPECT_EQ(fault_of(post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")), 411);
  EXPECT_EQ(fault_of(post("Content-Length : 1\r\n")), 400);
  EXPECT_EQ(fault_of(post("A: 1\r\n folded\r\nContent-Length: 1\r\n")), 400);
  EXPECT_EQ(fault_of(post("A: 1\nContent-Length: 1\r\n")), 400);
  EXPECT_EQ(fault_of(post("A: 1\rB\r\nContent-Length: 1\r\n")), 400);
  EXPECT_EQ(fault_of(post("no colon\r\n")), 400);
  EXPECT_EQ(fault_of("\r\n\r\n"), 400);
  for (const char* line :
       {"POST /metrics/job/x", "POST /metrics/job/x HTTP/2.0", "POST  /metrics/job/x HTTP/1.1",
        "POST /metrics/job/x HTTP/1.1 ", "POST /a b HTTP/1.1", "POST http://a/metrics/job/x HTTP/1.1",
        "POST /metrics/job/x?a=b HTTP/1.1", "POST /metrics/job/x#y HTTP/1.1",
        "POST /metrics/job/\xc3\xa9 HTTP/1.1"}) {
    const int status = fault_of(std::string(line) + "\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(status == 400 || status == 505) << line << ": " << status;
  }
}

TEST(PushRequest, AHeadHasALimit) {
  const std::string long_value(PushRequest::kMaxHead, 'x');
  PushRequest request;
  std::string_view bytes = long_value;
  EXPECT_EQ(request.feed(bytes), PushRequest::State::kFault);
  EXPECT_EQ(request.fault().status, 431);
  std::string headers;
  for (std::size_t i = 0; i < PushRequest::kMaxHeaders - 1; ++i) headers += "A: b\r\n";
  EXPECT_EQ(fault_of(post(headers + "Content-Length: 1\r\n")), 0);
  EXPECT_EQ(fault_of(post(headers + "Content-Length: 1\r\nA: b\r\n")), 431);
}

TEST(PushRequest, AnAnswerHasALengthAndEndsTheConnection) {
  EXPECT_EQ(http_answer({202, ""}),
            "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "
            "0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(
      http_answer({429, "slower"}),
      "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 7\r\n"
      "Connection: close\r\nRetry-After: 10\r\n\r\nslower\n");
  EXPECT_NE(http_answer({405, "no"}).find("\r\nAllow: PUT, POST, DELETE\r\n"), std::string::npos);
  EXPECT_TRUE(http_answer({299, "odd"}).starts_with("HTTP/1.1 500 "));
}

}  // namespace
}  // namespace flintgauge
