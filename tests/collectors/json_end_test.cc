#include "collectors/common/json_end.h"

#include <gtest/gtest.h>

#include <string>

namespace flintgauge::json {
namespace {

bool beyond(std::string_view text, std::size_t piece) {
  EndFinder finder;
  bool found = false;
  for (std::size_t at = 0; at < text.size(); at += piece)
    found = finder.is_beyond_end(text.substr(at, piece)) || found;
  return found;
}

TEST(JsonEnd, OneDocumentHasNothingBeyondItsEnd) {
  for (const char* text : {"{}", "[]\n", "  {\"a\":[1,{\"b\":\"}]\"}]} \r\n\t", R"({"a":"\"}","b":"\\"})",
                           R"(["\\\""])", "{\"unfinished\":[", "\"string\"", "17", ""}) {
    for (std::size_t piece = 1; piece < 9; ++piece) EXPECT_FALSE(beyond(text, piece)) << text;
  }
}

TEST(JsonEnd, ASecondDocumentIsSeen) {
  for (const char* text : {"{}{}", "[] 1", "{\"a\":\"\\\\\"}x", "[[]]\n\n[[]]", "{}}"}) {
    for (std::size_t piece = 1; piece < 9; ++piece) EXPECT_TRUE(beyond(text, piece)) << text;
  }
}

}  // namespace
}  // namespace flintgauge::json
