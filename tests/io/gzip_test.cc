#include "agent/io/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <string>

namespace flintgauge {
namespace {

/// By zlib, which shares no code with libdeflate. Requires exactly one member and nothing behind it.
std::string gunzip(const std::string& compressed, std::size_t size) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 16 + MAX_WBITS), Z_OK);
  std::string out(size + 1, '\0');
  std::string input = compressed;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  EXPECT_EQ(stream.avail_in, 0U);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(Gzip, WhatZlibReadsBackIsTheSame) {
  GzipCompressor gzip;
  std::mt19937 random(7);
  std::string noise(100'000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  std::string page;
  for (int i = 0; i < 10'000; ++i)
    page += "flintgauge_app_pods{app_id=\"spark-" + std::to_string(i) + "\"} 1\n";
  std::string compressed = "left over from before";
  for (const std::string& bytes : {std::string(), std::string("x"), noise, page}) {
    ASSERT_TRUE(gzip.compress(bytes, compressed));
    EXPECT_EQ(gunzip(compressed, bytes.size()), bytes);
  }
  EXPECT_LT(compressed.size(), page.size() / 5);
}

}  // namespace
}  // namespace flintgauge
