// What an answer says beside its body, where requests may go, and which connections are used.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "io/http_client_support.h"
#include "support/wait_until.h"

namespace flintgauge {
namespace {

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
  std::atomic<bool> is_awake{false};
  std::jthread waker([&] {
    testing::wait_until([&] { return !server.requests().empty(); });  // the client waits for the answer now
    is_awake = true;
    client_.wake();
  });
  const auto begin = std::chrono::steady_clock::now();
  while (!is_awake) client_.wait(60'000);
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

}  // namespace
}  // namespace flintgauge
