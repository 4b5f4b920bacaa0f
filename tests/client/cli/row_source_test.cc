#include "client/cli/row_source.h"

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/infer_command.h"
#include "client/cli/rows.h"
#include "core/tensor/data_type.h"
#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

ModelInputs OneInput() {
  return {.inputs = {Input("x", DataType::kFp32, {2})},
          .fixed_batch_rows = std::nullopt};
}

ModelInputs TwoInputs() {
  return {.inputs = {Input("x", DataType::kFp32, {2}),
                     Input("n", DataType::kInt32, {1})},
          .fixed_batch_rows = std::nullopt};
}

InferOptions From(const std::string& file) {
  InferOptions options;
  options.input = file;
  return options;
}

absl::StatusOr<Rows> Read(const InferOptions& options,
                          const std::string& standard_input = "",
                          const ModelInputs& inputs = OneInput()) {
  std::istringstream stream(standard_input);
  return ReadRows(options, inputs, stream);
}

std::string MessageOf(const absl::StatusOr<Rows>& rows) {
  EXPECT_FALSE(rows.ok());
  return std::string(rows.status().message());
}

TEST(RowSourceTest, StandardInputIsCsv) {
  EXPECT_EQ(Read(From("-"), "1,2\n3,4\n")->count, 2);
}

TEST(RowSourceTest, StandardInputIsOfTheGivenFormat) {
  InferOptions options = From("-");
  options.format = "json";
  EXPECT_EQ(Read(options, "[[1,2]]")->count, 1);
}

TEST(RowSourceTest, FormatOfAFileIsThatOfItsName) {
  const TemporaryFolder folder;
  EXPECT_EQ(Read(From(folder.Write("rows.csv", "1,2")))->count, 1);
  EXPECT_EQ(Read(From(folder.Write("rows.json", "[[1,2],[3,4]]")))->count, 2);
  const std::string npy = NpyBytes("<f4", "(1, 2)", BytesOf<float>({1, 2}));
  EXPECT_EQ(Read(From(folder.Write("rows.npy", npy)))->count, 1);
}

TEST(RowSourceTest, FormatOfOtherNamesMustBeGiven) {
  const TemporaryFolder folder;
  InferOptions options = From(folder.Write("rows.txt", "1,2"));
  EXPECT_THAT(MessageOf(Read(options)), HasSubstr("--format"));
  options.format = "csv";
  EXPECT_EQ(Read(options)->count, 1);
}

TEST(RowSourceTest, ErrorsNameTheFile) {
  const TemporaryFolder folder;
  const std::string file = folder.Write("rows.csv", "1,2\n3,x\n");
  EXPECT_EQ(MessageOf(Read(From(file))),
            file + ": line 2, column 2: \"x\" is not a number");
  EXPECT_THAT(MessageOf(Read(From("-"), "1,2\n3,x\n")),
              StartsWith("standard input: line 2"));
}

TEST(RowSourceTest, MissingFileIsNamed) {
  EXPECT_EQ(MessageOf(Read(From("/nonexistent/rows.csv"))),
            "/nonexistent/rows.csv: no such file");
}

TEST(RowSourceTest, RowsAreNeeded) {
  EXPECT_EQ(MessageOf(Read(From("-"), "a,b\n")),
            "standard input: there are no rows");
}

TEST(RowSourceTest, LimitCutsRowsAndLabels) {
  InferOptions options = From("-");
  options.label = "last";
  options.max_rows = 2;
  const Rows rows = Read(options, "1,2,0\n3,4,1\n5,6,0\n").value();
  EXPECT_EQ(rows.count, 2);
  EXPECT_THAT(rows.labels, ElementsAre(0, 1));
  options.max_rows = 7;
  EXPECT_EQ(Read(options, "1,2,0\n")->count, 1);
}

TEST(RowSourceTest, LabelNeedsCsv) {
  InferOptions options = From("-");
  options.label = "last";
  options.format = "json";
  EXPECT_THAT(MessageOf(Read(options, "[[1,2]]")), HasSubstr("only CSV"));
  options.format = "";
  options.named_inputs = {"x=x.npy"};
  EXPECT_THAT(MessageOf(Read(options)), HasSubstr("only CSV"));
}

TEST(RowSourceTest, NpyFileFeedsOneInputOnly) {
  const TemporaryFolder folder;
  const std::string npy = NpyBytes("<f4", "(1, 2)", BytesOf<float>({1, 2}));
  EXPECT_THAT(
      MessageOf(Read(From(folder.Write("rows.npy", npy)), "", TwoInputs())),
      HasSubstr("--input-name"));
}

TEST(RowSourceTest, NamedInputsAreReadFromAFileEach) {
  const TemporaryFolder folder;
  InferOptions options;
  options.named_inputs = {
      "n=" + folder.Write("n.npy", NpyBytes("<i8", "(2, 1)",
                                            BytesOf<std::int64_t>({7, 8}))),
      "x=" + folder.Write("x.npy", NpyBytes("<f8", "(2, 2)",
                                            BytesOf<double>({1, 2, 3, 4})))};
  const Rows rows = Read(options, "", TwoInputs()).value();
  EXPECT_EQ(rows.count, 2);
  EXPECT_EQ(rows.inputs[0].name, "n");
  EXPECT_THAT(Elements<std::int32_t>(rows.inputs[0].bytes), ElementsAre(7, 8));
  EXPECT_EQ(rows.inputs[1].name, "x");
  EXPECT_THAT(rows.notes, ElementsAre("input \"x\": FP64 rounded to FP32"));
}

TEST(RowSourceTest, WrongNamedInputsAreRefused) {
  const TemporaryFolder folder;
  const std::string one = folder.Write(
      "one.npy", NpyBytes("<i4", "(1, 1)", BytesOf<std::int32_t>({7})));
  const std::string two = folder.Write(
      "two.npy", NpyBytes("<f4", "(2, 2)", BytesOf<float>({1, 2, 3, 4})));
  const std::string broken = folder.Write("broken.npy", "broken");
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"x"}, "NAME=FILE is wanted"},
      {{"y=" + one}, "input \"y\": the model has"},
      {{"x=/nonexistent/x.npy"}, "/nonexistent/x.npy: no such file"},
      {{"x=" + broken}, broken + ": not a .npy file"},
      {{"x=" + one}, one + ": input \"x\": shape [1,1]"},
      {{"n=" + one, "x=" + two}, two + ": 2 rows, input \"n\" has 1"}};
  for (const auto& [named_inputs, message] : cases) {
    InferOptions options;
    options.named_inputs = named_inputs;
    EXPECT_THAT(MessageOf(Read(options, "", TwoInputs())), HasSubstr(message));
  }
}

}  // namespace
}  // namespace relu
