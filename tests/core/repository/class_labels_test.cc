#include "core/repository/class_labels.h"

#include <cstddef>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An output of three classes.
TensorSignature Output() {
  TensorSignature output;
  output.name = "y";
  output.shape = {kBatchDim, 3};
  output.row_shape = {3};
  output.row_bytes = 12;
  return output;
}

class ClassLabelsTest : public ::testing::Test {
 protected:
  absl::StatusOr<ClassLabels> Read(const std::string& text) {
    files_.Write("m/labels.txt", text);
    return ReadClassLabels(Output(), files_.folder() / "m", "labels.txt");
  }

  void ExpectInvalid(const absl::Status& status, const std::string& words) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("config.pbtxt: label_filename"),
                      HasSubstr("output \"y\""), HasSubstr(words)));
  }

  TempRepository files_;
};

TEST_F(ClassLabelsTest, EachLineIsALabel) {
  const auto labels = Read(
      "cat\nblack dog\nd\xC3\xA4"
      "chshund\n");
  ASSERT_TRUE(labels.ok()) << labels.status();
  EXPECT_THAT(labels->labels, ElementsAre("cat", "black dog",
                                          "d\xC3\xA4"
                                          "chshund"));
  EXPECT_EQ(labels->longest_bytes, 10U);
}

TEST_F(ClassLabelsTest, LastLineMayHaveNoEndAndLinesMayEndAsInWindows) {
  EXPECT_THAT(Read("a\r\n\r\nc")->labels, ElementsAre("a", "", "c"));
}

TEST_F(ClassLabelsTest, OtherNumbersOfLabelsAreRefused) {
  ExpectInvalid(Read("a\nb\n").status(), "2 labels, wanted 3");
  ExpectInvalid(Read("a\nb\nc\n\n").status(), "4 labels, wanted 3");
  ExpectInvalid(Read("").status(), "0 labels, wanted 3");
}

TEST_F(ClassLabelsTest, LabelsAreUtf8) {
  ExpectInvalid(Read("a\nb\xFF\nc\n").status(),
                "line 2 is not UTF-8: \"b\\xFF\"");
}

TEST_F(ClassLabelsTest, FileHasALimit) {
  ExpectInvalid(Read(std::string((std::size_t{4} << 20) + 1, 'a')).status(),
                "labels.txt");
}

TEST_F(ClassLabelsTest, FileThatIsNotThereReturnsNotFound) {
  const auto labels =
      ReadClassLabels(Output(), files_.folder() / "m", "none.txt");
  EXPECT_EQ(labels.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(labels.status().message()), HasSubstr("none.txt"));
}

TEST_F(ClassLabelsTest, PathsOutOfTheFolderAreRefused) {
  files_.Write("m/1/labels.txt", "a\nb\nc\n");
  files_.Write("labels.txt", "a\nb\nc\n");
  const std::filesystem::path folder = files_.folder() / "m";
  std::filesystem::create_symlink(files_.folder() / "labels.txt",
                                  folder / "link.txt");
  std::filesystem::create_symlink(folder / "1/labels.txt",
                                  folder / "inside.txt");
  const std::string absolute = (folder / "1/labels.txt").string();
  for (const std::string& bad :
       {std::string("../labels.txt"), std::string("link.txt"), absolute}) {
    ExpectInvalid(ReadClassLabels(Output(), folder, bad).status(), bad);
  }
  for (const char* good : {"1/labels.txt", "inside.txt", "1/../1/labels.txt"}) {
    EXPECT_TRUE(ReadClassLabels(Output(), folder, good).ok()) << good;
  }
}

TEST_F(ClassLabelsTest, OutputWithoutClassesHasNoLabels) {
  files_.Write("m/labels.txt", "a\nb\nc\n");
  TensorSignature output = Output();
  EXPECT_TRUE(HasClasses(output));
  output.row_axis = 1;
  EXPECT_FALSE(HasClasses(output));
  ExpectInvalid(
      ReadClassLabels(output, files_.folder() / "m", "labels.txt").status(),
      "rows in the first dimension");
  output = Output();
  output.type = DataType::kBool;
  EXPECT_FALSE(HasClasses(output));
  output = Output();
  output.row_bytes = 0;
  EXPECT_FALSE(HasClasses(output));
  output = Output();
  output.row_axis.reset();  // One row is all there is.
  EXPECT_TRUE(HasClasses(output));
}

}  // namespace
}  // namespace relu
