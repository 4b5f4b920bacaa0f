#include "core/graph/external_data.h"

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using namespace std::string_view_literals;

// A folder "model" with a file of four bytes, and one beside the folder.
class ExternalDataTest : public ::testing::Test {
 protected:
  ExternalDataTest() {
    folder_.Write("model/data", "\1\2\3\4");
    folder_.Write("secret", "\7\7\7\7");
  }

  absl::StatusOr<Tensor> Read(const ExternalRange& range, Shape shape) {
    return external_.Read(range, DataType::kUint8, shape);
  }

  TestFolder folder_;
  ExternalData external_{folder_.path() / "model"};
};

TEST_F(ExternalDataTest, ReadGivesBytesOfRange) {
  const auto tensor =
      Read({.location = "data", .offset_bytes = 1, .length_bytes = 2}, {2});
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_THAT(tensor->As<std::uint8_t>(), ElementsAre(2, 3));
}

TEST_F(ExternalDataTest, ReadFollowsDotsAndLinksThatStayInside) {
  folder_.Write("model/weights/w", "\5");
  std::filesystem::create_symlink("data", folder_.path() / "model" / "link");
  EXPECT_TRUE(Read({.location = "weights/../weights/w"}, {1}).ok());
  EXPECT_TRUE(Read({.location = "link"}, {4}).ok());
}

TEST_F(ExternalDataTest, CheckFindsWhatReadWouldFind) {
  const Shape shape{2};
  EXPECT_TRUE(
      external_.Check({.location = "data"}, DataType::kUint8, shape).ok());
  EXPECT_EQ(
      external_.Check({.location = "none"}, DataType::kUint8, shape).code(),
      absl::StatusCode::kNotFound);
  // It counts as read.
  EXPECT_THAT(Read({.location = "data"}, {3}).status(),
              Fails(kInvalid, "its tensors take 5"));
}

TEST_F(ExternalDataTest, ReadReturnsNotFoundWhenFileIsMissing) {
  EXPECT_THAT(Read({.location = "none"}, {1}).status(),
              Fails(absl::StatusCode::kNotFound, "\"none\": no such file"));
}

TEST_F(ExternalDataTest, ReadRefusesWhenLocationLeavesFolder) {
  std::filesystem::create_symlink(folder_.path() / "secret",
                                  folder_.path() / "model" / "link");
  std::filesystem::create_symlink(folder_.path(),
                                  folder_.path() / "model" / "up");
  for (const char* location : {"../secret", "weights/../../secret", "link",
                               "up/secret", "..", "../model2/data"}) {
    EXPECT_THAT(Read({.location = location}, {4}).status(),
                Fails(kInvalid, "outside"))
        << location;
  }
}

TEST_F(ExternalDataTest, ReadRefusesWhenLocationIsNoRelativePath) {
  for (const std::string& location :
       {std::string(), (folder_.path() / "model" / "data").string(),
        std::string("data\0/../../secret"sv), std::string(2000, 'x')}) {
    EXPECT_THAT(Read({.location = location}, {4}).status(),
                Fails(kInvalid, "wanted a path relative to the model's folder"))
        << location;
  }
}

TEST_F(ExternalDataTest, ReadRefusesWhenLocationIsNoRegularFile) {
  const auto fifo = folder_.path() / "model" / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const char* location : {"fifo", "."}) {
    EXPECT_THAT(Read({.location = location}, {1}).status(),
                Fails(kInvalid, "not a regular file"))
        << location;
  }
}

TEST_F(ExternalDataTest, ReadRefusesWhenRangeIsPastTheEnd) {
  EXPECT_THAT(Read({.location = "data", .offset_bytes = 3}, {2}).status(),
              Fails(kInvalid, "has 4 bytes, wanted 2 from offset 3 on"));
  EXPECT_EQ(Read({.location = "data", .offset_bytes = ~std::uint64_t{0}}, {1})
                .status()
                .code(),
            kInvalid);
}

TEST_F(ExternalDataTest, ReadRefusesWhenLengthDiffersFromShape) {
  EXPECT_THAT(Read({.location = "data", .length_bytes = 3}, {4}).status(),
              Fails(kInvalid, "length of 3 bytes, shape [4] of UINT8 takes 4"));
}

TEST_F(ExternalDataTest, ReadRefusesWhenTensorsTakeMoreThanTheFile) {
  EXPECT_TRUE(Read({.location = "data"}, {3}).ok());
  EXPECT_THAT(Read({.location = "data"}, {2}).status(),
              Fails(kInvalid, "its tensors take 5"));
}

TEST_F(ExternalDataTest, ReadRefusesWhenFileIsHugeBecauseOfHoles) {
  const auto file = folder_.Write("model/holes", "");
  const std::int64_t size = std::int64_t{1} << 36;
  std::filesystem::resize_file(file, static_cast<std::uint64_t>(size));
  EXPECT_THAT(Read({.location = "holes"}, {size}).status(),
              Fails(kInvalid, "the most is 8589934592"));
}

}  // namespace
}  // namespace relu
