#include "core/relu/piecewise_lowering.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/graph/interpreter.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/relu/explainer.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/value_bounds.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(const Graph& graph, std::string_view output = "") {
  const auto network = LowerToPiecewise(graph, output);
  return network.ok() ? "" : network.status().ToString();
}

// The output for rows of FP32 inputs.
std::vector<float> OutputsOf(const PiecewiseNetwork& network,
                             const std::vector<Tensor>& inputs) {
  const auto read = ReadInputRows(network, inputs, "input");
  CHECK(read.ok());
  std::vector<float> output;
  std::vector<float> row(network.row_floats);
  for (std::size_t i = 0; i < static_cast<std::size_t>(read->rows); ++i) {
    CHECK(FillLeaves(
              network,
              std::span(read->elements)
                  .subspan(i * network.input_elements, network.input_elements),
              row.data())
              .ok());
    RunForward(network, 1, row.data());
    output.insert(
        output.end(),
        row.begin() + static_cast<std::ptrdiff_t>(network.output.offset),
        row.begin() + static_cast<std::ptrdiff_t>(network.output.offset +
                                                  network.output.size));
  }
  return output;
}

// A graph of one operator on x [-1,6], which `add` adds.
struct Case {
  std::string name;
  std::function<ValueId(GraphBuilder& builder, ValueId x)> add;
};

ValueId Shaped(GraphBuilder& builder, Operator op, ValueId input, Shape shape,
               Attributes attributes = {}) {
  return builder.Node(op, {input}, {.row_shape = std::move(shape)},
                      std::move(attributes));
}

ValueId Matrix(GraphBuilder& builder, ValueId x) {
  return Shaped(builder, Operator::kReshape, x, {2, 3});
}

std::vector<Case> Cases() {
  using Ints = std::vector<std::int64_t>;
  std::vector<Case> cases;
  const auto add = [&](std::string name, auto function) {
    cases.push_back({std::move(name), function});
  };
  add("ThreeDimensionalMatMul", [](GraphBuilder& b, ValueId x) {
    return b.MatMul(Matrix(b, x),
                    b.Constant(FloatTensor({3, 2}, {1, -2, 3, 4, -5, 6})));
  });
  add("Transpose", [](GraphBuilder& b, ValueId x) {
    return Shaped(b, Operator::kTranspose, Matrix(b, x), {3, 2},
                  {{"perm", Ints{0, 2, 1}}});
  });
  add("Slice", [](GraphBuilder& b, ValueId x) {
    return Shaped(b, Operator::kSlice, x, {2},
                  {{"starts", Ints{0, 4}}, {"steps", Ints{1, -3}}});
  });
  add("Split", [](GraphBuilder& b, ValueId x) {
    Shaped(b, Operator::kSplit, x, {2},
           {{"split", Ints{2, 4}}, {"axis", std::int64_t{1}}});
    return b.NextOutput({.row_shape = {4}});
  });
  add("Expand", [](GraphBuilder& b, ValueId x) {
    const ValueId tall = Shaped(b, Operator::kUnsqueeze, x, {6, 1});
    return Shaped(b, Operator::kExpand, tall, {6, 2});
  });
  add("Gather", [](GraphBuilder& b, ValueId x) {
    return b.Node(Operator::kGather,
                  {Matrix(b, x), b.Constant(Int64Tensor({2}, {-1, 0}))},
                  {.row_shape = {2, 2}}, {{"axis", std::int64_t{2}}});
  });
  add("Concat", [](GraphBuilder& b, ValueId x) {
    const ValueId m = Matrix(b, x);
    return b.Node(Operator::kConcat, {m, m}, {.row_shape = {2, 6}},
                  {{"axis", std::int64_t{2}}});
  });
  add("BroadcastAdd", [](GraphBuilder& b, ValueId x) {
    const ValueId wide = Shaped(b, Operator::kUnsqueeze, x, {1, 6});
    const ValueId tall = Shaped(b, Operator::kUnsqueeze, x, {6, 1});
    return b.Node(Operator::kAdd, {wide, tall}, {.row_shape = {6, 6}});
  });
  add("BatchNormalizationOfChannels", [](GraphBuilder& b, ValueId x) {
    const auto two = [&](float first, float second) {
      return b.Constant(FloatTensor({2}, {first, second}));
    };
    return b.Node(
        Operator::kBatchNormalization,
        {Matrix(b, x), two(2, 3), two(1, -1), two(0.5F, 4), two(1, 9)},
        {.row_shape = {2, 3}},
        {{"epsilon", 0.0F},
         {"spatial", std::int64_t{1}},
         {"training_mode", std::int64_t{0}}});
  });
  add("Neg",
      [](GraphBuilder& b, ValueId x) { return b.Unary(Operator::kNeg, x); });
  add("MinOfOneNumber", [](GraphBuilder& b, ValueId x) {
    return b.Binary(Operator::kMin, x, b.Constant(FloatTensor({}, {0.25F})));
  });
  add("ConstantMinusValue", [](GraphBuilder& b, ValueId x) {
    return b.Node(Operator::kSub, {b.Constant(FloatTensor({1}, {1})), x},
                  {.row_shape = {6}});
  });
  add("Sum", [](GraphBuilder& b, ValueId x) {
    return b.Node(Operator::kSum, {x, x, x}, {.row_shape = {6}});
  });
  add("MaxOfOne",
      [](GraphBuilder& b, ValueId x) { return b.Unary(Operator::kMax, x); });
  add("CastToFp16", [](GraphBuilder& b, ValueId x) {
    return b.Node(Operator::kCast, {x},
                  {.row_shape = {6}, .type = DataType::kFp16});
  });
  add("Nothing", [](GraphBuilder&, ValueId x) { return x; });
  return cases;
}

class OperatorTest : public testing::TestWithParam<Case> {};

TEST_P(OperatorTest, ComputesWhatTheInterpreterDoes) {
  GraphBuilder builder;
  builder.Output(GetParam().add(builder, builder.Input("x", {6})));
  const Graph graph = builder.Build();
  std::vector<Tensor> rows;
  rows.push_back(FloatTensor(
      {2, 6}, {1, -2, 3, -4, 5, 0.5F, -0.25F, 0, 8, 7, -6, 0.125F}));
  const auto want = Interpret(graph, rows);
  ASSERT_TRUE(want.ok()) << want.status();
  const std::vector<double> values = ToDoubles((*want)[0]);
  const std::vector<float> found = OutputsOf(LowerOrDie(graph), rows);
  ASSERT_EQ(found.size(), values.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i], values[i], 1e-6 * (1 + std::abs(values[i]))) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Operators, OperatorTest, testing::ValuesIn(Cases()),
                         [](const auto& test) { return test.param.name; });

// What is served and what is explained are one network.
TEST(PiecewiseLoweringTest, LayersHaveTheBitsOfThePlan) {
  for (const std::string name : {"digits_mlp", "mnist_256x128"}) {
    for (const WeightStorage storage :
         {WeightStorage::kFloat32, WeightStorage::kFloat16}) {
      const auto reference = LoadReference("tests/testdata/models/" + name);
      ASSERT_TRUE(reference.ok()) << reference.status();
      const auto graph = ImportOnnx(reference->onnx);
      ASSERT_TRUE(graph.ok()) << graph.status();
      const auto plan = CompiledModel::Compile(*graph, {.weights = storage});
      ASSERT_TRUE(plan.ok()) << plan.status();
      const auto network = LowerToPiecewise(*graph, "", storage);
      ASSERT_TRUE(network.ok()) << network.status();
      std::vector<Tensor> rows;
      rows.push_back(SliceRows(reference->inputs.begin()->second, 0, 8));
      Workspace workspace(*plan, 8);
      workspace.CopyIn(0, 0, 8, rows[0].bytes().data());
      plan->Run(8, workspace);
      std::vector<float> served(plan->outputs()[0].Bytes(8) / sizeof(float));
      workspace.CopyOut(0, 0, 8, reinterpret_cast<std::byte*>(served.data()));
      EXPECT_EQ(OutputsOf(*network, rows), served) << name;
    }
  }
}

TEST(PiecewiseLoweringTest, SigmoidInsideIsRefusedWithAdvice) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(
      builder.Unary(Operator::kRelu, builder.Unary(Operator::kSigmoid, x)));
  EXPECT_THAT(ErrorOf(builder.Build()),
              HasSubstr("UNIMPLEMENTED: node \"node_0\" (Sigmoid): it is not "
                        "piecewise linear, so what comes of it has no exact "
                        "linear explanation; explain another output"));
}

TEST(PiecewiseLoweringTest, SoftmaxAcrossRowsOfAMatrixIsRefused) {
  GraphBuilder builder;
  builder.Output(builder.Softmax(builder.Input("x", {2, 3}), /*axis=*/1));
  EXPECT_THAT(ErrorOf(builder.Build()), HasSubstr("(Softmax)"));
}

TEST(PiecewiseLoweringTest, ProductsOfComputedValuesAreRefused) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(builder.Binary(Operator::kMul, x, x));
  EXPECT_THAT(ErrorOf(builder.Build()), HasSubstr("two computed values"));
  const ValueId y = builder.Input("y", {2});
  builder.Output(builder.Node(Operator::kDiv,
                              {builder.Constant(FloatTensor({1}, {1})), y},
                              {.row_shape = {2}}));
  EXPECT_THAT(ErrorOf(builder.Build()), HasSubstr("divides by a computed"));
}

TEST(PiecewiseLoweringTest, MaxOfComputedValuesIsRefused) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  builder.Output(builder.Binary(Operator::kMax, x, x));
  EXPECT_THAT(ErrorOf(builder.Build()), HasSubstr("compares computed values"));
}

TEST(PiecewiseLoweringTest, IntegersOfComputedFloatsAreRefused) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId whole =
      builder.Node(Operator::kCast, {builder.Unary(Operator::kAbs, x)},
                   {.row_shape = {2}, .type = DataType::kInt64});
  builder.Output(builder.Node(
      Operator::kGather, {builder.Constant(FloatTensor({3}, {1, 2, 3})), whole},
      {.row_shape = {2}}, {{"axis", std::int64_t{0}}}));
  EXPECT_THAT(ErrorOf(builder.Build()), HasSubstr("a jump at each integer"));
}

// x of `from`, cast to each of `types` with 100 added where it is INT8, and to
// FP32.
Graph Casts(DataType from, const std::vector<DataType>& types) {
  GraphBuilder builder;
  ValueId value = builder.Input("x", {7}, from);
  for (const DataType type : types) {
    const GraphBuilder::Result result{.row_shape = {7}, .type = type};
    value = builder.Node(Operator::kCast, {value}, result,
                         {{"to", static_cast<std::int64_t>(type)}});
    if (type == DataType::kInt8) {
      value = builder.Node(Operator::kAdd,
                           {value, builder.Constant(FromDoubles(
                                       type, {1}, std::vector<double>{100}))},
                           result);
    }
  }
  builder.Output(
      builder.Node(Operator::kCast, {value}, {.row_shape = {7}},
                   {{"to", static_cast<std::int64_t>(DataType::kFp32)}}));
  return builder.Build();
}

TEST(PiecewiseLoweringTest, CastsExplainWhatIsServed) {
  using enum DataType;
  const std::vector<double> numbers = {300,          -5,   2.9, -0.5,
                                       2.9999999999, 1e30, 200};
  for (const DataType from : {kFp32, kFp64, kInt16}) {
    for (const std::vector<DataType>& types :
         std::vector<std::vector<DataType>>{{kUint8},
                                            {kInt8},
                                            {kUint64},
                                            {kInt64},
                                            {kInt32, kUint8},
                                            {kInt64, kInt8},
                                            {kInt16, kInt64}}) {
      const Graph graph = Casts(from, types);
      std::vector<Tensor> rows;
      rows.push_back(FromDoubles(from, {1, 7}, numbers));
      const auto plan = CompiledModel::Compile(graph);
      ASSERT_TRUE(plan.ok()) << plan.status();
      Workspace workspace(*plan, 1);
      workspace.CopyIn(0, 0, 1, rows[0].bytes().data());
      plan->Run(1, workspace);
      std::vector<float> served(7);
      workspace.CopyOut(0, 0, 1, reinterpret_cast<std::byte*>(served.data()));

      const Explainer explainer = ExplainerOrDie(graph);
      const auto explained =
          explainer.Explain(rows, {}, {.elements = {0, 1, 2, 3, 4, 5, 6}});

      ASSERT_TRUE(explained.ok()) << explained.status();
      const auto read = ReadInputRows(explainer.network(), rows, "input");
      ASSERT_TRUE(read.ok()) << read.status();
      const ValueBounds bounds = IntervalBounds(
          explainer.network(), BoxOf(explainer.network(), *read));
      for (std::size_t i = 0; i < served.size(); ++i) {
        EXPECT_EQ(static_cast<float>((*explained)[i].value), served[i]) << i;
        const std::size_t at = explainer.network().output.offset + i;
        EXPECT_LE(bounds.Lowest(at), double{served[i]}) << i;
        EXPECT_GE(bounds.Highest(at), double{served[i]}) << i;
      }
    }
  }
}

TEST(PiecewiseLoweringTest, CastBoundsAreThoseOfTheType) {
  const PiecewiseNetwork network =
      LowerOrDie(Casts(DataType::kFp32, {DataType::kUint8}));
  const ValueBounds bounds =
      IntervalBounds(network, {.low = std::vector<double>(7, -300),
                               .high = std::vector<double>(7, 300)});
  EXPECT_EQ(bounds.low[network.output.offset], 0);
  EXPECT_EQ(bounds.high[network.output.offset], 255);
}

TEST(PiecewiseLoweringTest, IntegersThatAreNoScaleAndShiftAreRefused) {
  EXPECT_THAT(
      ErrorOf(Casts(DataType::kFp32, {DataType::kInt8, DataType::kInt64})),
      HasSubstr("may have wrapped around"));
  GraphBuilder builder;
  const ValueId c = builder.Input("c", {2}, DataType::kInt64);
  const ValueId half = builder.Binary(
      Operator::kDiv, c, builder.Constant(Int64Tensor({2}, {2, 2})));
  builder.Output(
      builder.Node(Operator::kCast, {half}, {.row_shape = {2}},
                   {{"to", static_cast<std::int64_t>(DataType::kFp32)}}));
  EXPECT_THAT(ErrorOf(builder.Build()), HasSubstr("it divides integers"));
}

TEST(PiecewiseLoweringTest, RowsThatDependOnEachOtherAreRefused) {
  Graph graph = TwoNeurons();
  graph.couples_rows = true;
  EXPECT_THAT(ErrorOf(graph), HasSubstr("depend on each other"));
}

TEST(PiecewiseLoweringTest, InputsThatNothingReadsHaveTheirElements) {
  GraphBuilder builder;
  builder.Input("unused", {4});
  builder.Output(builder.Unary(Operator::kRelu, builder.Input("x", {2})));
  const PiecewiseNetwork network = LowerOrDie(builder.Build());
  EXPECT_EQ(network.input_elements, 6U);
  EXPECT_EQ(network.inputs[1].first_element, 4U);
}

}  // namespace
}  // namespace relu
