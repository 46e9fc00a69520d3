// Every mode of trust.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "agent/io/agent.h"
#include "flintgauge/config.h"
#include "io/http_client_support.h"
#include "support/certificates.h"

namespace flintgauge {
namespace {

using testing::Certificates;
using ::testing::HasSubstr;

// Row 21, and every mode of trust.
class HttpTlsTest : public HttpClientTest {
 protected:
  static void answer(FakeConnection& out, const FakeRequest&) { out.respond("a 1\n"); }
  FakeHttp::Tls files(const std::string& name) const {
    return {.certificate_file = certificates_.certificate_file(name),
            .key_file = certificates_.key_file(name)};
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

TEST_F(HttpTlsTest, AFailedHandshakeSaysWhatHelps) {
  certificates_.issue("self_signed", {.self_signed = true});
  certificates_.issue("elsewhere", {.alternative_names = "DNS:node-1"});
  for (const char* const name : {"self_signed", "elsewhere"}) {
    FakeHttp server(answer, files(name));
    Config config;
    config.kubelet.url = server.url("");
    config.kubelet.ca_file = certificates_.ca_file();
    config.kubelet.token_file.clear();
    config.spark.enabled = false;
    const auto agent = Agent::make(config, {"1", "2", "3"});
    ASSERT_TRUE(agent) << agent.error().message;
    ASSERT_TRUE((*agent)->run_once());
    const View view = (*agent)->store().read();
    const TargetState& state = view.block(Shard::kKubelet)->targets.at(0);
    EXPECT_EQ(state.last_reason, Reason::kTls);
    for (const char* const key :
         {"certificate", "kubelet.ca_file", "kubelet.pinned_certificate_file", "kubelet.server_name"})
      EXPECT_THAT(*state.last_error, HasSubstr(key)) << name;
  }
}

/// OpenSSL as an operator may have set it up: it takes every version. Before anything of it is initialised.
struct LenientOpenSsl {
  LenientOpenSsl() {
    std::ofstream(file) << "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n"
                           "[c]\nMinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n";
    setenv("OPENSSL_CONF", file.c_str(), 1);
  }
  const std::string file = ::testing::TempDir() + "lenient_openssl." + std::to_string(getpid()) + ".cnf";
};
class OutdatedTlsTest : private LenientOpenSsl, public HttpTlsTest {};

TEST_F(OutdatedTlsTest, ServerBelowTls12IsRefused) {
  certificates_.issue("good", {});
  FakeHttp::Tls outdated = files("good");
  outdated.is_outdated = true;
  FakeHttp server(answer, outdated);
  for (const HttpTrust& trust :
       {HttpTrust{.ca_file = certificates_.ca_file()}, HttpTrust{.insecure_skip_verify = true}}) {
    const Fetched refused = fetch(trusting(server, trust));
    EXPECT_EQ(refused.reason(), Reason::kTls) << refused.message();
    EXPECT_THAT(refused.message(), HasSubstr("protocol version"));
  }
  EXPECT_TRUE(server.requests().empty());
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
