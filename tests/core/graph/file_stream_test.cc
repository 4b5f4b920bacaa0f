#include "core/graph/file_stream.h"

#include <filesystem>
#include <string>

#include "gtest/gtest.h"

#include "core/base/file.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

class FileStreamTest : public ::testing::Test {
 protected:
  TestFolder folder_;
  std::filesystem::path path_ = folder_.Write("file", "0123456789");
  absl::StatusOr<File> file_ = File::Open(path_, 10);
};

TEST_F(FileStreamTest, ReadAndSkipGoOnUntilTheEnd) {
  FileStream stream(*file_, 2, 8);
  std::string buffer(10, ' ');
  EXPECT_EQ(stream.Read(buffer.data(), 2), 2);
  EXPECT_EQ(stream.Skip(1), 1);
  EXPECT_EQ(stream.Read(buffer.data() + 2, 8), 3);
  EXPECT_EQ(buffer.substr(0, 5), "23567");
  EXPECT_EQ(stream.Read(buffer.data(), 1), 0);
  EXPECT_EQ(stream.Skip(1), 0);
  EXPECT_TRUE(stream.status().ok());
}

TEST_F(FileStreamTest, ReadFailsWhenTheFileIsShorterThanThought) {
  std::filesystem::resize_file(path_, 4);
  FileStream stream(*file_, 2, 8);
  std::string buffer(10, ' ');
  EXPECT_EQ(stream.Read(buffer.data(), 3), -1);
  EXPECT_EQ(stream.status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace relu
