#include "agent/io/token_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace flintgauge {
namespace {

class TokenFileTest : public ::testing::Test {
 protected:
  TokenFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "flintgauge-token-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }
  ~TokenFileTest() override { std::filesystem::remove_all(directory_); }

  /// The way the kubelet does it: a new directory, then a symlink renamed over the old one. Each file is a
  /// second younger than the one before.
  void rotate_to(const std::string& content) {
    modified_ += std::chrono::seconds(1);
    replace_by(content);
  }
  /// The same on a file system that does not tell.
  void replace_by(const std::string& content) {
    const auto data = directory_ / ("data-" + std::to_string(++rotations_));
    std::filesystem::create_directory(data);
    std::ofstream(data / "token") << content;
    std::filesystem::last_write_time(data / "token", modified_);
    std::filesystem::create_symlink(data / "token", directory_ / "next");
    std::filesystem::rename(directory_ / "next", directory_ / "token");
  }
  std::string path() const { return (directory_ / "token").string(); }

  std::filesystem::path directory_;
  std::filesystem::file_time_type modified_{};
  int rotations_ = 0;
};

TEST_F(TokenFileTest, IsTrimmedAndReadAnewAfterAMinute) {
  rotate_to("  one\n");
  TokenFile file(path());
  EXPECT_EQ(file.get({1'000}), "one");
  EXPECT_EQ(file.version(), 1U);
  replace_by("two\n");
  EXPECT_EQ(file.get({61'000}), "one");
  EXPECT_EQ(file.get({61'001}), "two");
  EXPECT_EQ(file.version(), 2U);
  EXPECT_EQ(file.reads(), 2U);
}

TEST_F(TokenFileTest, IsReadAnewAtOnceWhenItIsAnotherFile) {
  TokenFile file(path());
  EXPECT_EQ(file.get({0}), "");
  EXPECT_EQ(file.get({1}), "");
  EXPECT_EQ(file.reads(), 1U) << "a file that is not there is not looked for at every request";
  rotate_to("one");
  EXPECT_EQ(file.get({2}), "one");
  rotate_to("two");
  EXPECT_EQ(file.get({3}), "two");
  EXPECT_EQ(file.get({4}), "two");
  EXPECT_EQ(file.reads(), 3U);
  EXPECT_EQ(file.version(), 2U);
}

TEST_F(TokenFileTest, IsReadAnewWhenItWasRefused) {
  rotate_to("one");
  TokenFile file(path());
  file.get({0});
  replace_by("two");
  file.expire();
  EXPECT_EQ(file.get({1}), "two");
  file.expire();
  EXPECT_EQ(file.get({2}), "two");
  EXPECT_EQ(file.version(), 2U) << "the same content is no new version";
}

TEST_F(TokenFileTest, WhatCannotBeUsedLeavesThePreviousToken) {
  rotate_to("one");
  TokenFile file(path());
  file.get({0});
  for (const std::string& bad :
       {std::string(), std::string(" \n"), std::string("a\r\nX-Evil: 1"), std::string("a\0b", 3),
        std::string("caf\xc3\xa9"), std::string(20'000, 'x')}) {
    rotate_to(bad);
    file.expire();
    EXPECT_EQ(file.get({0}), "one");
    EXPECT_NE(file.error(), "");
  }
  std::filesystem::remove(path());
  file.expire();
  EXPECT_EQ(file.get({0}), "one");
  EXPECT_NE(file.error().find(path()), std::string::npos) << file.error();
  rotate_to("two");
  file.expire();
  EXPECT_EQ(file.get({0}), "two");
  EXPECT_EQ(file.error(), "");
}

TEST_F(TokenFileTest, NoPathNoToken) {
  TokenFile file("");
  EXPECT_EQ(file.get({0}), "");
  EXPECT_EQ(file.reads(), 0U);
  EXPECT_EQ(file.error(), "");
}

}  // namespace
}  // namespace flintgauge
