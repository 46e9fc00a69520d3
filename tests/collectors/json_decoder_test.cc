#include "collectors/common/json_decoder.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "flintgauge/collector.h"
#include "support/allocations.h"

namespace flintgauge {
std::unique_ptr<Collector> make_kubelet_summary();
std::unique_ptr<Collector> make_spark_environment();
namespace {

/// How often the second of two equal bodies needed room while it came.
std::uint64_t room_needed_again(const Collector& collector, const std::string& body) {
  Target target;
  target.body_limit = body.size();
  const std::unique_ptr<Decoder> decoder = collector.make_decoder(target);
  std::uint64_t needed = 0;
  for (int i = 0; i < 2; ++i) {
    decoder->begin();
    const std::uint64_t before = testing::allocations();
    EXPECT_TRUE(decoder->feed(body));
    needed = testing::allocations() - before;
    EXPECT_TRUE(decoder->finish());
  }
  return needed;
}

TEST(JsonDecoder, KeepsTheRoomOfABodyForTheNext) {
  EXPECT_EQ(
      room_needed_again(*make_kubelet_summary(), R"({"node": {}, "pods": []})" + std::string(5'000, ' ')),
      0U);
}

TEST(JsonDecoder, GivesABodyWithSecretsBackAtOnce) {
  EXPECT_GT(room_needed_again(*make_spark_environment(),
                              R"({"sparkProperties": [["spark.app.name", "a"]]})" + std::string(5'000, ' ')),
            0U);
}

}  // namespace
}  // namespace flintgauge
