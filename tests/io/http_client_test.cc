// How a body arrives or does not, against a server that misbehaves on purpose: what is delivered, and which
// reason is given.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "io/http_client_support.h"
#include "support/wait_until.h"

namespace flintgauge {
namespace {

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

// cmake/debian_source.sh builds it so. A look-up of a name in the client's own thread would hold up the rest.
TEST(HttpLibrary, SpeaksHttpAlone) {
  const curl_version_info_data& library = *curl_version_info(CURLVERSION_NOW);
  std::vector<std::string> protocols;
  for (const char* const* name = library.protocols; *name != nullptr; ++name) protocols.emplace_back(*name);
  EXPECT_EQ(protocols, (std::vector<std::string>{"http", "https"}));
  constexpr int kWanted =
      CURL_VERSION_SSL | CURL_VERSION_IPV6 | CURL_VERSION_ASYNCHDNS | CURL_VERSION_THREADSAFE;
  EXPECT_EQ(library.features & kWanted, kWanted);
  constexpr int kDecoders = CURL_VERSION_LIBZ | CURL_VERSION_BROTLI | CURL_VERSION_ZSTD | CURL_VERSION_HTTP2;
  EXPECT_EQ(library.features & kDecoders, 0);
  EXPECT_STREQ(library.cainfo, "/etc/ssl/certs/ca-certificates.crt");
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
    static_cast<void>(connect(fillers.back(), reinterpret_cast<sockaddr*>(&where), size));
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

TEST_F(HttpClientTest, HangOnAKeptConnectionIsNoMatterOfConnecting) {
  FakeHttp server([](FakeConnection& out, const FakeRequest&) { out.respond("a 1\n"); });
  HttpFetch request(target(server.url()), sink_);
  EXPECT_TRUE(fetch(request).ok());
  server.script([](FakeConnection& out, const FakeRequest&) { out.stall(); });
  times_.timeout_ms = 300;
  EXPECT_EQ(fetch(request).reason(), Reason::kTimeout);
  EXPECT_EQ(server.connections(), 1U);
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
  const Fetched got = fetch_from([this](FakeConnection& out, const FakeRequest&) {
    out.send(ok_head("Content-Length: 100\r\n") + "a 1\n");
    testing::wait_until([this] { return sink_.has_begun.load(); });
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

TEST_F(HttpClientTest, NetrcIsNotRead) {
  const std::filesystem::path home = ::testing::TempDir() + "home_with_netrc." + std::to_string(getpid());
  std::filesystem::create_directory(home);
  std::ofstream(home / ".netrc") << "machine 127.0.0.1 login operator password secret\n";
  setenv("HOME", home.c_str(), 1);
  setenv("NETRC", (home / ".netrc").c_str(), 1);
  FakeHttp server([](FakeConnection& out, const FakeRequest&) { out.respond("a 1\n"); });
  EXPECT_TRUE(fetch(target(server.url())).ok());
  EXPECT_EQ(server.requests().at(0).header("Authorization"), "");
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

}  // namespace
}  // namespace flintgauge
