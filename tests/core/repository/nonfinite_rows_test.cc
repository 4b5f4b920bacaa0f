#include "core/repository/nonfinite_rows.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/batching/shared_values.h"
#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

CompiledModel FiveNumbers() {
  GraphBuilder builder;
  builder.Output(builder.Unary(Operator::kRelu, builder.Input("x", {5})));
  const Graph graph = builder.Build();
  absl::StatusOr<CompiledModel> model = CompiledModel::Compile(graph);
  CHECK(model.ok());
  return *std::move(model);
}

std::byte* BytesOf(std::vector<float>& values) {
  return reinterpret_cast<std::byte*>(values.data());
}

// Of relu(x) of rows of five numbers, of which elements 1, 3 and 4 are shared.
class NonfiniteRowsTest : public testing::Test {
 protected:
  static constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  static constexpr float kInfinite = std::numeric_limits<float>::infinity();

  NonfiniteRows Shared(std::vector<float> shared, std::vector<float> own) {
    InferenceRequest request;
    request.rows = static_cast<std::int64_t>(own.size() / 2);
    request.inputs = {BytesOf(own)};
    request.shared = {{.pieces = {{.offset_bytes = 4, .bytes = 4},
                                  {.offset_bytes = 12, .bytes = 8}},
                       .values = BytesOf(shared)}};
    return FindNonfiniteInputs(model_, request);
  }

  const CompiledModel model_ = FiveNumbers();
};

TEST_F(NonfiniteRowsTest, FiniteNumbersAreNotFound) {
  const NonfiniteRows found = Shared({1, 2, 3}, {1, 2, 3, 4});
  EXPECT_EQ(found.counts.rows, 0U);
  EXPECT_EQ(found.counts.nans + found.counts.infinities, 0U);
  EXPECT_EQ(found.first, "");
}

TEST_F(NonfiniteRowsTest, OwnValuesAreFoundInTheirRows) {
  const NonfiniteRows found =
      Shared({1, 2, 3}, {1, 2, 3, kNan, 5, 6, -kInfinite, kNan});
  EXPECT_EQ(found.counts.rows, 2U);
  EXPECT_EQ(found.counts.nans, 2U);
  EXPECT_EQ(found.counts.infinities, 1U);
  EXPECT_EQ(found.shared_values, 0);
  EXPECT_EQ(found.first, "\"x\": row 1, element 2 is nan");
}

TEST_F(NonfiniteRowsTest, SharedValuesCountInEveryRow) {
  const NonfiniteRows found =
      Shared({1, kInfinite, kNan}, {1, 2, 3, kNan, 5, 6});
  EXPECT_EQ(found.counts.rows, 3U);
  EXPECT_EQ(found.counts.nans, 4U);
  EXPECT_EQ(found.counts.infinities, 3U);
  EXPECT_EQ(found.shared_values, 2);
  EXPECT_EQ(found.first, "\"x\": element 3, which all rows share, is inf");
}

TEST_F(NonfiniteRowsTest, AllOrNothingMayBeShared) {
  std::vector<float> row = {1, 2, 3, 4, kNan};
  InferenceRequest request;
  request.rows = 3;
  request.inputs = {nullptr};
  request.shared = {
      {.pieces = {{.offset_bytes = 0, .bytes = 20}}, .values = BytesOf(row)}};
  const NonfiniteRows all = FindNonfiniteInputs(model_, request);
  EXPECT_EQ(all.counts.rows, 3U);
  EXPECT_EQ(all.counts.nans, 3U);
  request.rows = 1;
  request.inputs = {BytesOf(row)};
  request.shared = {{}};
  const NonfiniteRows none = FindNonfiniteInputs(model_, request);
  EXPECT_EQ(none.shared_values, 0);
  EXPECT_EQ(none.first, "\"x\": row 0, element 4 is nan");
}

TEST_F(NonfiniteRowsTest, OutputsThatNobodyWantsAreNotLookedAt) {
  std::vector<float> answer = {1, 2, 3, 4, 5, kNan, kNan, 3, 4, 5};
  InferenceRequest request;
  request.rows = 2;
  request.outputs = {BytesOf(answer)};
  const NonfiniteRows found = FindNonfiniteOutputs(model_, request);
  EXPECT_EQ(found.counts.rows, 1U);
  EXPECT_EQ(found.counts.nans, 2U);
  request.outputs = {nullptr};
  EXPECT_EQ(FindNonfiniteOutputs(model_, request).counts.rows, 0U);
}

}  // namespace
}  // namespace relu
