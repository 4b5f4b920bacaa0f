#include "core/repository/file_stamp.h"

#include <chrono>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class FileStampTest : public ::testing::Test {
 protected:
  FileStamp Folder() {
    FileStamp stamp;
    const absl::Status status = stamp.AddFolder(files_.folder());
    EXPECT_TRUE(status.ok()) << status;
    return stamp;
  }

  TempRepository files_;
};

TEST_F(FileStampTest, SameFilesHaveTheSameStamp) {
  files_.Write("a", "1");
  files_.Write("sub/b", "23");

  EXPECT_EQ(Folder(), Folder());
  EXPECT_EQ(Folder().size_bytes(), 3U);
}

TEST_F(FileStampTest, AnotherSizeIsAChange) {
  const fs::path file = files_.Write("a", "1");
  const FileStamp before = Folder();

  fs::resize_file(file, 5);

  EXPECT_NE(Folder(), before);
}

TEST_F(FileStampTest, NewAndVanishedFilesAreChanges) {
  files_.Write("a", "1");
  const FileStamp one = Folder();
  files_.Write("sub/b", "1");
  EXPECT_NE(Folder(), one);

  fs::remove_all(files_.folder() / "sub");

  EXPECT_EQ(Folder(), one);
}

TEST_F(FileStampTest, AnotherFileWithTheSameSizeAndTimeIsAChange) {
  const fs::path file = files_.Write("a", "1");
  const FileStamp before = Folder();
  // As `cp --preserve` and `mv` would.
  const fs::path other = files_.Write("../outside/b", "2");
  fs::last_write_time(other, fs::last_write_time(file));
  fs::rename(other, file);

  EXPECT_NE(Folder(), before);
}

TEST_F(FileStampTest, LinkToAnotherFileIsAChange) {
  files_.Write(".store/1", "1");
  files_.Write(".store/2", "22");
  fs::create_symlink(".store/1", files_.folder() / "a");
  const FileStamp before = Folder();
  fs::remove(files_.folder() / "a");
  fs::create_symlink(".store/2", files_.folder() / "a");

  EXPECT_NE(Folder(), before);
}

TEST_F(FileStampTest, HiddenFilesAndFoldersDoNotCount) {
  files_.Write("a", "1");
  const FileStamp before = Folder();
  files_.Write(".a.Xy12", "half of it");
  files_.Write(".git/config", "x");

  EXPECT_EQ(Folder(), before);
}

TEST_F(FileStampTest, ChangeIsDatedNow) {
  const auto before = std::chrono::system_clock::now();
  const fs::path file = files_.Write("a", "1");
  // Whatever the user says.
  fs::last_write_time(file, fs::file_time_type::min() + std::chrono::hours(1));

  // The kernel's clock for files goes in steps of up to 10 ms.
  EXPECT_GE(Folder().changed_at(), before - std::chrono::milliseconds(20));
}

TEST_F(FileStampTest, WithoutFilesTheChangeWasLongAgo) {
  EXPECT_EQ(Folder().changed_at(), std::chrono::system_clock::time_point());
}

TEST_F(FileStampTest, MissingFileAddsNothing) {
  FileStamp stamp;
  stamp.AddFile(files_.folder() / "none");

  EXPECT_EQ(stamp, FileStamp());
}

TEST_F(FileStampTest, PrefixChoosesFilesOfTheFolderItself) {
  files_.Write("m.onnx", "1");
  files_.Write("m.onnx.data", "12");
  files_.Write("m2.onnx", "123");
  files_.Write("sub/m.onnx", "1234");
  FileStamp stamp;

  ASSERT_TRUE(stamp.AddFilesWithPrefix(files_.folder(), "m.").ok());

  EXPECT_EQ(stamp.size_bytes(), 3U);
}

TEST_F(FileStampTest, MissingFolderIsInvalid) {
  FileStamp stamp;

  const absl::Status status = stamp.AddFolder(files_.folder() / "none");

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot be read"));
  EXPECT_FALSE(stamp.AddFilesWithPrefix(files_.folder() / "none", "m").ok());
}

TEST_F(FileStampTest, TooManyEntriesAreInvalid) {
  for (int i = 0; i < 4097; ++i) {
    fs::create_directory(files_.folder() / std::to_string(i));
  }
  FileStamp stamp;

  EXPECT_EQ(stamp.AddFolder(files_.folder()).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(FileStampTest, StampsAdd) {
  FileStamp both;
  both.AddFile(files_.Write("a", "1"));
  FileStamp second;
  second.AddFile(files_.Write("b", "12"));

  both.Add(second);

  EXPECT_EQ(both.size_bytes(), 3U);
}

}  // namespace
}  // namespace relu
