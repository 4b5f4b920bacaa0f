#include "client/cli/inspect_report.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/model_compaction.h"
#include "client/cli/network_report.h"
#include "core/graph/graph.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/tensor.h"
#include "tests/support/graph_builder.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

// x -> MatMul -> Add -> Relu, reshaped.
Graph SmallGraph() {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId w = builder.Constant(FloatTensor({2, 3}, {1, 2, 3, 4, 5, 6}));
  const ValueId b = builder.Constant(FloatTensor({3}, {1, 1, 1}));
  const ValueId sum = builder.Binary(Operator::kAdd, builder.MatMul(x, w), b);
  const ValueId y = builder.Unary(Operator::kRelu, sum);
  builder.Output(builder.Node(Operator::kReshape, {y}, {.row_shape = {3, 1}}));
  return builder.Build();
}

TEST(InspectReportTest, TextShowsTensorsNodesStepsAndSums) {
  const Graph graph = SmallGraph();
  const auto model = CompiledModel::Compile(graph);
  ASSERT_TRUE(model.ok()) << model.status();
  const absl::StatusOr<NetworkReport> network =
      absl::UnimplementedError("an Elu");
  const absl::StatusOr<ModelCompaction> compaction =
      absl::UnimplementedError("no file");
  EXPECT_EQ(InspectionText({.file = "m.onnx",
                            .graph = graph,
                            .model = *model,
                            .network = network,
                            .compaction = compaction}),
            R"(tensor  name  datatype  shape
input   x     FP32      [-1,2]
output  v6    FP32      [-1,3,1]

Graph: 4 nodes, constants folded
node    operator  inputs                                   outputs
node_0  MatMul    x FP32 [-1,2], v1 (constant) FP32 [2,3]  v3 FP32 [-1,3]
node_1  Add       v3 FP32 [-1,3], v2 (constant) FP32 [3]   v4 FP32 [-1,3]
node_2  Relu      v4 FP32 [-1,3]                           v5 FP32 [-1,3]
node_3  Reshape   v5 FP32 [-1,3]                           v6 FP32 [-1,3,1]

Plan: 1 steps
step                row shape  parameters  constant bytes  multiply-adds  nodes
dense 2 -> 3, relu  [3]        9           192             6              node_0 node_1 node_2

No step for: node_3

parameters                9
multiply-adds of a row    6
constant bytes            192
workspace bytes of a row  128

Network: no linear form: an Elu

Compaction: none: no file
)");
}

TEST(InspectReportTest, JsonHoldsTheSame) {
  const Graph graph = SmallGraph();
  const auto model = CompiledModel::Compile(graph);
  ASSERT_TRUE(model.ok()) << model.status();
  const auto network = NetworkReport::Of(graph);
  const absl::StatusOr<ModelCompaction> compaction =
      absl::UnimplementedError("no file");
  const Inspection inspection = {.file = "m<o>.onnx",
                                 .graph = graph,
                                 .model = *model,
                                 .network = network,
                                 .compaction = compaction};
  EXPECT_THAT(InspectionPage(inspection),
              testing::HasSubstr(R"("file":"m\u003co>.onnx")"));
  const auto json = nlohmann::json::parse(InspectionJson(inspection));
  EXPECT_EQ(json["file"], "m<o>.onnx");
  EXPECT_FALSE(json.contains("compaction"));
  EXPECT_EQ(json["inputs"][0]["name"], "x");
  EXPECT_EQ(json["outputs"][0]["shape"], (std::vector<int>{-1, 3, 1}));
  EXPECT_EQ(json["nodes"][0]["operator"], "MatMul");
  EXPECT_EQ(json["nodes"][0]["inputs"][1]["constant"], true);
  EXPECT_EQ(json["steps"].size(), 1U);
  EXPECT_EQ(json["steps"][0]["step"], "dense 2 -> 3, relu");
  EXPECT_EQ(json["steps"][0]["nodes"].size(), 3U);
  EXPECT_EQ(json["nodes_without_step"][0], "node_3");
  EXPECT_EQ(json["parameters"], 9);
  EXPECT_EQ(json["multiply_adds"], 6);
  EXPECT_EQ(json["constant_bytes"], 192);
  EXPECT_EQ(json["network"]["layers"][0]["outputs"], 3);
}

}  // namespace
}  // namespace relu
