#include "core/batching/batch_runner.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/batching/inference_request.h"
#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::StartsWith;

constexpr float kUntouched = -99;

CompiledModel Compile(GraphBuilder& builder) {
  const Graph graph = builder.Build();
  absl::StatusOr<CompiledModel> model = CompiledModel::Compile(graph);
  EXPECT_TRUE(model.ok()) << model.status();
  CHECK(model.ok());
  return *std::move(model);
}

// Two numbers a row; outputs: relu(x) and, a second one, relu(x) + relu(x).
CompiledModel TwoOutputs() {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId relu = builder.Unary(Operator::kRelu, x);
  builder.Output(relu);
  builder.Output(builder.Binary(Operator::kAdd, relu, relu));
  return Compile(builder);
}

// One index a row, into a table of four; the output is the table's entry.
CompiledModel Embedding() {
  GraphBuilder builder;
  const ValueId table = builder.Constant(FloatTensor({4, 1}, {10, 11, 12, 13}));
  const ValueId index = builder.Input("index", {1}, DataType::kInt64);
  const ValueId entry =
      builder.Node(Operator::kGather, {table, index},
                   {.row_shape = {1, 1}, .type = DataType::kFp32},
                   {{"axis", std::int64_t{0}}});
  builder.Output(builder.Unary(Operator::kRelu, entry));
  return Compile(builder);
}

// A request with room for two outputs of `output_width` numbers a row.
template <typename T>
struct BatchCall {
  BatchCall(std::int64_t rows, std::vector<T> values, std::size_t output_width)
      : input(std::move(values)),
        outputs{
            std::vector<float>(static_cast<std::size_t>(rows) * output_width,
                               kUntouched),
            std::vector<float>(static_cast<std::size_t>(rows) * output_width,
                               kUntouched)} {
    request.rows = rows;
    request.inputs = {reinterpret_cast<const std::byte*>(input.data())};
    request.outputs = {reinterpret_cast<std::byte*>(outputs[0].data()),
                       reinterpret_cast<std::byte*>(outputs[1].data())};
  }

  BatchSlice Rows(std::int64_t first_row, std::int64_t rows) {
    return {.request = &request,
            .first_row = first_row,
            .rows = rows,
            .status = absl::OkStatus()};
  }
  BatchSlice AllRows() { return Rows(0, request.rows); }

  std::vector<T> input;
  std::array<std::vector<float>, 2> outputs;
  InferenceRequest request;
};

TEST(BatchRunnerTest, EachRequestGetsTheAnswersOfItsOwnRows) {
  const CompiledModel model = TwoOutputs();
  BatchRunner runner(model, /*slots=*/1, /*max_batch_rows=*/8);
  BatchCall<float> a(2, {1, -2, 3, -4}, 2);
  BatchCall<float> b(1, {-5, 6}, 2);
  std::array<BatchSlice, 2> batch = {a.AllRows(), b.AllRows()};

  runner.Run(0, batch);

  EXPECT_THAT(a.outputs[0], ElementsAre(1, 0, 3, 0));
  EXPECT_THAT(a.outputs[1], ElementsAre(2, 0, 6, 0));
  EXPECT_THAT(b.outputs[0], ElementsAre(0, 6));
  EXPECT_THAT(b.outputs[1], ElementsAre(0, 12));
  EXPECT_TRUE(batch[0].status.ok() && batch[1].status.ok());
}

TEST(BatchRunnerTest, OnlyTheRowsOfTheSliceAreComputed) {
  const CompiledModel model = TwoOutputs();
  BatchRunner runner(model, 1, 8);
  BatchCall<float> call(4, {1, 2, 3, 4, 5, 6, 7, 8}, 2);
  std::array<BatchSlice, 1> batch = {call.Rows(1, 2)};

  runner.Run(0, batch);

  EXPECT_THAT(call.outputs[0], ElementsAre(kUntouched, kUntouched, 3, 4, 5, 6,
                                           kUntouched, kUntouched));
}

TEST(BatchRunnerTest, OutputThatIsNotWantedIsSkipped) {
  const CompiledModel model = TwoOutputs();
  BatchRunner runner(model, 1, 8);
  BatchCall<float> call(1, {1, 2}, 2);
  call.request.outputs[0] = nullptr;
  std::array<BatchSlice, 1> batch = {call.AllRows()};

  runner.Run(0, batch);

  EXPECT_THAT(call.outputs[0], ElementsAre(kUntouched, kUntouched));
  EXPECT_THAT(call.outputs[1], ElementsAre(2, 4));
}

TEST(BatchRunnerTest, InputsAndOutputsNeedNoAlignment) {
  const CompiledModel model = TwoOutputs();
  BatchRunner runner(model, 1, 8);
  const std::array<float, 2> values = {7, -1};
  std::array<std::byte, sizeof(values) + 1> input{};
  std::memcpy(input.data() + 1, values.data(), sizeof(values));
  std::array<std::byte, sizeof(values) + 1> output{};
  BatchCall<float> call(1, {0, 0}, 2);
  call.request.inputs = {input.data() + 1};
  call.request.outputs = {output.data() + 1, nullptr};
  std::array<BatchSlice, 1> batch = {call.AllRows()};

  runner.Run(0, batch);

  std::array<float, 2> answer{};
  std::memcpy(answer.data(), output.data() + 1, sizeof(answer));
  EXPECT_THAT(answer, ElementsAre(7, 0));
}

TEST(BatchRunnerTest, BatchMayHaveMaxBatchRowsOnEverySlot) {
  const CompiledModel model = TwoOutputs();
  BatchRunner runner(model, /*slots=*/2, /*max_batch_rows=*/3);
  for (const int slot : {0, 1, 0}) {
    BatchCall<float> call(3, {1, 2, 3, 4, 5, 6}, 2);
    std::array<BatchSlice, 1> batch = {call.AllRows()};

    runner.Run(slot, batch);

    EXPECT_THAT(call.outputs[0], ElementsAre(1, 2, 3, 4, 5, 6));
  }
}

TEST(BatchRunnerTest, RowWithoutAnswerFailsItsSliceOnly) {
  const CompiledModel model = Embedding();
  BatchRunner runner(model, 1, 8);
  BatchCall<std::int64_t> good(1, {3}, 1);
  BatchCall<std::int64_t> bad(3, {0, 1, 77}, 1);
  BatchCall<std::int64_t> other(2, {1, 2}, 1);
  std::array<BatchSlice, 3> batch = {good.AllRows(), bad.AllRows(),
                                     other.AllRows()};

  runner.Run(0, batch);

  EXPECT_EQ(batch[1].status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(batch[1].status.message()), StartsWith("row 2: "));
  EXPECT_TRUE(batch[0].status.ok()) << batch[0].status;
  EXPECT_TRUE(batch[2].status.ok()) << batch[2].status;
  EXPECT_THAT(good.outputs[0], ElementsAre(13));
  EXPECT_THAT(other.outputs[0], ElementsAre(11, 12));
}

TEST(BatchRunnerTest, RowWithoutAnswerInLaterPieceIsCountedInTheRequest) {
  const CompiledModel model = Embedding();
  BatchRunner runner(model, 1, 8);
  BatchCall<std::int64_t> bad(6, {0, 1, 2, 3, 77, 0}, 1);
  std::array<BatchSlice, 1> batch = {bad.Rows(3, 3)};

  runner.Run(0, batch);

  EXPECT_EQ(batch[0].status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(batch[0].status.message()), StartsWith("row 4: "));
}

TEST(BatchRunnerTest, FaultIsForgottenByTheNextBatch) {
  const CompiledModel model = Embedding();
  BatchRunner runner(model, 1, 8);
  BatchCall<std::int64_t> bad(1, {77}, 1);
  BatchCall<std::int64_t> good(1, {2}, 1);
  std::array<BatchSlice, 1> first = {bad.AllRows()};
  std::array<BatchSlice, 1> second = {good.AllRows()};

  runner.Run(0, first);
  runner.Run(0, second);

  EXPECT_THAT(first[0].status.ok(), Not(true));
  EXPECT_TRUE(second[0].status.ok()) << second[0].status;
  EXPECT_THAT(good.outputs[0], ElementsAre(12));
}

TEST(BatchRunnerTest, RowsThatShareValuesStandBesideOthers) {
  const CompiledModel model = TwoOutputs();
  BatchRunner runner(model, 1, 8);
  BatchCall<float> shared(3, {1, 2, 3}, 2);
  const std::array<float, 1> common = {9};
  shared.request.shared = {
      {.pieces = {{.offset_bytes = 0, .bytes = sizeof(float)}},
       .values = reinterpret_cast<const std::byte*>(common.data())}};
  BatchCall<float> other(1, {5, 6}, 2);
  std::array<BatchSlice, 2> batch = {shared.Rows(1, 2), other.AllRows()};

  runner.Run(0, batch);

  EXPECT_THAT(shared.outputs[0],
              ElementsAre(kUntouched, kUntouched, 9, 2, 9, 3));
  EXPECT_THAT(other.outputs[0], ElementsAre(5, 6));
}

}  // namespace
}  // namespace relu
