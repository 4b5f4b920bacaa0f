#include "client/cli/rows.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/inference_client.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ModelMetadata Metadata(const std::vector<TensorMetadata>& inputs) {
  return {.name = "m",
          .versions = {},
          .platform = {},
          .inputs = inputs,
          .outputs = {}};
}

std::string InputsError(const std::vector<TensorMetadata>& inputs) {
  const absl::Status status = InputsOf(Metadata(inputs)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(RowsTest, InputsAreThoseOfTheMetadata) {
  const auto inputs = InputsOf(
      Metadata({{"dense", "FP32", {-1, 3, 2}}, {"cat", "INT64", {-1}}}));
  ASSERT_TRUE(inputs.ok()) << inputs.status();
  ASSERT_EQ(inputs->inputs.size(), 2U);
  EXPECT_EQ(inputs->inputs[0].name, "dense");
  EXPECT_EQ(inputs->inputs[0].type, DataType::kFp32);
  EXPECT_THAT(inputs->inputs[0].row_shape, ElementsAre(3, 2));
  EXPECT_EQ(inputs->inputs[0].row_elements, 6);
  EXPECT_EQ(inputs->inputs[1].row_elements, 1);
  EXPECT_EQ(inputs->fixed_batch_rows, std::nullopt);
}

TEST(RowsTest, FixedBatchIsKnown) {
  EXPECT_EQ(InputsOf(Metadata({{"a", "FP32", {4, 3}}, {"b", "FP32", {-1, 3}}}))
                ->fixed_batch_rows,
            4);
}

TEST(RowsTest, VariableRowsHaveNoElementCount) {
  const auto inputs = InputsOf(Metadata({{"x", "FP32", {-1, -1}}}));
  EXPECT_EQ(inputs->inputs[0].row_elements, std::nullopt);
  EXPECT_EQ(FixedRowElements(inputs->inputs[0]).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EmptyRows(*inputs).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(RowsTest, ModelsThatReluctlCannotFeedAreRefused) {
  EXPECT_THAT(InputsError({}), HasSubstr("no inputs"));
  EXPECT_THAT(InputsError({{"x", "BYTES", {-1, 1}}}),
              HasSubstr("numbers only"));
  EXPECT_THAT(InputsError({{"x", "FP32", {}}}), HasSubstr("batch dimension"));
  EXPECT_THAT(InputsError({{"x", "FP32", {0, 2}}}),
              HasSubstr("batch dimension"));
  EXPECT_THAT(InputsError({{"x", "FP32", {2, 2}}, {"y", "FP32", {3, 2}}}),
              HasSubstr("in common"));
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  EXPECT_THAT(InputsError({{"x", "FP32", {-1, kHuge, kHuge}}}),
              HasSubstr("too large"));
}

TEST(RowsTest, UnknownInputIsRefusedAndTheOthersNamed) {
  const ModelInputs inputs{.inputs = {Input("a", DataType::kFp32, {1}),
                                      Input("b", DataType::kFp32, {1})},
                           .fixed_batch_rows = std::nullopt};
  EXPECT_EQ(FindInput(inputs, "b").value(), &inputs.inputs[1]);
  EXPECT_EQ(FindInput(inputs, "c").status().message(),
            "input \"c\": the model has \"a\", \"b\"");
}

TEST(RowsTest, RowBytesAreThoseOfTheRows) {
  const RowTensor tensor{.name = "x",
                         .type = DataType::kInt16,
                         .row_shape = {2},
                         .bytes = std::vector<std::byte>(12)};
  const auto bytes = tensor.RowBytes(1, 2);
  EXPECT_EQ(bytes.data(), tensor.bytes.data() + 4);
  EXPECT_EQ(bytes.size(), 8U);
  EXPECT_THAT(tensor.ShapeOf(2), ElementsAre(2, 2));
}

}  // namespace
}  // namespace relu
