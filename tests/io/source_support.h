// A source with a fake collector and a fake fold, against the fake server.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "agent/io/source.h"
#include "support/fake_http.h"
#include "support/fake_source.h"
#include "support/wait_until.h"

namespace flintgauge {

using std::chrono::milliseconds;
using testing::FakeCollector;
using testing::FakeConnection;
using testing::FakeFold;
using testing::FakeHttp;
using testing::FakeRequest;
using testing::FoldDiary;

constexpr std::int64_t kInterval = 40;

class SourceTest : public ::testing::Test {
 protected:
  ~SourceTest() override {
    if (source_) source_->stop();
  }

  Target target(const std::string& key, const std::string& path) const {
    Target made;
    made.key = key;
    made.collector = key;
    made.url = server_.url(path);
    made.pace = {.interval_ms = kInterval, .timeout_ms = 2'000, .first_timeout_ms = 2'000, .ttl_ms = 60'000};
    return made;
  }

  void offer(std::vector<Target> targets, bool of_pods = false) {
    for (Target& one : targets) {
      const std::string name = one.key;
      auto collector = std::make_unique<FakeCollector>(name, settings_.kind, std::vector{std::move(one)});
      collector->of_pods = of_pods;
      collectors_.push_back(std::move(collector));
    }
  }

  void start() {
    settings_.body_limit = 1U << 20U;
    settings_.node_name = "node-1";
    source_ = std::make_unique<Source>(settings_, collectors_, std::make_unique<FakeFold>(diary_), store_,
                                       metrics_, [this] { ++published_; });
    source_->start();
  }

  template <typename Condition>
  static bool eventually(const Condition& condition) {
    return testing::wait_until(condition);
  }

  TargetState state(std::size_t index = 0) {
    const View view = store_.read();
    const Block* block = view.block(settings_.kind == SourceKind::kKubelet ? Shard::kKubelet : Shard::kSpark);
    return block && index < block->targets.size() ? block->targets[index] : TargetState{};
  }

  double metric(const std::string& line_start) const {
    std::string page;
    metrics_.append_page(PageFormat::kText004, page);
    const std::size_t at = page.find("\n" + line_start + ' ');
    return at == std::string::npos ? -1 : std::stod(page.substr(at + line_start.size() + 2));
  }

  // Scripts outlive the test body: what they refer to are members.
  std::atomic<int> at_once_{0}, asked_{0};
  std::atomic<bool> overlapped_{false};
  FakeHttp server_{[](FakeConnection& out, const FakeRequest&) { out.respond("a 1\n"); }};
  FoldDiary diary_;
  Store store_;
  SelfMetrics metrics_{{"1", "2", "3"}};
  Source::Collectors collectors_;
  SourceSettings settings_;
  std::atomic<int> published_{0};
  std::unique_ptr<Source> source_;
};

}  // namespace flintgauge
