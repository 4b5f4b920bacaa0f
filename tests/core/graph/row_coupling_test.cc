#include "core/graph/row_coupling.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "core/graph/onnx_import.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

using I = std::int64_t;

// x[batch, 4] and z[batch, 2, 4].
ModelBuilder WithInputs() {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 4}}).Input("z", {.sizes = {-1, 2, 4}});
  return builder;
}

// Whether the graph couples rows whose only node is this one.
bool Couples(ModelBuilder builder, std::string_view op,
             const std::vector<std::string>& inputs,
             const std::vector<onnx::AttributeProto>& attributes = {}) {
  builder.Node(op, inputs, "y", attributes).Output("y");
  const auto graph = ImportOnnx(builder.model(), "");
  EXPECT_TRUE(graph.ok()) << graph.status();
  return graph.ok() && graph->couples_rows;
}

TEST(RowCouplingTest, AxesDecideWhereThereIsOne) {
  for (const char* op : {"Softmax", "LogSoftmax", "ArgMax", "ArgMin"}) {
    EXPECT_TRUE(
        Couples(WithInputs(), op, {"x"}, {IntAttributeProto("axis", 0)}))
        << op;
    EXPECT_FALSE(
        Couples(WithInputs(), op, {"x"}, {IntAttributeProto("axis", 1)}))
        << op;
  }
  for (const I axis : {0, 1}) {
    EXPECT_EQ(Couples(WithInputs(), "ReduceMean", {"x"},
                      {IntsAttributeProto("axes", {axis})}),
              axis == 0);
  }
}

TEST(RowCouplingTest, ElementsOfOneRowMeetWhereBroadcastingAlignsTheBatch) {
  EXPECT_FALSE(Couples(WithInputs(), "Add", {"x", "x"}));
  ModelBuilder by_rank;
  by_rank.Input("a", {.sizes = {-1}}).Input("b", {.sizes = {-1, 1}});
  EXPECT_TRUE(Couples(by_rank, "Add", {"a", "b"}));
}

TEST(RowCouplingTest, ProductsKeepRowsApartWhereOneSideIsConstant) {
  ModelBuilder builder = WithInputs();
  builder.Floats("w", {4, 3}, std::vector<float>(12, 1));
  EXPECT_FALSE(Couples(builder, "MatMul", {"x", "w"}));
  EXPECT_FALSE(Couples(builder, "MatMul", {"z", "w"}));
  EXPECT_FALSE(Couples(builder, "Gemm", {"x", "w"}));
  ModelBuilder left = WithInputs();
  left.Floats("w", {3, 2}, std::vector<float>(6, 1));
  EXPECT_FALSE(Couples(left, "MatMul", {"w", "z"}));
  ModelBuilder stack = WithInputs();
  stack.Floats("w", {2, 4, 3}, std::vector<float>(24, 1));
  EXPECT_TRUE(Couples(stack, "MatMul", {"x", "w"}));
  ModelBuilder both = WithInputs();
  EXPECT_TRUE(
      Couples(both, "Gemm", {"x", "x"}, {IntAttributeProto("transB", 1)}));
}

TEST(RowCouplingTest, BatchMustStayFirst) {
  EXPECT_TRUE(Couples(WithInputs(), "Transpose", {"x"}));
  EXPECT_FALSE(Couples(WithInputs(), "Transpose", {"z"},
                       {IntsAttributeProto("perm", {0, 2, 1})}));
  EXPECT_TRUE(Couples(WithInputs(), "Shape", {"x"}));
}

TEST(RowCouplingTest, GatherTakesRowsOrByThem) {
  ModelBuilder builder = WithInputs();
  builder.Int64s("i", {1}, {0}).Floats("t", {2, 2}, {1, 2, 3, 4});
  builder.Input("n", {.sizes = {-1, 1}, .type = onnx::TensorProto::INT64});
  const auto axis = [](I value) {
    return std::vector<onnx::AttributeProto>{IntAttributeProto("axis", value)};
  };
  EXPECT_TRUE(Couples(builder, "Gather", {"x", "i"}, axis(0)));
  EXPECT_FALSE(Couples(builder, "Gather", {"x", "i"}, axis(1)));
  EXPECT_FALSE(Couples(builder, "Gather", {"t", "n"}, axis(0)));
  EXPECT_TRUE(Couples(builder, "Gather", {"t", "n"}, axis(1)));
  EXPECT_TRUE(Couples(builder, "Gather", {"x", "n"}, axis(1)));
}

TEST(RowCouplingTest, DynamicQuantizationLooksAtAllRows) {
  EXPECT_TRUE(Couples(WithInputs(), "DynamicQuantizeLinear", {"x"}));
}

TEST(RowCouplingTest, GraphWithoutBatchCouplesRows) {
  ModelBuilder builder;
  builder.Input("a", {.sizes = {}});
  EXPECT_TRUE(Couples(builder, "Relu", {"a"}));
}

}  // namespace
}  // namespace relu
