#include "core/plan/self_check.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"
#include "tests/core/plan/plan_runner.h"
#include "tests/support/graph_builder.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

// y = tanh(x * w), with one weight.
Graph TanhGraph(float weight) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Constant(FloatTensor({1, 1}, {weight}));
  builder.Output(builder.Unary(Operator::kTanh, builder.MatMul(x, w)));
  return builder.Build();
}

// The greater of x * w0 and x * w1.
Graph ProductArgMaxGraph(const std::vector<float>& weights) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId w = builder.Constant(FloatTensor({1, 2}, weights));
  builder.Output(builder.Node(Operator::kArgMax, {builder.MatMul(x, w)},
                              {.row_shape = {}, .type = DataType::kInt64},
                              {{"axis", std::int64_t{1}},
                               {"keepdims", std::int64_t{0}},
                               {"select_last_index", std::int64_t{0}}}));
  return builder.Build();
}

// An embedding with so many entries, all different.
Graph TableGraph(std::int64_t entries) {
  GraphBuilder builder;
  std::vector<float> values;
  for (std::int64_t i = 0; i < entries; ++i) {
    values.push_back(static_cast<float>(i) + 0.5F);
  }
  const ValueId table = builder.Constant(FloatTensor({entries}, values));
  const ValueId i = builder.Input("i", {4}, DataType::kInt64);
  builder.Output(builder.Node(Operator::kGather, {table, i}, {.row_shape = {4}},
                              {{"axis", std::int64_t{0}}}));
  return builder.Build();
}

TEST(SelfCheckTest, PlanOfItsOwnGraphPasses) {
  const Graph graph = TanhGraph(0.75F);
  EXPECT_TRUE(SelfCheck(graph, CompileOrDie(graph)).ok());
}

TEST(SelfCheckTest, PlanWithAnotherWeightIsInternalAndNamed) {
  const absl::Status status =
      SelfCheck(TanhGraph(0.75F), CompileOrDie(TanhGraph(0.7501F)));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("output \"v3\""));
  EXPECT_THAT(std::string(status.message()), HasSubstr("the plan computes"));
}

TEST(SelfCheckTest, OtherLabelIsInternal) {
  EXPECT_EQ(SelfCheck(ProductArgMaxGraph({1, 2}),
                      CompileOrDie(ProductArgMaxGraph({2, 1})))
                .code(),
            absl::StatusCode::kInternal);
}

// x * (a + b - (a + b)) for one x: what is left is the rounding of a + b, and
// in the plan the rounding of the chain too.
ValueId Cancelled(GraphBuilder& builder, int variant) {
  const float a = 0.1F * static_cast<float>(variant + 1);
  const float b = 0.07F * static_cast<float>(variant + 2);
  const ValueId x = builder.Input("x", {1});
  const ValueId zeros = builder.Constant(Int64Tensor({3}, {0, 0, 0}));
  const ValueId w =
      builder.Constant(FloatTensor({3, 2}, {a, 0, b, 0, -(a + b), 0}));
  const ValueId copies =
      builder.Node(Operator::kGather, {x, zeros}, {.row_shape = {3}},
                   {{"axis", std::int64_t{1}}});
  return builder.MatMul(copies, w);
}

TEST(SelfCheckTest, LabelThatIsANearTiePasses) {
  for (int variant = 0; variant < 40; ++variant) {
    GraphBuilder builder;
    const ValueId logits = Cancelled(builder, variant);
    builder.Output(builder.Node(Operator::kArgMax, {logits},
                                {.row_shape = {}, .type = DataType::kInt64},
                                {{"axis", std::int64_t{1}},
                                 {"keepdims", std::int64_t{0}},
                                 {"select_last_index", std::int64_t{0}}}));
    const Graph graph = builder.Build();
    const absl::Status status = SelfCheck(graph, CompileOrDie(graph));
    EXPECT_TRUE(status.ok()) << "variant " << variant << ": " << status;
  }
}

TEST(SelfCheckTest, NetworkThatAmplifiesEveryErrorPasses) {
  for (int variant = 0; variant < 40; ++variant) {
    GraphBuilder builder;
    const ValueId large = builder.Constant(FloatTensor({}, {1e8F}));
    const ValueId small = Cancelled(builder, variant);
    builder.Output(builder.Unary(Operator::kTanh,
                                 builder.Binary(Operator::kMul, small, large)));
    const Graph graph = builder.Build();
    const absl::Status status = SelfCheck(graph, CompileOrDie(graph));
    EXPECT_TRUE(status.ok()) << "variant " << variant << ": " << status;
  }
}

TEST(SelfCheckTest, EmbeddingIsCheckedWithIndicesItHas) {
  for (const std::int64_t entries : {1, 2, 3}) {
    const Graph graph = TableGraph(entries);
    EXPECT_TRUE(SelfCheck(graph, CompileOrDie(graph)).ok()) << entries;
  }
}

TEST(SelfCheckTest, PlanWithoutAnswerWhereGraphHasOneIsInternal) {
  const absl::Status status =
      SelfCheck(TableGraph(3), CompileOrDie(TableGraph(2)));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no answer"));
}

TEST(SelfCheckTest, GraphWithoutAnswersIsNotChecked) {
  GraphBuilder builder;
  const ValueId i = builder.Input("i", {1}, DataType::kInt64);
  const ValueId zero = builder.Constant(Int64Tensor({1}, {0}));
  builder.Output(builder.Binary(Operator::kDiv, i, zero));
  const Graph graph = builder.Build();
  EXPECT_TRUE(SelfCheck(graph, CompileOrDie(graph)).ok());
}

TEST(SelfCheckTest, TrainedModelsPass) {
  for (const auto& folder : ReferenceFolders("tests/testdata/models")) {
    const absl::StatusOr<Graph> graph = ImportOnnx(folder / "model.onnx");
    ASSERT_TRUE(graph.ok()) << graph.status();
    const absl::Status status = SelfCheck(*graph, CompileOrDie(*graph));
    EXPECT_TRUE(status.ok()) << folder << ": " << status;
  }
}

}  // namespace
}  // namespace relu
