#include "agent/io/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/raw_http.h"

namespace flintgauge {
namespace {

using test::body_of;
using test::header_of;
using test::status_of;
using test::talk;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A server with one page at /page, which counts what it is told.
class HttpServerTest : public testing::Test {
 protected:
  void start(HttpServer::Handler handler, int max_requests = 8) {
    HttpServer::Options options;
    options.listen_address = "127.0.0.1:0";
    options.max_requests = max_requests;
    options.is_exempt = [](std::string_view path) { return path == "/alive"; };
    options.on_answer = [this](std::string_view, int code) {
      const std::lock_guard lock(mutex_);
      codes_.push_back(code);
    };
    options.on_rejected = [this](HttpRejection reason) { ++rejected_[static_cast<std::size_t>(reason)]; };
    auto server = HttpServer::start(std::move(options), std::move(handler));
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  void start_page() {
    start([this](const HttpRequest& request) -> HttpResponse {
      ++handled_;
      if (request.path != "/page") return {.status = 404, .body = "not here\n"};
      return {.keep_alive = true, .body = "query=" + std::string(request.query) + "\n"};
    });
  }
  const std::string& address() const { return server_->address(); }
  int rejected(HttpRejection reason) const { return rejected_[static_cast<std::size_t>(reason)]; }

  std::atomic<int> handled_{0};
  std::mutex mutex_;
  std::vector<int> codes_;
  std::array<std::atomic<int>, kHttpRejectionNames.size()> rejected_{};
  std::unique_ptr<HttpServer> server_;  // last: it calls the others
};

TEST_F(HttpServerTest, AnswersWithLengthTypeAndSecurityHeaders) {
  start_page();
  const std::string answer = test::get(address(), "/page?a=b&c");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(body_of(answer), "query=a=b&c\n");
  EXPECT_EQ(header_of(answer, "Content-Length"), "12");
  EXPECT_EQ(header_of(answer, "Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(header_of(answer, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header_of(answer, "X-Frame-Options"), "DENY");
  EXPECT_THAT(header_of(answer, "Content-Security-Policy"), StartsWith("default-src 'none'"));
  EXPECT_EQ(header_of(answer, "Cache-Control"), "no-store");
  EXPECT_THAT(header_of(answer, "Date"), testing::MatchesRegex("[A-Z][a-z][a-z], [0-9][0-9] .* GMT"));
  EXPECT_EQ(header_of(answer, "Server"), "");
  EXPECT_EQ(codes_, std::vector<int>{200});
}

TEST_F(HttpServerTest, HeadHasTheHeadersAndNoBody) {
  start_page();
  const std::string answer = talk(address(), "HEAD /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(header_of(answer, "Content-Length"), "7");
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(HttpServerTest, KeepsTheConnectionOnlyWhereThePageSaysSo) {
  start_page();
  const std::string request = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string two = talk(address(), request + request, true);
  EXPECT_EQ(handled_, 2) << two;
  const std::string other = "GET /other HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string one = talk(address(), other + other, true);
  EXPECT_EQ(handled_, 3) << one;
  EXPECT_EQ(header_of(one, "Connection"), "close");
}

struct Case {
  const char* name;
  const char* bytes;
  int status;  // 0: closed without an answer
};
class HostileRequest : public HttpServerTest, public testing::WithParamInterface<Case> {};

/// Each is followed by a second request in the same bytes. It must never be answered: whatever a proxy before
/// us makes of the first, nobody gets an answer that belongs to another.
TEST_P(HostileRequest, IsRefusedAndTheConnectionClosed) {
  start_page();
  const std::string smuggled = "GET /page?smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string answer = talk(address(), GetParam().bytes + smuggled, true);
  EXPECT_EQ(status_of(answer), GetParam().status) << answer;
  EXPECT_THAT(answer, Not(HasSubstr("smuggled")));
  EXPECT_EQ(handled_, 0);
  if (GetParam().status != 0) {
    EXPECT_EQ(header_of(answer, "Connection"), "close");
    EXPECT_EQ(header_of(answer, "X-Content-Type-Options"), "nosniff");
  }
}
INSTANTIATE_TEST_SUITE_P(
    Rows79To84, HostileRequest,
    testing::Values(
        Case{"content_length_and_chunked",
             "GET /page HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: "
             "chunked\r\n\r\n0\r\n\r\n",
             400},
        Case{"chunked_and_content_length",
             "GET /page HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400},
        Case{"chunked", "GET /page HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        Case{"chunked_tab", "GET /page HTTP/1.1\r\nTransfer-Encoding: chunked\t\r\n\r\n", 400},
        Case{"gzip_chunked", "GET /page HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400},
        Case{"identity", "GET /page HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n", 400},
        Case{"two_lengths", "GET /page HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", 400},
        Case{"two_equal_lengths", "GET /page HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
             400},
        Case{"plus_length", "GET /page HTTP/1.1\r\nContent-Length: +5\r\n\r\nabcde", 400},
        Case{"text_behind_length", "GET /page HTTP/1.1\r\nContent-Length: 5x\r\n\r\nabcde", 400},
        Case{"no_number_as_length", "GET /page HTTP/1.1\r\nContent-Length: abc\r\n\r\n", 411},
        Case{"negative_length", "GET /page HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 411},
        Case{"body_on_get", "GET /page HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcde", 400},
        Case{"folded_header", "GET /page HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\n\r\n", 400},
        Case{"space_before_colon", "GET /page HTTP/1.1\r\nContent-Length : 5\r\n\r\nabcde", 400},
        Case{"post", "POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 405},
        Case{"post_with_body", "POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde", 400},
        Case{"put", "PUT /page HTTP/1.1\r\nHost: a\r\n\r\n", 405},
        Case{"delete", "DELETE /page HTTP/1.1\r\nHost: a\r\n\r\n", 405},
        Case{"propfind", "PROPFIND /page HTTP/1.1\r\nHost: a\r\n\r\n", 405},
        Case{"trace", "TRACE /page HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Case{"lower_case_method", "get /page HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        Case{"cors_preflight",
             "OPTIONS /page HTTP/1.1\r\nHost: a\r\nOrigin: http://b\r\nAccess-Control-Request-Method: "
             "GET\r\n\r\n",
             405},
        Case{"encoded_letter", "GET /%70age HTTP/1.1\r\nHost: a\r\n\r\n", 404},
        Case{"encoded_dots", "GET /%2e%2e/page HTTP/1.1\r\nHost: a\r\n\r\n", 404},
        Case{"encoded_nul", "GET /page%00x HTTP/1.1\r\nHost: a\r\n\r\n", 404},
        Case{"encoded_line_end", "GET /page%0d%0aX-Injected:1 HTTP/1.1\r\nHost: a\r\n\r\n", 404},
        Case{"absolute_uri_elsewhere", "GET http://other.example/page HTTP/1.1\r\nHost: a\r\n\r\n", 0},
        Case{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0},
        Case{"no_version", "GET /page\r\nHost: a\r\n\r\n", 400},
        Case{"old_version", "GET /page HTTP/0.9\r\nHost: a\r\n\r\n", 505},
        Case{"http2_prior_knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
        Case{"binary", "\x16\x03\x01\x02\x01\x01\r\n\r\n", 400}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(HttpServerTest, PathsAreNotNormalised) {
  start_page();
  for (const char* const path : {"//page", "/./page", "/x/../page", "/page/", "/page/x", "/Page"}) {
    const std::string answer = test::get(address(), path);
    EXPECT_EQ(status_of(answer), 404) << path;
    EXPECT_EQ(body_of(answer), "not here\n") << path;
  }
}

TEST_F(HttpServerTest, AbsoluteUriOfThisServerIsNoRoute) {
  start_page();
  EXPECT_EQ(status_of(test::get(address(), "http://" + address() + "/page")), 404);
  EXPECT_EQ(handled_, 0);
}

TEST_F(HttpServerTest, UpgradesAreNotNegotiated) {
  start_page();
  const std::string answer = talk(address(),
                                  "GET /page HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: "
                                  "websocket\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                                  true);
  EXPECT_EQ(status_of(answer), 200) << "an ordinary answer";
  const std::string h2c = talk(address(),
                               "GET /page HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                               "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
                               true);
  EXPECT_EQ(status_of(h2c), 200);
}

TEST_F(HttpServerTest, HeadersAreBounded) {
  start_page();
  std::string many;
  for (int i = 0; i < 61; ++i) many += "X-H: v\r\n";
  EXPECT_EQ(status_of(test::get(address(), "/page", many)), 200) << "63 with Host and Connection";
  EXPECT_EQ(status_of(test::get(address(), "/page", many + "X-H: v\r\n")), 431);
  for (int i = 0; i < 100; ++i) many += "X-H: v\r\n";
  EXPECT_EQ(status_of(test::get(address(), "/page", many + "Transfer-Encoding: chunked\r\n")), 431);
  EXPECT_EQ(rejected(HttpRejection::kHeaders), 2);
  EXPECT_EQ(status_of(test::get(address(), "/page", "X-Long: " + std::string(9'000, 'a') + "\r\n")), 400);
  EXPECT_EQ(status_of(test::get(address(), '/' + std::string(9'000, 'a'))), 400);
  EXPECT_EQ(rejected(HttpRejection::kFraming), 2);
  EXPECT_EQ(handled_, 1);
}

TEST_F(HttpServerTest, MoreThanTheLimitInFlightGet503AtOnce) {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  bool may_go = false;
  start(
      [&](const HttpRequest& request) -> HttpResponse {
        if (request.path == "/alive") return {.body = "ok\n"};
        std::unique_lock lock(mutex);
        ++inside;
        changed.notify_all();
        changed.wait(lock, [&] { return may_go; });
        return {.body = "late\n"};
      },
      2);
  std::vector<std::string> answers(2);
  std::vector<std::jthread> clients;
  for (std::string& answer : answers)
    clients.emplace_back([&] {
      const int fd = test::connect_to(address());
      timeval patience{.tv_sec = 20, .tv_usec = 0};
      setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
      const std::string_view request = "GET /a HTTP/1.0\r\n\r\n";
      send(fd, request.data(), request.size(), MSG_NOSIGNAL);
      char piece[4096];
      for (ssize_t got = 0; (got = recv(fd, piece, sizeof(piece), 0)) > 0;)
        answer.append(piece, static_cast<std::size_t>(got));
      close(fd);
    });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return inside == 2; });
  }
  const std::string refused = test::get(address(), "/a");
  EXPECT_EQ(status_of(refused), 503);
  EXPECT_EQ(header_of(refused, "Retry-After"), "1");
  EXPECT_EQ(rejected(HttpRejection::kBusy), 1);
  EXPECT_EQ(body_of(test::get(address(), "/alive")), "ok\n") << "liveness is answered all the same";
  EXPECT_EQ(status_of(test::get(address(), "/alive", "Content-Length: 5\r\n")), 400) << "but checked";
  {
    const std::lock_guard lock(mutex);
    may_go = true;
  }
  changed.notify_all();
  clients.clear();
  for (const std::string& answer : answers) EXPECT_EQ(status_of(answer), 200) << answer;
}

TEST_F(HttpServerTest, ExceptionOfAHandlerIs500) {
  start([](const HttpRequest&) -> HttpResponse { throw std::runtime_error("secret text"); });
  testing::internal::CaptureStderr();
  const std::string answer = test::get(address(), "/page");
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(status_of(answer), 500);
  EXPECT_THAT(answer, Not(HasSubstr("secret")));
}

TEST_F(HttpServerTest, ReaderThatTakesNothingIsCutAtItsOwnScrapeTimeout) {
  start([](const HttpRequest&) -> HttpResponse { return {.body = std::string(64U << 20U, 'a')}; });
  const int fd = test::connect_to(address());
  const std::string_view request = "GET /page HTTP/1.1\r\nX-Prometheus-Scrape-Timeout-Seconds: 0.2\r\n\r\n";
  ASSERT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  std::size_t received = 0;
  std::vector<char> piece(16'384);
  while (rejected(HttpRejection::kTimeout) == 0) {  // 16 KiB each 10 ms: 64 MiB would take 40 s
    const ssize_t got = recv(fd, piece.data(), piece.size(), 0);
    if (got <= 0) break;
    received += static_cast<std::size_t>(got);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  close(fd);
  EXPECT_EQ(rejected(HttpRejection::kTimeout), 1);
  EXPECT_LT(received, 60U << 20U);
}

TEST_F(HttpServerTest, HeadersThatDripAreCut) {
  start_page();
  const int fd = test::connect_to(address());
  const std::string_view request = "GET /page HTTP/1.1\r\nHost: a\r\nX-Drip: ";
  ASSERT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  bool is_open = true;
  for (int i = 0; i < 300 && is_open; ++i) {  // a minute; the limit is 5 s, looked at after each read
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    char byte = 0;
    is_open = send(fd, "a", 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, MSG_DONTWAIT) != 0;
  }
  close(fd);
  EXPECT_FALSE(is_open);
  EXPECT_EQ(handled_, 0);
}

TEST(HttpServer, SaysWhyItCannotListen) {
  const auto handler = [](const HttpRequest&) { return HttpResponse{.body = "x"}; };
  auto first = HttpServer::start({.listen_address = "127.0.0.1:0"}, handler);
  ASSERT_TRUE(first);
  const auto second = HttpServer::start({.listen_address = (*first)->address()}, handler);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, StartsWith("cannot listen on " + (*first)->address() + ": "));
  EXPECT_THAT(second.error().message, HasSubstr("in use"));
  const auto foreign = HttpServer::start({.listen_address = "192.0.2.1:14040"}, handler);
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().message, StartsWith("cannot listen on 192.0.2.1:14040: "));
}

TEST(HttpServer, RefusesALibraryThatCannotOrCanTooMuch) {
  constexpr unsigned kTls = 2, kIpv6 = 8;
  const auto fault = [](unsigned features, const char* host) {
    const Status status = check_web_features(features, {.host = host, .port = 0});
    return status ? "" : status.error().message;
  };
  for (const char* const host : {"::1", "::", ""}) {
    EXPECT_EQ(fault(kTls | kIpv6, host), "");
    EXPECT_THAT(fault(kTls, host), HasSubstr("cannot listen on IPv6")) << host;
  }
  EXPECT_EQ(fault(kTls, "0.0.0.0"), "");
  for (const unsigned unwanted : {1U, 4U, 16U, 32U, 64U})
    EXPECT_THAT(fault(kIpv6 | unwanted, "127.0.0.1"), HasSubstr("serve files or run scripts")) << unwanted;
}

std::set<std::string> threads_now() {
  std::set<std::string> ids;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) ids.insert(task.path());
  return ids;
}

/// In a full pids cgroup there is none to be had, and a destructor cannot fail.
TEST(HttpServer, MakesNoThreadToStop) {
  auto server = HttpServer::start({.listen_address = "127.0.0.1:0"},
                                  [](const HttpRequest&) { return HttpResponse{.body = "x"}; });
  ASSERT_TRUE(server) << server.error().message;
  std::binary_semaphore watches{0};
  std::set<std::string> before;
  std::set<std::string> new_ones;
  std::jthread watcher([&](const std::stop_token& is_done) {
    before = threads_now();
    watches.release();
    while (!is_done.stop_requested()) {
      std::ranges::set_difference(threads_now(), before, std::inserter(new_ones, new_ones.end()));
    }
  });
  watches.acquire();
  server->reset();
  watcher.request_stop();
  watcher.join();
  EXPECT_THAT(new_ones, testing::IsEmpty());
}

TEST(HttpServer, ListensOnIpv6AndOnBothAtOnce) {
  const auto handler = [](const HttpRequest&) { return HttpResponse{.body = "x"}; };
  for (const char* const listen : {"[::1]:0", ":0", "[::]:0", "0.0.0.0:0"}) {
    auto server = HttpServer::start({.listen_address = listen}, handler);
    ASSERT_TRUE(server) << listen << ": " << server.error().message;
    EXPECT_EQ(body_of(test::get((*server)->address(), "/")), "x") << listen << ' ' << (*server)->address();
    if (std::string_view(listen) == ":0") {
      const std::string port = (*server)->address().substr((*server)->address().rfind(':'));
      EXPECT_EQ(body_of(test::get("[::1]" + port, "/")), "x");
    }
  }
}

}  // namespace
}  // namespace flintgauge
