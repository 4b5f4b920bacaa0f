#include "core/plan/rearrange_step.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

Graph TransposeGraph(DataType type, std::vector<std::int64_t> perm) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 3}, type);
  builder.Output(builder.Node(Operator::kTranspose, {x},
                              {.row_shape = {3, 2}, .type = type},
                              {{"perm", std::move(perm)}}));
  return builder.Build();
}

TEST(RearrangeStepTest, TransposeMovesElementsOfEachRow) {
  const CompiledModel model =
      CompileOrDie(TransposeGraph(DataType::kFp32, {0, 2, 1}));
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor(
                         {2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})));
  EXPECT_THAT(run.outputs[0].As<float>(),
              ElementsAre(1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12));
  EXPECT_EQ(model.Describe(), "transpose to 6\n");
  EXPECT_EQ(model.weight_bytes(), 24U);
}

TEST(RearrangeStepTest, TransposeWorksForEveryElementSize) {
  for (const DataType type : {DataType::kBool, DataType::kInt16,
                              DataType::kInt32, DataType::kInt64}) {
    const CompiledModel model = CompileOrDie(TransposeGraph(type, {0, 2, 1}));
    Tensor input(type, {1, 2, 3});
    const std::size_t size = DataTypeSize(type);
    for (std::size_t i = 0; i < input.bytes().size(); ++i) {
      input.bytes()[i] = static_cast<std::byte>(i / size);
    }
    const PlanRun run = RunPlan(model, OneTensor(std::move(input)));
    std::vector<int> first_bytes;
    for (std::size_t i = 0; i < 6; ++i) {
      first_bytes.push_back(static_cast<int>(run.outputs[0].bytes()[i * size]));
    }
    EXPECT_THAT(first_bytes, ElementsAre(0, 3, 1, 4, 2, 5))
        << DataTypeName(type);
  }
}

TEST(RearrangeStepTest, TransposeIsNoStepWhenOnlyOnesMove) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1, 3});
  builder.Output(builder.Node(Operator::kTranspose, {x}, {.row_shape = {3, 1}},
                              {{"perm", std::vector<std::int64_t>{0, 2, 1}}}));
  const CompiledModel model = CompileOrDie(builder.Build());
  EXPECT_EQ(model.Describe(), "");
  const PlanRun run =
      RunPlan(model, OneTensor(FloatTensor({1, 1, 3}, {1, 2, 3})));
  EXPECT_EQ(run.outputs[0].shape(), (Shape{1, 3, 1}));
  EXPECT_THAT(run.outputs[0].As<float>(), ElementsAre(1, 2, 3));
}

TEST(RearrangeStepTest, CompileIsUnimplementedWhenBatchDoesNotStayFirst) {
  EXPECT_EQ(CompiledModel::Compile(TransposeGraph(DataType::kFp32, {1, 0, 2}))
                .status()
                .code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
