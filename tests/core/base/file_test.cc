#include "core/base/file.h"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~FileTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(std::string_view name, std::string_view text) {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(FileTest, ReadFileReturnsAllBytes) {
  using namespace std::string_view_literals;
  const std::string_view content = "a\0b\r\n\xFF"sv;
  const std::filesystem::path path = Write("file", content);

  const absl::StatusOr<std::string> result = ReadFile(path, 100);

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, content);
}

TEST_F(FileTest, ReadFileOfEmptyFileReturnsNoBytes) {
  const absl::StatusOr<std::string> result = ReadFile(Write("file", ""), 0);

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "");
}

TEST_F(FileTest, ReadFileTakesExactlyMaxBytes) {
  EXPECT_TRUE(ReadFile(Write("file", "12345"), 5).ok());
}

TEST_F(FileTest, ReadFileOfTooLargeFileIsInvalidArgument) {
  const std::filesystem::path path = Write("file", "123456");

  const absl::Status status = ReadFile(path, 5).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), path.string() + ": 6 bytes, the most is 5");
}

TEST_F(FileTest, ReadFileOfMissingFileIsNotFound) {
  const std::filesystem::path path = folder_ / "missing";

  const absl::Status status = ReadFile(path, 5).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), path.string() + ": no such file");
}

TEST_F(FileTest, ReadFileBelowAFileIsNotFound) {
  const std::filesystem::path path = Write("file", "x") / "below";

  EXPECT_EQ(ReadFile(path, 5).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(FileTest, ReadFileOfFolderIsInvalidArgument) {
  const absl::Status status = ReadFile(folder_, 5).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), folder_.string() + ": not a regular file");
}

TEST_F(FileTest, ReadFileOfFifoIsInvalidArgumentAndDoesNotWait) {
  const std::filesystem::path path = folder_ / "fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);

  const absl::Status status = ReadFile(path, 5).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(FileTest, ReadFileWhosePathCannotBeResolvedIsPermissionDenied) {
  // A loop of links stands for what even root may not open.
  std::filesystem::create_symlink("loop", folder_ / "loop");

  const absl::Status status = ReadFile(folder_ / "loop", 5).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr((folder_ / "loop").string()));
}

TEST_F(FileTest, ReadFileFollowsLinks) {
  Write("file", "text");
  std::filesystem::create_symlink("file", folder_ / "link");

  const absl::StatusOr<std::string> result = ReadFile(folder_ / "link", 5);

  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, "text");
}

TEST_F(FileTest, ReadFileOfBrokenLinkIsNotFound) {
  std::filesystem::create_symlink("nothing", folder_ / "link");

  EXPECT_EQ(ReadFile(folder_ / "link", 5).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(FileTest, ReadGivesBytesFromAnyPlace) {
  const absl::StatusOr<File> file = File::Open(Write("file", "0123456"), 7);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->size(), 7U);
  std::string bytes(3, ' ');
  const auto room = std::as_writable_bytes(std::span(bytes));

  EXPECT_TRUE(file->Read(4, room).ok());
  EXPECT_EQ(bytes, "456");
  EXPECT_TRUE(file->Read(0, room).ok());
  EXPECT_EQ(bytes, "012");
  EXPECT_TRUE(file->Read(9, room.first(0)).ok());
  EXPECT_EQ(file->Read(5, room).code(), absl::StatusCode::kInternal);
}

TEST_F(FileTest, ReadGoesOnWithTheFileThatWasOpened) {
  const std::filesystem::path path = Write("file", "old");
  absl::StatusOr<File> opened = File::Open(path, 9);
  ASSERT_TRUE(opened.ok()) << opened.status();
  std::filesystem::rename(Write("other", "new"), path);
  const File file = *std::move(opened);
  std::string bytes(3, ' ');

  EXPECT_TRUE(file.Read(0, std::as_writable_bytes(std::span(bytes))).ok());
  EXPECT_EQ(bytes, "old");
  EXPECT_EQ(file.CheckUnchanged(), absl::OkStatus());
}

TEST_F(FileTest, CheckUnchangedTellsOfWrites) {
  const std::filesystem::path path = Write("file", "text");
  const absl::StatusOr<File> file = File::Open(path, 9);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->CheckUnchanged(), absl::OkStatus());

  Write("file", "TEXT");
  std::filesystem::last_write_time(
      path, std::filesystem::last_write_time(path) + std::chrono::seconds(1));

  EXPECT_EQ(file->CheckUnchanged().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace relu
