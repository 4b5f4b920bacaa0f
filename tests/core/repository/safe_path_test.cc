#include "core/repository/safe_path.h"

#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

TEST(EntryNameTest, NamesWithoutAPathAreEntryNames) {
  for (const char* name : {"m", "model.onnx", "..m", ".hidden", "a b"}) {
    EXPECT_TRUE(IsEntryName(name)) << name;
  }
  for (const std::string_view name :
       {std::string_view(""), std::string_view("."), std::string_view(".."),
        std::string_view("a/b"), std::string_view("/"),
        std::string_view("a\0b", 3)}) {
    EXPECT_FALSE(IsEntryName(name)) << name;
  }
}

TEST(ModelNameTest, NamesOfFoldersAreModelNames) {
  EXPECT_TRUE(CheckModelName("caf\xC3\xA9 \"1\"").ok());
  EXPECT_TRUE(CheckModelName(std::string(256, 'a')).ok());
}

TEST(ModelNameTest, PathsHiddenAndOverlongNamesAreInvalid) {
  for (const std::string& name :
       {std::string(), std::string(".."), std::string("../m"),
        std::string("/etc"), std::string("a/b"), std::string(".git"),
        std::string("a\0b", 3), std::string("a\xFF"), std::string(257, 'a')}) {
    const absl::Status status = CheckModelName(name);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_LT(status.message().size(), 500U);
  }
}

class SafePathTest : public ::testing::Test {
 protected:
  fs::path root() const { return fs::canonical(files_.folder()); }

  TempRepository files_;
};

TEST_F(SafePathTest, WhatIsBelowTheRootIsInside) {
  EXPECT_TRUE(CheckInside(root(), files_.folder() / "a/b").ok());
  EXPECT_TRUE(CheckInside(root(), files_.folder()).ok());
}

TEST_F(SafePathTest, WhatLeadsOutIsNot) {
  fs::create_directories(files_.outside());
  fs::create_directory_symlink(files_.outside(), files_.folder() / "link");

  const absl::Status status = CheckInside(root(), files_.folder() / "link/m");

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("outside of the model repository"));
  EXPECT_FALSE(CheckInside(root(), files_.folder() / "../outside").ok());
}

TEST_F(SafePathTest, LoopOfLinksIsNotInside) {
  fs::create_symlink("loop", files_.folder() / "loop");

  EXPECT_FALSE(CheckInside(root(), files_.folder() / "loop").ok());
}

TEST_F(SafePathTest, RelativePathsAreResolved) {
  const fs::path file = files_.Write("sub/a", "1");

  const absl::StatusOr<fs::path> found =
      ResolveInside(files_.folder(), "sub/../sub/a");

  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, fs::canonical(file));
}

TEST_F(SafePathTest, PathsThatLeadOutAreNotResolved) {
  fs::create_directories(files_.outside());
  fs::create_directory_symlink(files_.outside(), files_.folder() / "link");
  for (const std::string_view path :
       {std::string_view(""), std::string_view("/etc/passwd"),
        std::string_view("../outside/a"), std::string_view("link/a"),
        std::string_view("a\0b", 3), std::string_view("sub/../../outside")}) {
    EXPECT_EQ(ResolveInside(files_.folder(), path).status().code(),
              absl::StatusCode::kInvalidArgument)
        << path;
  }
}

}  // namespace
}  // namespace relu
