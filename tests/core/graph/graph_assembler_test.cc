#include "core/graph/graph_assembler.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/onnx_import.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

absl::StatusOr<Graph> ImportGraph(ModelBuilder& builder) {
  return ImportOnnx(builder.model(), "");
}

// A graph, or a failure and an empty one.
Graph ImportGood(ModelBuilder& builder) {
  absl::StatusOr<Graph> graph = ImportGraph(builder);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return graph.ok() ? *std::move(graph) : Graph();
}

ModelBuilder WithInput(std::int64_t opset = 17) {
  ModelBuilder builder(opset);
  builder.Input("x", {.sizes = {-1, 4}});
  return builder;
}

std::vector<std::string> Names(const Graph& graph,
                               const std::vector<ValueId>& ids) {
  std::vector<std::string> names;
  for (const ValueId id : ids) {
    names.push_back(graph.values[id].name);
  }
  return names;
}

TEST(GraphAssemblerTest, GraphHasInputsNodesAndOutputsOfTheFile) {
  ModelBuilder builder = MakeMlp({2, 3, 1});
  const Graph graph = ImportGood(builder);
  EXPECT_EQ(graph.name, "test");
  EXPECT_THAT(Names(graph, graph.inputs), ElementsAre("x"));
  EXPECT_THAT(Names(graph, graph.outputs), ElementsAre("y"));
  ASSERT_EQ(graph.nodes.size(), 3U);
  EXPECT_EQ(graph.nodes[0].op, Operator::kGemm);
  EXPECT_EQ(graph.nodes[1].op, Operator::kRelu);
  EXPECT_THAT(Names(graph, graph.nodes[2].inputs),
              ElementsAre("r1", "w2", "b2"));
  EXPECT_EQ(graph.constants.size(), 4U);
  EXPECT_EQ(graph.fixed_rows, kBatchDim);
}

TEST(GraphAssemblerTest, FixedBatchBecomesFixedRows) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {3, 4}})
      .Node("Relu", {"x"}, "y")
      .Output("y", {.sizes = {3, 4}});
  const Graph graph = ImportGood(builder);
  EXPECT_EQ(graph.fixed_rows, 3);
  EXPECT_EQ(graph.values[graph.inputs[0]].shape, (Shape{-1, 4}));
}

TEST(GraphAssemblerTest, FixedBatchOfOneGoesForAnyNumberOfRows) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {1, 4}})
      .Int64s("shape", {2}, {1, 4})
      .Node("Relu", {"x"}, "r")
      .Node("Reshape", {"r", "shape"}, "y")
      .Output("y", {.sizes = {1, 4}});
  const Graph graph = ImportGood(builder);
  EXPECT_EQ(graph.fixed_rows, kBatchDim);
  EXPECT_FALSE(graph.couples_rows);
  EXPECT_EQ(graph.values[graph.outputs[0]].shape, (Shape{-1, 4}));
}

TEST(GraphAssemblerTest, FixedSizesThatAreNoBatchStayAsTheyAre) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {3, 4}})
      .Node("Softmax", {"x"}, "y", {IntAttributeProto("axis", 0)})
      .Output("y");
  const Graph graph = ImportGood(builder);
  EXPECT_TRUE(graph.couples_rows);
  EXPECT_FALSE(HasBatchDim(graph));
  EXPECT_EQ(graph.values[graph.inputs[0]].shape, (Shape{3, 4}));
}

TEST(GraphAssemblerTest, InputWithoutTheBatchCouplesRows) {
  ModelBuilder builder;
  builder.Input("a", {.sizes = {1, 4}})
      .Input("b", {.sizes = {-1, 4}})
      .Node("Add", {"a", "b"}, "y")
      .Output("y");
  const Graph graph = ImportGood(builder);
  EXPECT_TRUE(graph.couples_rows);
  EXPECT_TRUE(HasBatchDim(graph));
  EXPECT_EQ(graph.values[graph.outputs[0]].shape, (Shape{-1, 4}));
}

// x[batch, 2, 3] reshaped as exporters write x.view(x.size(0), -1).
ModelBuilder WithViewBySize(std::string_view op, std::int64_t factor) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 2, 3}})
      .Int64s("zero", {}, {0})
      .Int64s("axes", {1}, {0})
      .Int64s("factor", {}, {factor})
      .Int64s("rest", {1}, {-1})
      .Node("Shape", {"x"}, "shape")
      .Node("Gather", {"shape", "zero"}, "n")
      .Node(op, {"n", "factor"}, "m")
      .Node("Unsqueeze", {"m", "axes"}, "ns")
      .Node("Concat", {"ns", "rest"}, "target", {IntAttributeProto("axis", 0)})
      .Node("Reshape", {"x", "target"}, "y")
      .Output("y");
  return builder;
}

TEST(GraphAssemblerTest, SizesComputedFromTheRowsAreResolved) {
  ModelBuilder builder = WithViewBySize("Mul", 1);
  const Graph graph = ImportGood(builder);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].inputs, graph.inputs);
  EXPECT_EQ(graph.values[graph.outputs[0]].shape, (Shape{-1, 6}));
  EXPECT_FALSE(graph.couples_rows);
}

TEST(GraphAssemblerTest, SizesThatAreNotTheRowsAreRefused) {
  for (const std::string_view op : {"Min", "Mul"}) {
    ModelBuilder builder = WithViewBySize(op, 2);
    EXPECT_THAT(ImportGraph(builder).status(),
                Fails(kUnimplemented, "depends on the number of rows"));
  }
}

TEST(GraphAssemblerTest, ConstantExpandedToTheRowsKeepsThemApart) {
  ModelBuilder builder = WithInput();
  builder.Floats("c", {1, 4}, {1, 2, 3, 4})
      .Node("Shape", {"x"}, "shape")
      .Node("Expand", {"c", "shape"}, "rows")
      .Node("Concat", {"x", "rows"}, "y", {IntAttributeProto("axis", 1)})
      .Output("y");
  const Graph graph = ImportGood(builder);
  EXPECT_FALSE(graph.couples_rows);
  EXPECT_EQ(graph.values[graph.outputs[0]].shape, (Shape{-1, 8}));
}

TEST(GraphAssemblerTest, ExpandAsPyTorchWritesItIsResolved) {
  // c.expand(x.size(0), -1): a -1 becomes 1 by a comparison.
  ModelBuilder builder = WithInput();
  builder.Floats("c", {1, 4}, {1, 2, 3, 4})
      .Int64s("zero", {1}, {0})
      .Int64s("rest", {1}, {-1})
      .Int64s("two", {1}, {2})
      .Int64s("minus", {}, {-1})
      .Node("Shape", {"x"}, "shape")
      .Node("Gather", {"shape", "zero"}, "n")
      .Node("Concat", {"n", "rest"}, "wanted", {IntAttributeProto("axis", 0)})
      .Int64s("one", {}, {1})
      .Node("Expand", {"one", "two"}, "ones")
      .Node("Mul", {"ones", "minus"}, "open")
      .Node("Equal", {"wanted", "open"}, "is_open")
      .Node("Where", {"is_open", "ones", "wanted"}, "target")
      .Node("Expand", {"c", "target"}, "rows")
      .Node("Add", {"x", "rows"}, "y")
      .Output("y");
  const Graph graph = ImportGood(builder);
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.values[graph.nodes[0].outputs[0]].shape, (Shape{-1, 4}));
  EXPECT_FALSE(graph.couples_rows);
}

TEST(GraphAssemblerTest, ConstantOfShapeIsAnExpandedConstant) {
  ModelBuilder builder = WithInput();
  builder.Node("Shape", {"x"}, "shape")
      .Node("ConstantOfShape", {"shape"}, "zeros")
      .Node("Max", {"x", "zeros"}, "y")
      .Output("y");
  const Graph graph = ImportGood(builder);
  ASSERT_EQ(graph.nodes.size(), 2U);
  EXPECT_EQ(graph.nodes[0].op, Operator::kExpand);
  EXPECT_FALSE(graph.couples_rows);
}

TEST(GraphAssemblerTest, ZipMapIsLeftOutWithANote) {
  ModelBuilder builder = WithInput();
  builder.Node("Softmax", {"x"}, "p").Node("ZipMap", {"p"}, "maps");
  builder.last_node().set_domain("ai.onnx.ml");
  builder.Output("maps");
  builder.graph().mutable_output(0)->mutable_type()->mutable_sequence_type();
  const Graph graph = ImportGood(builder);
  EXPECT_THAT(Names(graph, graph.outputs), ElementsAre("maps"));
  ASSERT_EQ(graph.notes.size(), 1U);
  EXPECT_THAT(graph.notes[0], ::testing::HasSubstr("\"maps\" is the tensor"));
}

TEST(GraphAssemblerTest, OutputsWithoutNamesAreValuesOfTheirOwn) {
  ModelBuilder builder = WithInput();
  builder.Int64s("k", {1}, {2}).Node("TopK", {"x", "k"}, "y");
  builder.Output("y");
  const Graph graph = ImportGood(builder);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].outputs.size(), 2U);
}

TEST(GraphAssemblerTest, InputsThatAreNotServedAreRefused) {
  const std::vector<std::vector<std::int64_t>> kSizes = {
      {-1, -1},
      {-1, 0},
      {std::int64_t{1} << 40, 4},
      {-1, std::int64_t{1} << 40},
      {-1, std::int64_t{1} << 62, 4}};
  for (const auto& sizes : kSizes) {
    ModelBuilder builder;
    builder.Input("x", {.sizes = sizes}).Node("Relu", {"x"}, "y").Output("y");
    EXPECT_THAT(ImportGraph(builder).status(), Fails(kUnimplemented, "\"x\""))
        << ShapeText(sizes);
  }
}

TEST(GraphAssemblerTest, NamesMustBeUnique) {
  ModelBuilder builder = WithInput();
  builder.Node("Relu", {"x"}, "y").Node("Tanh", {"x"}, "y").Output("y");
  EXPECT_THAT(ImportGraph(builder).status(),
              Fails(kInvalid, "two values have the name \"y\""));
}

TEST(GraphAssemblerTest, MissingInputIsNamed) {
  ModelBuilder builder = WithInput();
  builder.Node("Add", {"x", "w"}, "y").Output("y");
  EXPECT_THAT(ImportGraph(builder).status(),
              Fails(kInvalid,
                    "node \"y\" (Add): no input, initializer or node "
                    "gives its input \"w\""));
}

TEST(GraphAssemblerTest, NumbersOfInputsAndOutputsAreChecked) {
  ModelBuilder few = WithInput();
  few.Node("Gemm", {"x"}, "y").Output("y");
  EXPECT_THAT(ImportGraph(few).status(),
              Fails(kInvalid, "1 inputs, wanted 2 to 3"));
  ModelBuilder none = WithInput();
  none.Node("Concat", {}, "y").Output("y");
  EXPECT_THAT(ImportGraph(none).status(),
              Fails(kInvalid, "0 inputs, wanted 1 or more"));
  ModelBuilder left_out = WithInput();
  left_out.Node("Concat", {"x", ""}, "y", {IntAttributeProto("axis", 1)})
      .Output("y");
  EXPECT_THAT(ImportGraph(left_out).status(),
              Fails(kInvalid, "input 1 is left out"));
  ModelBuilder two = WithInput();
  two.Node("Relu", {"x"}, "y").Output("y").last_node().add_output("z");
  EXPECT_THAT(ImportGraph(two).status(),
              Fails(kInvalid, "2 outputs, wanted 1"));
  ModelBuilder unnamed = WithInput();
  unnamed.Node("Relu", {"x"}, "").Node("Relu", {"x"}, "y").Output("y");
  EXPECT_THAT(ImportGraph(unnamed).status(), Fails(kInvalid, "has no name"));
}

TEST(GraphAssemblerTest, UnknownOperatorIsRefusedWithThoseThatAreKnown) {
  ModelBuilder builder = WithInput();
  builder.Node("Conv", {"x"}, "y").Output("y");
  EXPECT_THAT(ImportGraph(builder).status(),
              Fails(kUnimplemented, "node \"y\" (Conv): the operator is not"));
  EXPECT_THAT(ImportGraph(builder).status(),
              Fails(kUnimplemented,
                    "Constant, ConstantOfShape, DequantizeLinear, Div"));
}

TEST(GraphAssemblerTest, OperatorOfAnotherDomainIsRefused) {
  ModelBuilder builder = WithInput();
  builder.Node("Relu", {"x"}, "y").Output("y");
  builder.last_node().set_domain("com.example");
  EXPECT_THAT(ImportGraph(builder).status(),
              Fails(kUnimplemented, "(com.example.Relu)"));
  builder.last_node().set_domain("ai.onnx");
  EXPECT_TRUE(ImportGraph(builder).ok());
}

TEST(GraphAssemblerTest, ConstantNodesAndFoldedNodesBecomeConstants) {
  ModelBuilder builder = WithInput();
  builder.Floats("w", {3, 4}, std::vector<float>(12, 1))
      .Node("Transpose", {"w"}, "wt", {IntsAttributeProto("perm", {1, 0})})
      .Node("MatMul", {"x", "wt"}, "y")
      .Output("y");
  const Graph graph = ImportGood(builder);
  ASSERT_EQ(graph.nodes.size(), 1U);
  ASSERT_EQ(graph.constants.size(), 1U);  // Not "w" any more.
  EXPECT_EQ(graph.values[graph.nodes[0].inputs[1]].name, "wt");
  EXPECT_EQ(graph.values[graph.nodes[0].inputs[1]].constant->shape(),
            (Shape{4, 3}));
  EXPECT_THAT(Names(graph, graph.outputs), ElementsAre("y"));
}

TEST(GraphAssemblerTest, ConstantsThatAreNotFiniteAreRefused) {
  ModelBuilder given = WithInput();
  given.Floats("w", {4}, {1, 2, NAN, 4})
      .Node("Add", {"x", "w"}, "y")
      .Output("y");
  EXPECT_THAT(ImportGraph(given).status(),
              Fails(kInvalid, "constant \"w\" has an element that is NaN"));
  ModelBuilder folded = WithInput();
  folded.Floats("a", {1}, {1})
      .Floats("b", {1}, {0})
      .Node("Div", {"a", "b"}, "c")
      .Node("Add", {"x", "c"}, "y")
      .Output("y");
  EXPECT_THAT(ImportGraph(folded).status(), Fails(kInvalid, "constant \"c\""));
}

TEST(GraphAssemblerTest, FoldingIsBounded) {
  ModelBuilder builder = WithInput();
  builder.Floats("a", {1 << 13, 1}, std::vector<float>(1 << 13))
      .Floats("b", {1, 1 << 13}, std::vector<float>(1 << 13))
      .Node("Add", {"a", "b"}, "c")
      .Node("Add", {"x", "c"}, "y")
      .Output("y");
  EXPECT_THAT(ImportGraph(builder).status(),
              Fails(kUnimplemented, "more elements than 1048576 a node"));
}

TEST(GraphAssemblerTest, SizesOfZeroDoNotHideThoseThatOverflow) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {0, std::int64_t{1} << 40U, 1 << 30}})
      .Node("Relu", {"x"}, "y")
      .Output("y");
  EXPECT_THAT(ImportGraph(builder).status(),
              Fails(kUnimplemented, "more elements than"));
}

TEST(GraphAssemblerTest, RanksDoNotGrowWithoutBound) {
  ModelBuilder builder = WithInput();
  builder.Int64s("i", Shape(32, 1), {0})
      .Node("Gather", {"x", "i"}, "y", {IntAttributeProto("axis", 1)})
      .Output("y");
  EXPECT_THAT(ImportGraph(builder).status(),
              Fails(kUnimplemented, "33 dimensions, the most is 32"));
}

TEST(GraphAssemblerTest, IdentityAndDropoutLeaveNoNode) {
  ModelBuilder builder = WithInput();
  builder.Node("Identity", {"x"}, "a")
      .Node("Dropout", {"a"}, "b", {FloatAttributeProto("ratio", 0.5F)})
      .Node("Relu", {"b"}, "y")
      .Output("y");
  const Graph graph = ImportGood(builder);
  ASSERT_EQ(graph.nodes.size(), 1U);
  EXPECT_EQ(graph.nodes[0].inputs, graph.inputs);
}

TEST(GraphAssemblerTest, OutputKeepsItsNameBehindIdentity) {
  ModelBuilder builder = WithInput();
  builder.Node("Relu", {"x"}, "h")
      .Node("Identity", {"h"}, "y")
      .Node("Identity", {"x"}, "z")
      .Output("y", {.sizes = {-1, 4}})
      .Output("z")
      .Output("h");
  const Graph graph = ImportGood(builder);
  EXPECT_THAT(Names(graph, graph.outputs), ElementsAre("y", "z", "h"));
}

TEST(GraphAssemblerTest, OutputMayBeAnInput) {
  ModelBuilder builder = WithInput();
  builder.Output("x");
  const Graph graph = ImportGood(builder);
  EXPECT_EQ(graph.outputs, graph.inputs);
}

// A Dropout with an input that says whether to train.
ModelBuilder WithDropout(char mode) {
  ModelBuilder builder = WithInput();
  onnx::TensorProto training;
  training.set_name("training");
  training.set_data_type(onnx::TensorProto::BOOL);
  training.set_raw_data(std::string(1, mode));
  builder.Initializer(training)
      .Floats("ratio", {}, {0.5F})
      .Node("Dropout", {"x", "ratio", "training"}, "y")
      .Output("y");
  return builder;
}

TEST(GraphAssemblerTest, DropoutIsRefusedWhenItTrains) {
  ModelBuilder inference = WithDropout('\0');
  EXPECT_TRUE(ImportGraph(inference).ok());
  ModelBuilder training = WithDropout('\1');
  EXPECT_THAT(ImportGraph(training).status(),
              Fails(kUnimplemented, "training mode"));
  ModelBuilder old = WithInput(/*opset=*/6);
  old.Node("Dropout", {"x"}, "y").Output("y");
  EXPECT_THAT(ImportGraph(old).status(),
              Fails(kUnimplemented, "training mode"));
}

TEST(GraphAssemblerTest, MaskOfDropoutIsAllTrue) {
  ModelBuilder builder = WithInput();
  builder.Node("Dropout", {"x"}, "y")
      .Output("y")
      .last_node()
      .add_output("mask");
  builder.Output("mask");
  const Graph graph = ImportGood(builder);
  const Value& mask = graph.values[graph.outputs[1]];
  EXPECT_EQ(mask.type, DataType::kBool);
  EXPECT_EQ(mask.shape, (Shape{-1, 4}));
}

TEST(GraphAssemblerTest, OutputMustExist) {
  ModelBuilder missing = WithInput();
  missing.Output("y");
  EXPECT_THAT(ImportGraph(missing).status(),
              Fails(kInvalid, "output \"y\": no node"));
}

TEST(GraphAssemblerTest, OutputMayBeConstant) {
  ModelBuilder builder = WithInput();
  builder.Floats("w", {1}, {1}).Output("w");
  EXPECT_TRUE(ImportGood(builder).couples_rows);
}

TEST(GraphAssemblerTest, OutputMustAgreeWithItsDeclaration) {
  const OnnxValue kWrong[] = {
      {.sizes = {-1, 4}, .type = onnx::TensorProto::INT64},
      {.sizes = {-1, 5}},
      {.sizes = {-1}},
      {.sizes = {-1, 4, 1}}};
  for (const OnnxValue& value : kWrong) {
    ModelBuilder builder = WithInput();
    builder.Node("Relu", {"x"}, "y").Output("y", value);
    EXPECT_THAT(ImportGraph(builder).status(),
                Fails(kInvalid, "output \"y\" is declared as"));
  }
  ModelBuilder rows;
  rows.Input("x", {.sizes = {3, 4}})
      .Node("Relu", {"x"}, "y")
      .Output("y", {.sizes = {2, 4}});
  EXPECT_EQ(ImportGraph(rows).status().code(), kInvalid);
}

TEST(GraphAssemblerTest, OutputMayLeaveSizesOpen) {
  ModelBuilder builder = WithInput();
  builder.Node("Relu", {"x"}, "y").Output("y", {.sizes = {-1, -1}});
  const Graph graph = ImportGood(builder);
  EXPECT_EQ(graph.values[graph.outputs[0]].shape, (Shape{-1, 4}));
}

TEST(GraphAssemblerTest, OutputGivenTwiceIsRefused) {
  ModelBuilder builder = WithInput();
  builder.Node("Relu", {"x"}, "y").Output("y").Output("y");
  EXPECT_THAT(ImportGraph(builder).status(), Fails(kInvalid, "given twice"));
}

}  // namespace
}  // namespace relu
