// Every way in which a request can end, against a server that misbehaves on purpose: what is delivered, how
// long it takes, and which reason is given.
#include "agent/io/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "support/certificates.h"
#include "support/fake_http.h"

namespace flintgauge {
namespace {

using testing::Certificates;
using testing::FakeConnection;
using testing::FakeHttp;
using testing::FakeRequest;

struct StringSink final : BodySink {
  Status take(std::string_view more) override {
    body += more;
    if (body.find("poison") != std::string::npos) return fail(Reason::kParse, "line 1: poison");
    return {};
  }
  std::string body;
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

std::string ok_head(std::string_view more) { return std::string(kOkHead) + std::string(more) + "\r\n"; }

TEST_F(HttpClientTest, DeliversABodyWithItsLength) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) { out.respond("a 1\n"); });
  EXPECT_TRUE(got.ok()) << got.message();
  EXPECT_EQ(got.body, "a 1\n");
  EXPECT_EQ(got.result.bytes, 4U);
  EXPECT_EQ(got.result.code, 200);
  EXPECT_GT(got.result.seconds, 0);
}

TEST_F(HttpClientTest, DeliversAChunkedBody) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Transfer-Encoding: chunked\r\n") +
             "4\r\na 1\n\r\n2;x=y\r\nb \r\n2\r\n2\n\r\n0\r\n\r\n");
  });
  EXPECT_TRUE(got.ok()) << got.message();
  EXPECT_EQ(got.body, "a 1\nb 2\n");
}

TEST_F(HttpClientTest, SaysWhatItWantsAndNothingElse) {
  FakeHttp server([](FakeConnection& out, const FakeRequest&) { out.respond("a 1\n"); });
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  fetch(target(server.url("/metrics/../x")));
  unsetenv("http_proxy");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U) << "an environment proxy was used";
  EXPECT_EQ(requests[0].path, "/metrics/../x");
  EXPECT_EQ(requests[0].header("Accept"), "text/plain;version=0.0.4, */*;q=0.1");
  EXPECT_EQ(requests[0].header("User-Agent"), "flintgauge");
  EXPECT_EQ(requests[0].header("Accept-Encoding"), "");
  EXPECT_EQ(requests[0].header("Authorization"), "");
}

TEST_F(HttpClientTest, KeepsTheConnection) {
  FakeHttp server([](FakeConnection& out, const FakeRequest&) { out.respond("a 1\n"); });
  HttpFetch request(target(server.url()), sink_);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(fetch(request).ok());
  EXPECT_EQ(server.connections(), 1U);
}

// Row 1.
TEST_F(HttpClientTest, ClosedPort) {
  const Fetched got = fetch(target("http://127.0.0.1:" + std::to_string(testing::closed_port()) + "/m"));
  EXPECT_EQ(got.reason(), Reason::kConnect);
  EXPECT_EQ(got.result.code, 0);
  EXPECT_NE(got.message().find("/m"), std::string::npos) << got.message();
}

// Row 2: a listener whose queue is full drops what comes, like a black hole.
TEST_F(HttpClientTest, BlackHole) {
  const int full = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ASSERT_EQ(bind(full, reinterpret_cast<sockaddr*>(&where), size), 0);
  ASSERT_EQ(listen(full, 0), 0);
  ASSERT_EQ(getsockname(full, reinterpret_cast<sockaddr*>(&where), &size), 0);
  std::vector<int> fillers;
  for (int i = 0; i < 8; ++i) {
    fillers.push_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    connect(fillers.back(), reinterpret_cast<sockaddr*>(&where), size);
  }
  times_.connect_timeout_ms = 200;
  const Fetched got = fetch(target("http://127.0.0.1:" + std::to_string(ntohs(where.sin_port)) + "/"));
  EXPECT_EQ(got.reason(), Reason::kConnectTimeout) << got.message();
  for (const int filler : fillers) close(filler);
  close(full);
}

// Rows 3 and 4.
TEST_F(HttpClientTest, HangInsideTheBody) {
  times_.timeout_ms = 300;
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Content-Length: 100\r\n") + "a 1\n");
    out.stall();
  });
  EXPECT_EQ(got.reason(), Reason::kTimeout);
  EXPECT_EQ(got.body, "a 1\n");
}

TEST_F(HttpClientTest, SlowTrickle) {
  times_.timeout_ms = 500;
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Content-Length: 100000\r\n"));
    while (out.send("a")) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  EXPECT_EQ(got.reason(), Reason::kTimeout);
}

// Row 5.
TEST_F(HttpClientTest, ResetInsideTheBody) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Content-Length: 100\r\n") + "a 1\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    out.reset();
  });
  EXPECT_EQ(got.reason(), Reason::kReceive) << got.message();
}

TEST_F(HttpClientTest, ResetOrCloseBeforeAnyAnswer) {
  EXPECT_EQ(fetch_from([](FakeConnection& out, const FakeRequest&) { out.reset(); }).reason(),
            Reason::kConnect);
  EXPECT_EQ(fetch_from([](FakeConnection& out, const FakeRequest&) { out.close(); }).reason(),
            Reason::kConnect);
}

// Row 6.
TEST_F(HttpClientTest, BodyShorterThanDeclared) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Content-Length: 100\r\n") + "a 1\n");
    out.close();
  });
  EXPECT_EQ(got.reason(), Reason::kPartial);
}

TEST_F(HttpClientTest, ChunkedWithoutItsLastChunk) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Transfer-Encoding: chunked\r\n") + "4\r\na 1\n\r\n");
    out.close();
  });
  EXPECT_EQ(got.reason(), Reason::kPartial);
}

TEST_F(HttpClientTest, ChunkedWithABrokenSize) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Transfer-Encoding: chunked\r\n") + "zz\r\na 1\n\r\n0\r\n\r\n");
  });
  EXPECT_EQ(got.reason(), Reason::kReceive) << got.message();
}

// Row 7: HTTP cannot know; the decoder demands the end of its format.
TEST_F(HttpClientTest, BodyThatEndsWithTheConnectionIsDelivered) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Connection: close\r\n") + "a 1\nb 2");
    out.close();
  });
  EXPECT_TRUE(got.ok()) << got.message();
  EXPECT_EQ(got.body, "a 1\nb 2");
}

// Rows 8 and 9.
TEST_F(HttpClientTest, AnyContentCoding) {
  for (const char* coding : {"gzip", "deflate", "br", "gzip, gzip", "x-unknown"}) {
    const Fetched got = fetch_from([&](FakeConnection& out, const FakeRequest&) {
      out.send(ok_head("Content-Encoding: " + std::string(coding) + "\r\nContent-Length: 3\r\n") + "a 1");
    });
    EXPECT_EQ(got.reason(), Reason::kContentEncoding) << coding << got.message();
    EXPECT_EQ(got.body, "") << coding;
  }
}

TEST_F(HttpClientTest, TransferCodingOtherThanChunked) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Transfer-Encoding: gzip, chunked\r\n") + "4\r\na 1\n\r\n0\r\n\r\n");
  });
  EXPECT_EQ(got.reason(), Reason::kContentEncoding) << got.message();
  EXPECT_EQ(got.body, "");
}

TEST_F(HttpClientTest, IdentityCodingIsFine) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Content-Encoding: identity\r\nContent-Length: 4\r\n") + "a 1\n");
  });
  EXPECT_TRUE(got.ok()) << got.message();
}

// Row 10.
TEST_F(HttpClientTest, BodyOverTheLimitDeclared) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Content-Length: 1073741824\r\n") + "a 1\n");
    out.stall();
  });
  EXPECT_EQ(got.reason(), Reason::kTooLarge) << got.message();
}

TEST_F(HttpClientTest, BodyOverTheLimitNotDeclared) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Transfer-Encoding: chunked\r\n"));
    const std::string chunk = "4000\r\n" + std::string(0x4000, 'a') + "\r\n";
    while (out.send(chunk)) {
    }
  });
  EXPECT_EQ(got.reason(), Reason::kTooLarge) << got.message();
  EXPECT_LE(got.body.size(), 1U << 20U);
}

// Row 12.
TEST_F(HttpClientTest, TooManyHeaders) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    std::string head(kOkHead);
    for (int i = 0; i < 40'000; ++i) head += "X-Header-" + std::to_string(i) + ": something\r\n";
    out.send(head + "Content-Length: 4\r\n\r\na 1\n");
  });
  EXPECT_EQ(got.reason(), Reason::kHeaders) << got.message();
}

TEST_F(HttpClientTest, TooLongAHeader) {
  for (const std::size_t size : {70'000U, 200'000U}) {
    const Fetched got = fetch_from([&](FakeConnection& out, const FakeRequest&) {
      out.send(std::string(kOkHead) + "X-Long: " + std::string(size, 'x') +
               "\r\nContent-Length: 4\r\n\r\na 1\n");
    });
    EXPECT_EQ(got.reason(), Reason::kHeaders) << size << got.message();
  }
}

// Row 13.
TEST_F(HttpClientTest, ContentTypes) {
  struct Case {
    Expect expect;
    const char* type;
    bool ok;
  };
  for (const Case& test :
       {Case{Expect::kText, "text/plain", true}, Case{Expect::kText, "TEXT/Plain;charset=utf-8", true},
        Case{Expect::kText, "application/openmetrics-text; version=1.0.0", true},
        Case{Expect::kText, "text/html", false}, Case{Expect::kText, "application/json", false},
        Case{Expect::kText, "text/plainish", false}, Case{Expect::kJson, "application/json", true},
        Case{Expect::kJson, "text/json;charset=utf-8", true},
        Case{Expect::kJson, "text/html;charset=utf-8", false}, Case{Expect::kJson, "text/plain", false}}) {
    FakeHttp server([&](FakeConnection& out, const FakeRequest&) { out.respond("{}", test.type); });
    HttpTarget wanted = target(server.url());
    wanted.expect = test.expect;
    wanted.missing_type_ok = true;
    const Fetched got = fetch(wanted);
    EXPECT_EQ(got.ok(), test.ok) << test.type << got.message();
    if (!test.ok) {
      EXPECT_EQ(got.reason(), Reason::kContentType) << test.type;
      EXPECT_EQ(got.body, "");
    }
  }
}

TEST_F(HttpClientTest, MissingContentType) {
  FakeHttp server([](FakeConnection& out, const FakeRequest&) {
    out.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n");
  });
  HttpTarget wanted = target(server.url());
  EXPECT_EQ(fetch(wanted).reason(), Reason::kContentType);
  wanted.missing_type_ok = true;
  EXPECT_TRUE(fetch(wanted).ok());
}

// Rows 14, 15 and 16.
TEST_F(HttpClientTest, StatusesOtherThan200) {
  struct Case {
    int status;
    Reason reason;
  };
  for (const Case& test :
       {Case{201, Reason::kHttpStatus}, Case{204, Reason::kHttpStatus}, Case{301, Reason::kRedirect},
        Case{302, Reason::kRedirect}, Case{304, Reason::kRedirect}, Case{308, Reason::kRedirect},
        Case{400, Reason::kHttpStatus}, Case{401, Reason::kAuth}, Case{403, Reason::kAuth},
        Case{404, Reason::kNotOffered}, Case{406, Reason::kHttpStatus}, Case{429, Reason::kHttpStatus},
        Case{500, Reason::kHttpStatus}, Case{503, Reason::kHttpStatus}}) {
    const Fetched got = fetch_from([&](FakeConnection& out, const FakeRequest&) {
      out.respond_status(test.status, "a 1\n", "Location: http://169.254.169.254/latest\r\n");
    });
    EXPECT_EQ(got.reason(), test.reason) << test.status;
    EXPECT_EQ(got.result.code, test.status);
    EXPECT_EQ(got.body, "") << test.status;
    EXPECT_NE(got.message().find(std::to_string(test.status)), std::string::npos) << got.message();
  }
}

TEST_F(HttpClientTest, RedirectsAreNotFollowed) {
  FakeHttp elsewhere([](FakeConnection& out, const FakeRequest&) { out.respond("stolen 1\n"); });
  const Fetched got = fetch_from([&](FakeConnection& out, const FakeRequest&) {
    out.respond_status(302, "", "Location: " + elsewhere.url() + "\r\n");
  });
  EXPECT_EQ(got.reason(), Reason::kRedirect);
  EXPECT_TRUE(elsewhere.requests().empty());
}

TEST_F(HttpClientTest, TheServersWordsOfARefusalAreKept) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.respond_status(403,
                       "Forbidden (user=x, verb=get,\nresource=nodes, subresource(s)=[pods proxy])\x1b[2J");
  });
  EXPECT_EQ(got.reason(), Reason::kAuth);
  EXPECT_NE(got.message().find("subresource(s)=[pods proxy])\\x1b[2J"), std::string::npos) << got.message();
  EXPECT_LE(got.message().size(), 256U);
}

TEST_F(HttpClientTest, EndlessBodyOfARefusal) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "4000\r\n" + std::string(0x4000, 'a') + "\r\n";
    while (out.send(chunk)) {
    }
  });
  EXPECT_EQ(got.reason(), Reason::kHttpStatus);
  EXPECT_EQ(got.result.code, 500);
}

TEST_F(HttpClientTest, InformationalAnswersAreSkipped) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send("HTTP/1.1 103 Early Hints\r\nContent-Type: text/html\r\n\r\n");
    out.respond("a 1\n");
  });
  EXPECT_TRUE(got.ok()) << got.message();
  EXPECT_EQ(got.body, "a 1\n");
}

TEST_F(HttpClientTest, WhatIsNoHttp) {
  for (const char* bytes : {"a 1\nb 2\n", "\x16\x03\x01\x02garbage", "HTTP/9.9 200 OK\r\n\r\n"}) {
    const Fetched got = fetch_from([&](FakeConnection& out, const FakeRequest&) {
      out.send(bytes);
      out.close();
    });
    EXPECT_EQ(got.reason(), Reason::kReceive) << bytes << got.message();
    EXPECT_EQ(got.body, "");
  }
}

TEST_F(HttpClientTest, TheDecodersErrorEndsTheRequest) {
  const Fetched got = fetch_from([](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Transfer-Encoding: chunked\r\n") + "7\r\npoison\n\r\n");
    out.stall();
  });
  EXPECT_EQ(got.reason(), Reason::kParse);
  EXPECT_NE(got.message().find("line 1: poison"), std::string::npos) << got.message();
}

// Rows 17 and 18: the socket itself is refused.
TEST_F(HttpClientTest, AddressesThatAPodCannotHave) {
  FakeHttp server([](FakeConnection& out, const FakeRequest&) { out.respond("a 1\n"); });
  HttpTarget wanted = target(server.url());
  wanted.addresses = AddressRule::kPods;
  EXPECT_EQ(fetch(wanted).reason(), Reason::kBlockedAddress);
  wanted.url = "http://localhost:" + std::to_string(server.port()) + "/";
  EXPECT_EQ(fetch(wanted).reason(), Reason::kBlockedAddress);
  EXPECT_EQ(server.connections(), 0U);
  wanted.addresses = AddressRule::kPodsAndLoopback;
  EXPECT_TRUE(fetch(wanted).ok());
  for (const char* url :
       {"http://169.254.169.254/", "http://0.0.0.0:1/", "http://[::]:1/", "http://[fe80::1]/",
        "http://224.0.0.1/", "http://[::ffff:169.254.169.254]/", "http://255.255.255.255/"}) {
    wanted.url = url;
    EXPECT_EQ(fetch(wanted).reason(), Reason::kBlockedAddress) << url;
  }
}

// A kept connection is looked at again before it carries a request.
TEST_F(HttpClientTest, AKeptConnectionIsJudgedByTheRuleOfTheNewRequest) {
  FakeHttp server([](FakeConnection& out, const FakeRequest&) { out.respond("a 1\n"); });
  HttpTarget wanted = target(server.url());
  EXPECT_TRUE(fetch(wanted).ok());
  wanted.addresses = AddressRule::kPods;
  EXPECT_EQ(fetch(wanted).reason(), Reason::kBlockedAddress);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpClientTest, OtherSchemesAndUsersAreNotUsed) {
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/"})
    EXPECT_EQ(fetch(target(url)).reason(), Reason::kConfig) << url;
  EXPECT_FALSE(fetch(target("http://user:secret@127.0.0.1/")).ok());
}

// Row 19.
TEST_F(HttpClientTest, NameThatDoesNotResolve) {
  EXPECT_EQ(fetch(target("http://no-such-host.invalid/")).reason(), Reason::kDns);
}

// Row 25.
TEST_F(HttpClientTest, AKeptConnectionThatTheServerClosedIsReplacedOnce) {
  std::atomic<int> served{0};
  FakeHttp server([&](FakeConnection& out, const FakeRequest&) {
    out.respond("a 1\n");
    if (++served == 1) out.close();  // without having said Connection: close
  });
  HttpFetch request(target(server.url()), sink_);
  EXPECT_TRUE(fetch(request).ok());
  EXPECT_TRUE(fetch(request).ok());
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(HttpClientTest, AKeptConnectionThatDiesOnTheNextRequestIsReplacedOnce) {
  std::atomic<int> asked{0};
  FakeHttp server([&](FakeConnection& out, const FakeRequest&) {
    if (++asked == 2) return out.reset();
    out.respond("a 1\n");
  });
  HttpFetch request(target(server.url()), sink_);
  EXPECT_TRUE(fetch(request).ok());
  const Fetched second = fetch(request);
  EXPECT_TRUE(second.ok()) << second.message();
  EXPECT_EQ(second.body, "a 1\n");
  EXPECT_EQ(asked, 3);
}

// Row 67.
TEST_F(HttpClientTest, NoFileDescriptorLeft) {
  FakeHttp server([](FakeConnection& out, const FakeRequest&) { out.respond("a 1\n"); });
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  std::vector<int> files;
  rlimit low = before;
  low.rlim_cur = 64;
  setrlimit(RLIMIT_NOFILE, &low);
  for (int file = dup(0); file >= 0; file = dup(0)) files.push_back(file);
  const Fetched got = fetch(target(server.url()));
  for (const int file : files) close(file);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(got.reason(), Reason::kFileDescriptors) << got.message();
}

TEST_F(HttpClientTest, WakeEndsTheWait) {
  FakeHttp server([](FakeConnection& out, const FakeRequest&) { out.stall(); });
  HttpFetch request(target(server.url()), sink_);
  client_.start(request, times_, "");
  std::jthread waker([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    client_.wake();
  });
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(100)) client_.wait(60'000);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  client_.cancel(request);
}

TEST_F(HttpClientTest, SecretsGoOnlyWhereTheyAreSafe) {
  EXPECT_TRUE(may_carry_secret("https://10.0.0.7:10250/pods"));
  EXPECT_TRUE(may_carry_secret("http://127.0.0.1:10250/pods"));
  EXPECT_TRUE(may_carry_secret("http://127.5.6.7/pods"));
  EXPECT_TRUE(may_carry_secret("http://[::1]:10250/pods"));
  EXPECT_TRUE(may_carry_secret("http://localhost:10250/pods"));
  EXPECT_FALSE(may_carry_secret("http://10.0.0.7:10255/pods"));
  EXPECT_FALSE(may_carry_secret("http://localhost.evil.example/pods"));
  EXPECT_FALSE(may_carry_secret("http://127.0.0.1@evil.example/"));
  EXPECT_FALSE(may_carry_secret("http://127.0.0.1.evil.example/"));
  EXPECT_FALSE(may_carry_secret("ftp://127.0.0.1/"));
}

// Row 21, and every mode of trust.
class HttpTlsTest : public HttpClientTest {
 protected:
  static void answer(FakeConnection& out, const FakeRequest&) { out.respond("a 1\n"); }
  FakeHttp::Tls files(const std::string& name) const {
    return {certificates_.certificate_file(name), certificates_.key_file(name)};
  }
  HttpTarget trusting(const FakeHttp& server, const HttpTrust& trust) const {
    HttpTarget wanted = target(server.url());
    wanted.trust = trust;
    return wanted;
  }
  Certificates certificates_;
};

TEST_F(HttpTlsTest, CertificateOfTheAuthorityAndTheAddress) {
  certificates_.issue("good", {});
  FakeHttp server(answer, files("good"));
  EXPECT_TRUE(fetch(trusting(server, {.ca_file = certificates_.ca_file()})).ok());
}

TEST_F(HttpTlsTest, WhatIsNotTrusted) {
  certificates_.issue("good", {});
  certificates_.issue("expired", {.valid_from_s = -7200, .valid_for_s = 3600});
  certificates_.issue("elsewhere", {.alternative_names = "DNS:node-1,IP:10.9.9.9"});
  Certificates other;
  FakeHttp good(answer, files("good"));
  FakeHttp expired(answer, files("expired"));
  FakeHttp elsewhere(answer, files("elsewhere"));
  const HttpTrust ours{.ca_file = certificates_.ca_file()};
  EXPECT_EQ(fetch(trusting(good, {.ca_file = other.ca_file()})).reason(), Reason::kTls);
  EXPECT_EQ(fetch(trusting(good, {})).reason(), Reason::kTls);
  EXPECT_EQ(fetch(trusting(good, {.ca_file = "/nonexistent/ca.crt"})).reason(), Reason::kTls);
  EXPECT_EQ(fetch(trusting(expired, ours)).reason(), Reason::kTls);
  EXPECT_EQ(fetch(trusting(elsewhere, ours)).reason(), Reason::kTls);
  EXPECT_TRUE(good.requests().empty() && expired.requests().empty() && elsewhere.requests().empty());
  EXPECT_TRUE(fetch(trusting(expired, {.insecure_skip_verify = true})).ok());
}

TEST_F(HttpTlsTest, ServerNameIsVerifiedInsteadOfTheAddress) {
  certificates_.issue("named", {.alternative_names = "DNS:node-1"});
  FakeHttp server(answer, files("named"));
  const HttpTrust right{.ca_file = certificates_.ca_file(), .server_name = "node-1"};
  const HttpTrust wrong{.ca_file = certificates_.ca_file(), .server_name = "node-2"};
  const Fetched got = fetch(trusting(server, right));
  EXPECT_TRUE(got.ok()) << got.message();
  EXPECT_EQ(fetch(trusting(server, wrong)).reason(), Reason::kTls);
  EXPECT_EQ(server.requests().at(0).header("Host"), "node-1:" + std::to_string(server.port()));
}

TEST_F(HttpTlsTest, PinnedCertificateWhateverItsName) {
  certificates_.issue("kubelet", {.alternative_names = "DNS:node-1"});
  certificates_.issue("impostor", {});
  FakeHttp server(answer, files("kubelet"));
  FakeHttp impostor(answer, files("impostor"));
  const HttpTrust pinned{.ca_file = certificates_.ca_file(),
                         .pinned_certificate_file = certificates_.certificate_file("kubelet")};
  const Fetched got = fetch(trusting(server, pinned));
  EXPECT_TRUE(got.ok()) << got.message();
  EXPECT_EQ(fetch(trusting(impostor, pinned)).reason(), Reason::kTls);
  // The authority itself in the file does not open the door to whoever it has signed.
  const HttpTrust authority{.pinned_certificate_file = certificates_.ca_file()};
  EXPECT_EQ(fetch(trusting(impostor, authority)).reason(), Reason::kTls);
  const Fetched missing = fetch(trusting(server, {.pinned_certificate_file = "/nonexistent.crt"}));
  EXPECT_EQ(missing.reason(), Reason::kTls);
  EXPECT_NE(missing.message().find("/nonexistent.crt"), std::string::npos) << missing.message();
}

// Row 22.
TEST_F(HttpTlsTest, ARenewedPinnedCertificateIsReadAfterTheFirstFailure) {
  certificates_.issue("kubelet", {});
  certificates_.issue("renewed", {});
  const HttpTrust pinned{.pinned_certificate_file = certificates_.certificate_file("kubelet")};
  FakeHttp server(answer, files("renewed"));
  HttpFetch request(trusting(server, pinned), sink_);
  EXPECT_EQ(fetch(request).reason(), Reason::kTls);
  std::filesystem::copy_file(certificates_.certificate_file("renewed"),
                             certificates_.certificate_file("kubelet"),
                             std::filesystem::copy_options::overwrite_existing);
  const Fetched got = fetch(request);
  EXPECT_TRUE(got.ok()) << got.message();
}

TEST_F(HttpTlsTest, AReplacedAuthorityCountsFromTheNextConnection) {
  certificates_.issue("good", {});
  Certificates other;
  const std::string ca = other.path("live.crt");
  std::filesystem::copy_file(other.ca_file(), ca);
  FakeHttp server(answer, files("good"));
  HttpFetch request(trusting(server, {.ca_file = ca}), sink_);
  EXPECT_EQ(fetch(request).reason(), Reason::kTls);
  std::filesystem::copy_file(certificates_.ca_file(), ca, std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(fetch(request).ok());
}

TEST_F(HttpTlsTest, PlainServerWhereHttpsIsDue) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&where), size), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&where), &size), 0);
  std::jthread plain([listener] {
    FakeConnection client(accept(listener, nullptr, nullptr));
    client.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    client.stall();
  });
  HttpTarget wanted = target("https://127.0.0.1:" + std::to_string(ntohs(where.sin_port)) + "/");
  wanted.trust.insecure_skip_verify = true;
  EXPECT_EQ(fetch(wanted).reason(), Reason::kTls);
  plain.join();
  close(listener);
}

TEST_F(HttpTlsTest, ServerThatNeverFinishesTheHandshake) {
  FakeHttp silent(answer);  // waits for the end of a request that does not come
  times_.connect_timeout_ms = 200;
  EXPECT_EQ(fetch(target("https://127.0.0.1:" + std::to_string(silent.port()) + "/")).reason(),
            Reason::kConnectTimeout);
}

TEST_F(HttpTlsTest, TheTokenIsSentAndReplaced) {
  certificates_.issue("good", {});
  FakeHttp server(answer, files("good"));
  HttpFetch request(trusting(server, {.ca_file = certificates_.ca_file()}), sink_);
  fetch(request, "Bearer one");
  fetch(request, "Bearer one");
  fetch(request, "Bearer two");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  EXPECT_EQ(requests[0].header("Authorization"), "Bearer one");
  EXPECT_EQ(requests[1].header("Authorization"), "Bearer one");
  EXPECT_EQ(requests[2].header("Authorization"), "Bearer two");
  EXPECT_EQ(server.connections(), 1U);
}

}  // namespace
}  // namespace flintgauge
