#include "agent/io/history_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "agent/io/self_metrics.h"

namespace flintgauge {
namespace {

class Folder {
 public:
  Folder() {
    std::string name = ::testing::TempDir() + "history_XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Bench {
  Folder folder;
  SelfMetrics metrics{BuildInfo{}};
  HistoryConfig config{.file = folder.file("history"), .interval_ms = 1'000};

  std::string counted(const std::string& result) const {
    std::string page;
    metrics.append_page(PageFormat::kText004, page);
    const std::string name = "flintgauge_history_file_total{result=\"" + result + "\"} ";
    const std::size_t at = page.find(name);
    return at == std::string::npos ? "absent"
                                   : page.substr(at + name.size(), page.find('\n', at) - at - name.size());
  }
};

TEST(HistoryFile, IsReplacedWhole) {
  const Folder folder;
  const std::string path = folder.file("history");
  ASSERT_TRUE(replace_file(path, "first"));
  ASSERT_TRUE(replace_file(path, "2"));
  EXPECT_EQ(read(path), "2");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST(HistoryFile, KeepsTheOldBytesWhenItCannotWrite) {
  const Folder folder;
  const std::string path = folder.file("history");
  ASSERT_TRUE(replace_file(path, "old"));
  std::filesystem::create_directory(path + ".new");  // in the way of the file beside it
  EXPECT_FALSE(replace_file(path, "new"));
  EXPECT_EQ(read(path), "old");
}

TEST(HistoryFile, OfAFullDiskIsAFailure) {
  EXPECT_FALSE(replace_file("/dev/full/history", "x"));
  EXPECT_FALSE(replace_file("/no/such/folder/history", "x"));
}

TEST(HistoryFile, IsLoadedAndCounted) {
  Bench bench;
  HistoryFile history(bench.config, bench.metrics);
  std::string seen;
  const auto take = [&](std::string_view bytes) -> std::optional<std::string_view> {
    seen = bytes;
    return bytes == "good" ? std::nullopt : std::optional<std::string_view>("damaged");
  };
  history.load(take);
  EXPECT_EQ(seen, "") << "there is no file yet";
  history.write("good");
  history.load(take);
  EXPECT_EQ(seen, "good");
  history.write("bad");
  history.load(take);
  EXPECT_EQ(bench.counted("loaded"), "1");
  EXPECT_EQ(bench.counted("damaged"), "1");
  EXPECT_EQ(bench.counted("written"), "2");
  EXPECT_EQ(bench.counted("failed"), "absent");
}

TEST(HistoryFile, CountsEveryFailureToWrite) {
  Bench bench;
  bench.config.file = bench.folder.file("none/history");
  HistoryFile history(bench.config, bench.metrics);
  history.write("a");
  history.write("b");
  EXPECT_EQ(bench.counted("failed"), "2");
  std::filesystem::create_directory(bench.folder.file("none"));
  history.write("c");
  EXPECT_EQ(bench.counted("written"), "1");
}

TEST(HistoryFile, LongerThanAnyHistoryIsNotRead) {
  Bench bench;
  std::ofstream(bench.config.file) << std::string(std::size_t{9} * 1024 * 1024, 'x');
  HistoryFile history(bench.config, bench.metrics);
  history.load([](std::string_view) -> std::optional<std::string_view> {
    ADD_FAILURE();
    return std::nullopt;
  });
  EXPECT_EQ(bench.counted("unreadable"), "1");
}

TEST(HistoryFile, IsWrittenByItsThread) {
  Bench bench;
  HistoryFile history(bench.config, bench.metrics);
  EXPECT_FALSE(history.is_due({5'000}));
  EXPECT_FALSE(history.is_due({5'999}));
  EXPECT_TRUE(history.is_due({6'000}));
  EXPECT_FALSE(history.is_due({6'001}));
  history.start();
  history.offer("offered");
  while (!std::filesystem::exists(bench.config.file)) std::this_thread::yield();
  history.stop();
  EXPECT_EQ(read(bench.config.file), "offered");
}

TEST(HistoryFile, WithoutANameIsOff) {
  Bench bench;
  bench.config.file.clear();
  HistoryFile history(bench.config, bench.metrics);
  history.start();
  history.write("x");
  EXPECT_FALSE(history.is_due({1'000'000}));
  EXPECT_EQ(bench.counted("written"), "absent");
}

}  // namespace
}  // namespace flintgauge
