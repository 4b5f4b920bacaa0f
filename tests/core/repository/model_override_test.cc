#include "core/repository/model_override.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

std::string ReadAll(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(ModelOverrideTest, KeyNamesVersionAndFile) {
  ModelOverride change;

  ASSERT_TRUE(change.AddFile("file:12/model-v1.2_b.onnx", "bytes").ok());

  ASSERT_EQ(change.files.size(), 1U);
  EXPECT_EQ(change.files[0].version, 12);
  EXPECT_EQ(change.files[0].name, "model-v1.2_b.onnx");
  EXPECT_EQ(change.files[0].bytes, "bytes");
  EXPECT_EQ(change.file_bytes(), 5U);
}

TEST(ModelOverrideTest, KeysThatLeadElsewhereAreInvalid) {
  ModelOverride change;
  for (const std::string key : {"",
                                "file:",
                                "file:1",
                                "file:1/",
                                "file:/model.onnx",
                                "1/model.onnx",
                                "file:0/model.onnx",
                                "file:-1/model.onnx",
                                "file:../model.onnx",
                                "file:1/../../x",
                                "file:1/a/b",
                                "file:1/.",
                                "file:1/..",
                                "file:1/.hidden",
                                "file:1//etc/passwd",
                                "file:one/model.onnx",
                                "file:1/a\\b",
                                "file:1/caf\xC3\xA9",
                                "file:1/\xFF",
                                "file:1/a b"}) {
    const absl::Status status = change.AddFile(key, "bytes");
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << key;
    EXPECT_THAT(std::string(status.message()), HasSubstr("file:<version>"));
  }
  EXPECT_FALSE(change.AddFile("file:1/" + std::string(129, 'a'), "").ok());
  EXPECT_FALSE(change.AddFile(std::string("file:1/a\0b", 10), "").ok());
  EXPECT_TRUE(change.files.empty());
}

TEST(ModelOverrideTest, FilesAreBounded) {
  ModelOverride change;
  for (int i = 0; i < 256; ++i) {
    ASSERT_TRUE(change.AddFile("file:1/" + std::to_string(i), "").ok());
  }

  EXPECT_EQ(change.AddFile("file:1/one-more", "").code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(OverrideFolderTest, HoldsTheFilesAsARepository) {
  ModelOverride change;
  ASSERT_TRUE(change.AddFile("file:1/model.onnx", "one").ok());
  ASSERT_TRUE(change.AddFile("file:2/model.onnx", "two").ok());

  const absl::StatusOr<OverrideFolder> folder =
      OverrideFolder::Write("m", change);

  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(ReadAll(folder->path() / "m/1/model.onnx"), "one");
  EXPECT_EQ(ReadAll(folder->path() / "m/2/model.onnx"), "two");
  EXPECT_EQ(fs::status(folder->path()).permissions(), fs::perms::owner_all);
}

TEST(OverrideFolderTest, GoesWithItsOwner) {
  ModelOverride change;
  ASSERT_TRUE(change.AddFile("file:1/model.onnx", "one").ok());
  fs::path path;
  {
    absl::StatusOr<OverrideFolder> folder = OverrideFolder::Write("m", change);
    ASSERT_TRUE(folder.ok()) << folder.status();
    path = folder->path();
    const OverrideFolder moved = *std::move(folder);
    EXPECT_TRUE(fs::exists(path));
  }

  EXPECT_FALSE(fs::exists(path));
}

TEST(OverrideFolderTest, FileThatIsThereTwiceIsInvalid) {
  ModelOverride change;
  ASSERT_TRUE(change.AddFile("file:1/model.onnx", "one").ok());
  ASSERT_TRUE(change.AddFile("file:01/model.onnx", "two").ok());

  EXPECT_EQ(OverrideFolder::Write("m", change).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu
