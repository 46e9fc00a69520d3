#include "agent/io/request_check.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flintgauge {
namespace {

using Fault = std::optional<RequestFault>;

TEST(RequestCheck, TargetsAreTakenByteForByte) {
  for (const char* const path :
       {"/", "/metrics", "/-/ready", "/api/v1/hints/team-a/spark-0f3a_b.c", "//metrics"})
    EXPECT_EQ(check_request("GET", path, {}), std::nullopt) << path;
  for (const char* const path : {"", "*", "metrics", "http://a/metrics", "/%6detrics", "/a%00b", "/a%0d%0ab",
                                 "/a b", "/a\x01", "/a\xc3\xa9", "/a;b", "/a\\b", "/a?b", "/a#b", "/a<b>"})
    EXPECT_EQ(check_request("GET", path, {}), RequestFault::kTarget) << path;
  EXPECT_EQ(check_request("GET", std::string_view("/a\0b", 4), {}), RequestFault::kTarget);
}

TEST(RequestCheck, MethodsAreGetAndHead) {
  EXPECT_EQ(check_request("HEAD", "/", {}), std::nullopt);
  for (const char* const method : {"POST", "PUT", "get", "PROPFIND", "OPTIONS", "", "GETT"})
    EXPECT_EQ(check_request(method, "/", {}), RequestFault::kMethod) << method;
}

TEST(RequestCheck, NoBodyInAnySpelling) {
  const auto check = [](std::vector<HttpHeader> headers) { return check_request("GET", "/", headers); };
  EXPECT_EQ(check({{"Content-Length", "0"}}), std::nullopt);
  for (const char* const length : {"1", "+0", "-0", "00", "0x0", "5x", "", " 0", "0 ", "0,0", "0\t"})
    EXPECT_EQ(check({{"content-LENGTH", length}}), RequestFault::kFraming) << length;
  EXPECT_EQ(check({{"Content-Length", "0"}, {"Content-Length", "0"}}), RequestFault::kFraming);
  for (const char* const coding : {"chunked", "identity", "gzip, chunked", "chunked\t", ""})
    EXPECT_EQ(check({{"Transfer-Encoding", coding}}), RequestFault::kFraming) << coding;
  EXPECT_EQ(check({{"TRANSFER-encoding", "chunked"}, {"Content-Length", "0"}}), RequestFault::kFraming);
  EXPECT_EQ(check_request("POST", "/", std::vector<HttpHeader>{{"Content-Length", "5"}}),
            RequestFault::kFraming)
      << "framing comes before the method: the connection must be closed";
}

TEST(RequestCheck, AsManyHeadersAsCivetwebKeepsAreTooMany) {
  const std::vector<HttpHeader> headers(kHttpHeaderLimit, HttpHeader{"X", "y"});
  EXPECT_EQ(check_request("GET", "/", std::span(headers).first(kHttpHeaderLimit - 1)), std::nullopt);
  EXPECT_EQ(check_request("GET", "/", headers), RequestFault::kTooManyHeaders);
}

TEST(FindHeader, FirstOfThatNameInAnyCase) {
  const std::vector<HttpHeader> headers = {{"Accept", "a"}, {"ACCEPT", "b"}, {"Accept-Encoding", "c"}};
  EXPECT_EQ(find_header(headers, "accept"), "a");
  EXPECT_EQ(find_header(headers, "accept-encoding"), "c");
  EXPECT_EQ(find_header(headers, "host"), "");
}

}  // namespace
}  // namespace flintgauge
