#include "server/file_watch.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <string>

#include "gtest/gtest.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

// Reads successfully, and counts it.
std::function<bool()> Count(std::latch& latch) {
  return [&latch] {
    latch.count_down();
    return true;
  };
}

class FileWatchTest : public testing::Test {
 protected:
  FileWatchTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    Write("file", "before");
  }
  ~FileWatchTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / "file_watch_test";
};

TEST_F(FileWatchTest, AFileThatIsWrittenIsNoticed) {
  std::latch noticed{1};
  const FileWatch watch({{.files = {folder_ / "file"}, .read = Count(noticed)}},
                        milliseconds(1));
  Write("file", "after, and longer");
  noticed.wait();
}

TEST_F(FileWatchTest, AFileThatOthersMayReadIsNoticed) {
  // What could not be read before may be read now.
  namespace fs = std::filesystem;
  fs::permissions(folder_ / "file", fs::perms::owner_write);
  std::latch noticed{1};
  const FileWatch watch({{.files = {folder_ / "file"}, .read = Count(noticed)}},
                        milliseconds(1));
  fs::permissions(folder_ / "file", fs::perms::owner_read);
  noticed.wait();
}

TEST_F(FileWatchTest, AFileThatIsReplacedOrGoesIsNoticed) {
  std::latch replaced{1};
  std::latch gone{1};
  bool second = false;
  const FileWatch watch({{.files = {folder_ / "other", folder_ / "file"},
                          .read =
                              [&] {
                                (second ? gone : replaced).count_down();
                                return second = true;
                              }}},
                        milliseconds(1));
  Write("new", "before");  // The same size: another file.
  std::filesystem::rename(folder_ / "new", folder_ / "file");
  replaced.wait();
  std::filesystem::remove(folder_ / "file");
  gone.wait();
}

TEST_F(FileWatchTest, ALinkThatLeadsElsewhereIsNoticed) {
  // As Kubernetes changes a secret.
  Write("second", "before");
  std::filesystem::create_symlink(folder_ / "file", folder_ / "link");
  std::latch noticed{1};
  const FileWatch watch({{.files = {folder_ / "link"}, .read = Count(noticed)}},
                        milliseconds(1));
  std::filesystem::create_symlink(folder_ / "second", folder_ / "next");
  std::filesystem::rename(folder_ / "next", folder_ / "link");
  noticed.wait();
}

TEST_F(FileWatchTest, OnlyTheCallbackOfWhatChangedIsCalled) {
  Write("second", "before");
  std::latch noticed{1};
  bool other = false;
  {
    const FileWatch watch(
        {{.files = {folder_ / "file"}, .read = [&] { return other = true; }},
         {.files = {folder_ / "second"}, .read = Count(noticed)}},
        milliseconds(1));
    Write("second", "after, and longer");
    noticed.wait();
  }
  EXPECT_FALSE(other);
}

TEST_F(FileWatchTest, WhatCouldNotBeReadIsReadAgain) {
  std::latch read{3};
  int tries = 0;
  const FileWatch watch({{.files = {folder_ / "file"},
                          .read =
                              [&] {
                                read.count_down();
                                return ++tries == 3;
                              }}},
                        milliseconds(1));
  Write("file", "after, and longer");
  read.wait();
}

TEST_F(FileWatchTest, AChangeBeforeTheWatchBeginsIsNoticed) {
  // As between the first time that a file is read and the watch.
  std::latch noticed{1};
  FileWatch::Watched watched = {.files = {folder_ / "file"},
                                .read = Count(noticed)};
  Write("file", "after, and longer");
  const FileWatch watch({watched}, milliseconds(1));
  noticed.wait();
}

TEST_F(FileWatchTest, EndsAtOnceHoweverLongItsInterval) {
  const FileWatch watch(
      {{.files = {folder_ / "file"}, .read = [] { return true; }}},
      std::chrono::hours(1));
}

}  // namespace
}  // namespace relu
