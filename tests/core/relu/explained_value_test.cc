#include "core/relu/explained_value.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

ExplainedValue FindOrDie(const Graph& graph) {
  const auto found = FindExplainedValue(graph, "");
  if (!found.ok()) {
    ADD_FAILURE() << found.status();
    return {};
  }
  return *found;
}

TEST(ExplainedValueTest, LeavesOutTheLinkAtTheEnd) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2, 3});
  const ValueId soft = builder.Softmax(x, /*axis=*/2);
  const ValueId flat =
      builder.Node(Operator::kFlatten, {soft}, {.row_shape = {6}});
  builder.Output(flat);
  const ExplainedValue found = FindOrDie(builder.Build());
  EXPECT_EQ(found.link, Link::kSoftmax);
  EXPECT_EQ(found.link_size, 3U);
  EXPECT_EQ(found.value, x);
  EXPECT_EQ(found.output, flat);
}

TEST(ExplainedValueTest, FlattenedSoftmaxGoesOverAll) {
  GraphBuilder builder;
  builder.Output(
      builder.Softmax(builder.Input("x", {2, 3}), /*axis=*/1, /*flatten=*/1));
  EXPECT_EQ(FindOrDie(builder.Build()).link_size, 6U);
}

TEST(ExplainedValueTest, SoftmaxOfElementsThatAreNoNeighboursStays) {
  GraphBuilder builder;
  const ValueId soft = builder.Softmax(builder.Input("x", {2, 3}), /*axis=*/1);
  builder.Output(soft);
  const ExplainedValue found = FindOrDie(builder.Build());
  EXPECT_EQ(found.link, Link::kNone);
  EXPECT_EQ(found.value, soft);
}

TEST(ExplainedValueTest, WithoutLinkItIsTheOutput) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId inner = builder.Unary(Operator::kSigmoid, x);
  const ValueId output = builder.Unary(Operator::kRelu, inner);
  builder.Output(output);
  const ExplainedValue found = FindOrDie(builder.Build());
  EXPECT_EQ(found.link, Link::kNone);
  EXPECT_EQ(found.value, output);
}

TEST(ExplainedValueTest, OutputsAreFoundByName) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId positive = builder.Unary(Operator::kRelu, x);
  const ValueId best = builder.Node(
      Operator::kArgMax, {x}, {.row_shape = {1}, .type = DataType::kInt64});
  builder.Output(best);
  builder.Output(positive);
  const Graph graph = builder.Build();
  EXPECT_EQ(FindOrDie(graph).output, positive);
  EXPECT_TRUE(FindExplainedValue(graph, graph.values[positive].name).ok());
  for (const std::string& name :
       {std::string("nothing"), graph.values[best].name}) {
    const absl::Status status = FindExplainedValue(graph, name).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_THAT(status.message(),
                HasSubstr("output \"" + name + "\": the model has"));
  }
}

}  // namespace
}  // namespace relu
