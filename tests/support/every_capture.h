// What every test over captured bodies does: decode it, compare with the slow reading of the same bytes, and
// count each scalar once.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>

#include "flintgauge/collector.h"
#include "support/captures.h"
#include "support/json_bodies.h"
#include "support/json_reference.h"

namespace flintgauge {

enum class NoDocument : bool { kFails, kIsLeftOut };  ///< a capture that is no JSON

/// `check(tree, batch, counts)` for each JSON capture whose file name contains `part`; there are at least
/// `at_least`.
template <typename Check>
void for_every_json_capture(const std::string& part, std::size_t at_least,
                            const std::function<std::unique_ptr<Decoder>()>& make_decoder, Check check,
                            NoDocument otherwise = NoDocument::kFails) {
  std::size_t documents = 0;
  for (const std::string& path : list_captures(part)) {
    SCOPED_TRACE(path);
    const std::string body = read_capture(path);
    const auto tree = reference::parse_json(body);
    if (!tree && otherwise == NoDocument::kIsLeftOut) continue;
    ASSERT_TRUE(tree);
    const auto decoder = make_decoder();
    const auto batch = decode(*decoder, body);
    ASSERT_TRUE(batch.has_value()) << batch.error().message;
    EXPECT_EQ(decoder->counts().bad, 0U);
    EXPECT_EQ(decoder->counts().bytes, body.size());
    EXPECT_EQ(total(decoder->counts()), count_scalars(*tree)) << "nothing is dropped silently";
    check(*tree, batch, decoder->counts());
    ++documents;
  }
  EXPECT_GE(documents, at_least);
}

}  // namespace flintgauge
