// Run() takes no memory.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "core/base/thread_team.h"
#include "core/graph/graph.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/counted_allocations.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

// Steps of element types and indices.
CompiledModel IndexSteps() {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 3}, DataType::kFp16);
  const ValueId i = builder.Input("i", {1}, DataType::kInt64);
  const ValueId table = builder.Constant(FloatTensor({2, 2}, {1, 2, 3, 4}));
  const ValueId w =
      builder.Constant(FloatTensor({3, 3}, {1, 0, 1, 0, 1, 0, 1, 0, 1}));
  const ValueId single = builder.Node(
      Operator::kCast, {x}, {.row_shape = {2, 3}, .type = DataType::kFp32});
  const ValueId h =
      builder.Unary(Operator::kSigmoid, builder.MatMul(single, w));
  const ValueId soft = builder.Softmax(builder.Softmax(h, 2), 1);
  const ValueId turned =
      builder.Node(Operator::kTranspose, {soft}, {.row_shape = {3, 2}},
                   {{"perm", std::vector<std::int64_t>{0, 2, 1}}});
  const ValueId entry =
      builder.Node(Operator::kGather, {table, i}, {.row_shape = {1, 2}},
                   {{"axis", std::int64_t{0}}});
  const ValueId sum = builder.Binary(Operator::kAdd, turned, entry);
  const ValueId all =
      builder.Node(Operator::kConcat, {sum, entry}, {.row_shape = {4, 2}},
                   {{"axis", std::int64_t{1}}});
  builder.Output(builder.Node(Operator::kArgMax, {all},
                              {.row_shape = {4}, .type = DataType::kInt64},
                              {{"axis", std::int64_t{2}},
                               {"keepdims", std::int64_t{0}},
                               {"select_last_index", std::int64_t{0}}}));
  return CompileOrDie(builder.Build());
}

TEST(NoAllocationTest, RunTakesNoMemoryEvenWhenARowIsFaulty) {
  constexpr std::int64_t kRows = 5;
  const CompiledModel model = IndexSteps();
  Workspace workspace(model, kRows);
  const Tensor x(DataType::kFp16, {kRows, 2, 3});
  const Tensor indices = Int64Tensor({kRows, 1}, {0, 1, 9, -1, -2});
  Tensor labels(DataType::kInt64, {kRows, 4});
  const std::int64_t before = Allocations();
  workspace.CopyIn(0, 0, kRows, x.bytes().data());
  workspace.CopyIn(1, 0, kRows, indices.bytes().data());
  model.Run(kRows, workspace);
  model.Run(1, workspace);
  model.Run(kRows, workspace);
  workspace.CopyOut(0, 0, kRows, labels.bytes().data());
  const bool two_good = !workspace.Fault(0, 2).has_value();
  const std::int64_t after = Allocations();
  EXPECT_EQ(after, before);
  EXPECT_TRUE(two_good);
  EXPECT_TRUE(workspace.Fault(2, 1).has_value());
}

// Every other kind of step.
CompiledModel ElementSteps() {
  using Integers = std::vector<std::int64_t>;
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {6});
  const ValueId c = builder.Constant(FloatTensor({6}, {0.5F, 1, 2, -1, -2, 3}));
  const ValueId ten = builder.Constant(FloatTensor({}, {10}));
  const ValueId normal =
      builder.Node(Operator::kLayerNormalization, {x, c}, {.row_shape = {6}},
                   {{"axis", std::int64_t{1}}, {"epsilon", 0.1F}});
  const ValueId affine = builder.Node(
      Operator::kBatchNormalization,
      {normal, c, c, c, builder.Constant(FloatTensor({6}, {1, 1, 1, 1, 1, 1}))},
      {.row_shape = {6}}, {{"epsilon", 0.1F}, {"spatial", std::int64_t{1}}});
  const ValueId gelu =
      builder.Node(Operator::kGelu, {affine}, {.row_shape = {6}},
                   {{"approximate", std::string("none")}});
  const ValueId power = builder.Node(
      Operator::kSum, {builder.Binary(Operator::kPow, gelu, c), c, x},
      {.row_shape = {6}});
  const ValueId is_less = builder.Node(
      Operator::kLess, {power, c}, {.row_shape = {6}, .type = DataType::kBool});
  const ValueId choice = builder.Node(
      Operator::kWhere, {builder.Unary(Operator::kNot, is_less), x, power},
      {.row_shape = {6}});
  const ValueId mean =
      builder.Node(Operator::kReduceMean, {choice}, {.row_shape = {1}},
                   {{"axes", Integers{1}}, {"keepdims", std::int64_t{1}}});
  const ValueId centred = builder.Binary(Operator::kSub, choice, mean);
  const ValueId even =
      builder.Node(Operator::kSlice, {centred}, {.row_shape = {3}},
                   {{"starts", Integers{0, 0}}, {"steps", Integers{1, 2}}});
  const ValueId joined =
      builder.Node(Operator::kConcat,
                   {even, centred, builder.Constant(FloatTensor({1, 1}, {7}))},
                   {.row_shape = {10}}, {{"axis", std::int64_t{1}}});
  const ValueId soft =
      builder.Node(Operator::kLogSoftmax, {joined}, {.row_shape = {10}},
                   {{"axis", std::int64_t{1}}, {"flatten", std::int64_t{0}}});
  const ValueId best = builder.Node(Operator::kTopK, {soft}, {.row_shape = {2}},
                                    {{"axis", std::int64_t{1}},
                                     {"k", std::int64_t{2}},
                                     {"largest", std::int64_t{1}}});
  builder.Output(
      builder.NextOutput({.row_shape = {2}, .type = DataType::kInt64}));
  const ValueId bytes =
      builder.Node(Operator::kQuantizeLinear, {best, ten},
                   {.row_shape = {2}, .type = DataType::kUint8},
                   {{"axis", std::int64_t{1}}});
  const ValueId weights = builder.Constant(Tensor(DataType::kInt8, {2, 2}));
  const ValueId product =
      builder.Node(Operator::kMatMulInteger, {bytes, weights},
                   {.row_shape = {2}, .type = DataType::kInt32});
  builder.Output(builder.Node(Operator::kDequantizeLinear, {product, ten},
                              {.row_shape = {2}}, {{"axis", std::int64_t{1}}}));
  return CompileOrDie(builder.Build());
}

TEST(NoAllocationTest, ElementStepsTakeNoMemory) {
  constexpr std::int64_t kRows = 5;
  const CompiledModel model = ElementSteps();
  EXPECT_EQ(model.Describe().find("interpret"), std::string::npos);
  Workspace workspace(model, kRows);
  const Tensor x(DataType::kFp32, {kRows, 6});
  workspace.CopyIn(0, 0, kRows, x.bytes().data());
  model.Run(kRows, workspace);  // The kernels choose their instruction set.
  const std::int64_t before = Allocations();
  model.Run(kRows, workspace);
  model.Run(1, workspace);
  const std::int64_t after = Allocations();
  EXPECT_EQ(after, before);
}

// Dense layers, in panels and narrow.
Graph DenseLayers() {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {100});
  const ValueId first = builder.Constant(Tensor(DataType::kFp32, {100, 90}));
  const ValueId second = builder.Constant(Tensor(DataType::kFp32, {90, 3}));
  const ValueId h = builder.Unary(Operator::kRelu, builder.MatMul(x, first));
  builder.Output(builder.MatMul(h, second));
  return builder.Build();
}

TEST(NoAllocationTest, DenseLayersTakeNoMemoryInAnyWay) {
  constexpr std::int64_t kRows = 70;
  const Graph graph = DenseLayers();
  ThreadTeam team(2);
  for (const ZeroSkip skip :
       {ZeroSkip::kMeasured, ZeroSkip::kNever, ZeroSkip::kAlways}) {
    for (const WeightStorage weights :
         {WeightStorage::kFloat32, WeightStorage::kFloat16}) {
      const CompiledModel model =
          CompileOrDie(graph, {.zero_skip = skip, .weights = weights});
      Workspace workspace(model, kRows, /*threads=*/2);
      const std::int64_t before = Allocations();
      for (const std::int64_t rows : {1, 4, 70}) {
        model.Run(rows, workspace);
        for (const Sharing sharing :
             {Sharing::kAutomatic, Sharing::kRows, Sharing::kColumns}) {
          model.Run(rows, workspace, team, sharing);
        }
      }
      const std::int64_t after = Allocations();
      EXPECT_EQ(after, before);
    }
  }
}

TEST(NoAllocationTest, CounterCountsWhenMemoryIsTaken) {
  const std::int64_t before = Allocations();
  const auto memory = std::make_unique<std::vector<int>>(100);
  EXPECT_EQ(memory->size(), 100U);
  EXPECT_GE(Allocations(), before + 2);
}

}  // namespace
}  // namespace relu
