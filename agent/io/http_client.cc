#include "agent/io/http_client.h"

#include <algorithm>
#include <cassert>
#include <new>
#include <stdexcept>
#include <utility>

#include "agent/io/http_setup.h"

namespace flintgauge {

HttpFetch::HttpFetch(HttpTarget target, BodySink& sink) : target_(std::move(target)), sink_(&sink) {}

HttpClient::HttpClient() {
  static const CURLcode kGlobal = curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_.reset(kGlobal == CURLE_OK ? curl_multi_init() : nullptr);
  if (!multi_) throw std::runtime_error("libcurl cannot be initialised");
  curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAX_HOST_CONNECTIONS, 2L);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, 64L);  // idle ones kept
}

void HttpClient::start(HttpFetch& request, const HttpTimes& times, std::string_view authorization) {
  assert(!request.is_running_);
  request.prepare();
  HttpSetup(request).apply(times, authorization);
  request.is_running_ = true;
  const CURLMcode added = curl_multi_add_handle(multi_.get(), request.easy_.get());
  if (added != CURLM_OK) throw std::runtime_error(curl_multi_strerror(added));
}

HttpFetch* HttpClient::next_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    CURL* const easy = message->easy_handle;  // message is gone after remove_handle
    void* owner = nullptr;
    curl_off_t microseconds = 0;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &microseconds);
    auto& request = *static_cast<HttpFetch*>(owner);
    request.result_.status = request.outcome(code);
    request.wants_pin_ = !request.result_.status && request.result_.status.error().reason == Reason::kTls;
    request.result_.code = request.code_;
    request.result_.seconds = static_cast<double>(microseconds) / 1e6;
    curl_multi_remove_handle(multi_.get(), easy);
    request.is_running_ = false;
    return &request;
  }
  return nullptr;
}

HttpFetch* HttpClient::wait(int timeout_ms) {
  if (HttpFetch* finished = next_finished()) return finished;
  int running = 0;
  // Returns at once when a request was started since: libcurl then has a timer of its own that is due.
  curl_multi_poll(multi_.get(), nullptr, 0, timeout_ms, nullptr);
  curl_multi_perform(multi_.get(), &running);
  return next_finished();
}

void HttpClient::cancel(HttpFetch& request) {
  if (!request.is_running_) return;
  curl_multi_remove_handle(multi_.get(), request.easy_.get());
  request.is_running_ = false;
}

void HttpClient::wake() noexcept { curl_multi_wakeup(multi_.get()); }

bool may_carry_secret(std::string_view url) {
  if (url.starts_with("https://")) return true;
  if (!url.starts_with("http://")) return false;
  std::string_view host = url.substr(7);
  host = host.substr(0, host.find('/'));
  if (host.find('@') != std::string_view::npos) return false;
  if (host.starts_with('[')) return host.starts_with("[::1]");
  host = host.substr(0, host.find(':'));
  return host == "localhost" ||
         (!is_allowed(host, AddressRule::kPods) && is_allowed(host, AddressRule::kPodsAndLoopback));
}

}  // namespace flintgauge
