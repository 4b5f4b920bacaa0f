#include "client/cli/json_reader.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/rows.h"
#include "core/tensor/data_type.h"
#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

// A model with inputs "x" of two floats and "n" of one integer.
ModelInputs JsonInputs() {
  return {.inputs = {Input("x", DataType::kFp32, {2}),
                     Input("n", DataType::kInt64, {})},
          .fixed_batch_rows = std::nullopt};
}

std::string JsonError(std::string_view text) {
  const absl::Status status = ReadJson(text, JsonInputs()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

TEST(JsonReaderTest, PlainRowsGoToTheInputsInTheirOrder) {
  const Rows rows =
      ReadJson("[[1, 2.5, 3], [[4, 5], true]]", JsonInputs()).value();
  EXPECT_EQ(rows.count, 2);
  EXPECT_THAT(Elements<float>(rows.inputs[0].bytes),
              ElementsAre(1.0F, 2.5F, 4.0F, 5.0F));
  EXPECT_THAT(Elements<std::int64_t>(rows.inputs[1].bytes), ElementsAre(3, 1));
}

TEST(JsonReaderTest, NamedRowsGoToTheirInputs) {
  const Rows rows =
      ReadJson(R"({"n": [3, [6]], "x": [[1, 2], [4, 5]]})", JsonInputs())
          .value();
  EXPECT_EQ(rows.count, 2);
  EXPECT_THAT(Elements<float>(rows.inputs[0].bytes),
              ElementsAre(1.0F, 2.0F, 4.0F, 5.0F));
  EXPECT_THAT(Elements<std::int64_t>(rows.inputs[1].bytes), ElementsAre(3, 6));
}

TEST(JsonReaderTest, RequestBodyIsTakenAsItIs) {
  const Rows rows = ReadJson(R"({"id": "1", "inputs": [
      {"name": "y", "shape": [2, 1], "datatype": "FP64", "data": [[1], [2]]},
      {"name": "z", "shape": [2], "datatype": "UINT64",
       "data": [0, 18446744073709551615]}]})",
                             JsonInputs())
                        .value();
  EXPECT_EQ(rows.count, 2);
  EXPECT_EQ(rows.inputs[0].name, "y");
  EXPECT_EQ(rows.inputs[0].type, DataType::kFp64);
  EXPECT_THAT(rows.inputs[0].row_shape, ElementsAre(1));
  EXPECT_THAT(Elements<double>(rows.inputs[0].bytes), ElementsAre(1.0, 2.0));
  EXPECT_THAT(Elements<std::uint64_t>(rows.inputs[1].bytes),
              ElementsAre(0U, ~0ULL));
}

TEST(JsonReaderTest, InputMayBeCalledInputs) {
  const ModelInputs inputs{.inputs = {Input("inputs", DataType::kFp32, {1})},
                           .fixed_batch_rows = std::nullopt};
  EXPECT_EQ(ReadJson(R"({"inputs": [[1], [2]]})", inputs)->count, 2);
}

TEST(JsonReaderTest, EmptyArrayHasNoRows) {
  EXPECT_EQ(ReadJson("[]", JsonInputs())->count, 0);
}

TEST(JsonReaderTest, TextThatIsNotJsonIsRefusedAtItsPlace) {
  EXPECT_EQ(JsonError("[[1, 2, 3],\n [4, x]]"),
            "line 2, column 6: this is not JSON");
  EXPECT_THAT(JsonError(""), HasSubstr("this is not JSON"));
  EXPECT_THAT(JsonError("[[1,2,3]"), HasSubstr("this is not JSON"));
}

TEST(JsonReaderTest, OtherJsonIsRefused) {
  EXPECT_THAT(JsonError("7"), HasSubstr("number instead of rows"));
  EXPECT_EQ(JsonError("[[1, 2]]"), "row 0: 2 numbers, the model wants 3");
  EXPECT_EQ(JsonError("[[1, 2, 3], [1, 2, 3, 4]]"),
            "row 1: 4 numbers, the model wants 3");
  EXPECT_THAT(JsonError(R"([[1, "2", 3]])"), HasSubstr("a number is wanted"));
  EXPECT_EQ(JsonError("[[1, 2, 0.5]]"),
            "row 0: input \"n\": 0.5 is not an integer, which INT64 wants");
  EXPECT_THAT(JsonError(std::string(5000, '[') + std::string(5000, ']')),
              HasSubstr("deeper"));
}

TEST(JsonReaderTest, OtherFormsAreToldWhichAreTaken) {
  for (const char* text :
       {"7", "[1, 2, 3]", R"([{"x": [1, 2], "n": 3}])",
        R"({"instances": [[1, 2, 3]]})", R"({"x": 7, "n": [1]})",
        R"({"inputs": {"x": [[1, 2]]}})"}) {
    EXPECT_THAT(
        JsonError(text),
        EndsWith(R"(; wanted is [[...], ...], {"INPUT": [[...], ...], ...} or )"
                 R"(a V2 request body, {"inputs": [{"name": ...}, ...]})"));
  }
}

TEST(JsonReaderTest, WrongNamedRowsAreRefused) {
  EXPECT_THAT(JsonError(R"({"y": []})"), HasSubstr("input \"y\""));
  EXPECT_THAT(JsonError(R"({"x": [[1, 2]]})"), HasSubstr("input \"n\""));
  EXPECT_EQ(JsonError(R"({"x": [[1, 2]], "n": [1, 2]})"),
            "input \"n\": 2 rows, input \"x\" has 1");
  EXPECT_EQ(JsonError(R"({"x": [[1, 2], [3]], "n": [1, 2]})"),
            "input \"x\", row 1: 1 numbers, 2 are wanted");
}

TEST(JsonReaderTest, WrongRequestBodiesAreRefused) {
  EXPECT_THAT(JsonError(R"({"inputs": [{}]})"), HasSubstr("\"name\""));
  EXPECT_THAT(JsonError(R"({"inputs": [{"name": "x"}, 7]})"),
              HasSubstr("shape"));
  EXPECT_THAT(JsonError(R"({"inputs": [{"name": "x", "shape": [0.5]}]})"),
              HasSubstr("integers"));
  EXPECT_THAT(
      JsonError(
          R"({"inputs": [{"name": "x", "shape": [1], "datatype": "TEXT"}]})"),
      HasSubstr("\"TEXT\""));
  EXPECT_THAT(
      JsonError(
          R"({"inputs": [{"name": "x", "shape": [1], "datatype": "FP32"}]})"),
      HasSubstr("\"data\""));
  EXPECT_THAT(JsonError(R"({"inputs": [{"name": "x", "shape": [-1],
                      "datatype": "FP32", "data": []}]})"),
              HasSubstr("\"data\""));
  EXPECT_THAT(JsonError(R"({"inputs": [{"name": "x", "shape": [2],
                      "datatype": "FP32", "data": [1]}]})"),
              HasSubstr("1 numbers, 2 are wanted"));
  EXPECT_THAT(JsonError(R"({"inputs": [
      {"name": "x", "shape": [1], "datatype": "FP32", "data": [1]},
      {"name": "n", "shape": [2], "datatype": "FP32", "data": [1, 2]}]})"),
              HasSubstr("2 rows, input \"x\" has 1"));
}

}  // namespace
}  // namespace relu
