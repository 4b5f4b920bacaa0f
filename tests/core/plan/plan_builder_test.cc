#include "core/plan/plan_builder.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/plan/step.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

class NoStep : public Step {
 public:
  explicit NoStep(std::size_t constant_bytes)
      : constant_bytes_(constant_bytes) {}
  void Run(RowRange /*rows*/, Workspace& /*workspace*/) const override {}
  std::string Describe() const override { return "nothing"; }
  std::size_t constant_bytes() const override { return constant_bytes_; }

 private:
  std::size_t constant_bytes_;
};

std::unique_ptr<const Step> MakeStep(std::size_t constant_bytes = 0) {
  return std::make_unique<NoStep>(constant_bytes);
}

TEST(PlanBuilderTest, DefineMakesBufferOfRowInWholeCacheLines) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {17});
  const Graph graph = builder.Build();
  PlanBuilder plan(graph);
  const std::size_t buffer = plan.Define(x);
  EXPECT_EQ(plan.BufferOf(x), buffer);
  EXPECT_EQ(plan.layout(buffer).row_bytes, 68U);
  EXPECT_EQ(plan.layout(buffer).row_stride_bytes, 128U);
  EXPECT_EQ(plan.FloatStride(buffer), 32U);
}

TEST(PlanBuilderTest, RowsAreNotMultiplesOf2048BytesApart) {
  const Graph graph;
  PlanBuilder plan(graph);
  EXPECT_EQ(plan.layout(plan.AddBuffer(1984)).row_stride_bytes, 1984U);
  EXPECT_EQ(plan.layout(plan.AddBuffer(2000)).row_stride_bytes, 2112U);
  EXPECT_EQ(plan.layout(plan.AddBuffer(4096)).row_stride_bytes, 4160U);
  EXPECT_FALSE(plan.HasDenseRows(plan.AddBuffer(4096)));
}

TEST(PlanBuilderTest, PlaceGivesTwoValuesOneBuffer) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {4});
  const ValueId y = builder.Input("y", {2, 2});
  const Graph graph = builder.Build();
  PlanBuilder plan(graph);
  plan.Place(y, plan.Define(x));
  EXPECT_EQ(plan.BufferOf(y), plan.BufferOf(x));
}

TEST(PlanBuilderTest, FinishReusesMemoryAfterLastStepOfBuffer) {
  const Graph graph;
  PlanBuilder plan(graph);
  const std::size_t a = plan.AddBuffer(64);
  const std::size_t b = plan.AddBuffer(64);
  const std::size_t c = plan.AddBuffer(64);
  plan.AddStep(MakeStep(), {a, b});
  plan.AddStep(MakeStep(), {b, c});
  const PlanBuilder::Plan done = plan.Finish();
  EXPECT_EQ(done.workspace_row_bytes, 128U);
  EXPECT_EQ(done.buffers[c].offset_bytes, done.buffers[a].offset_bytes);
  EXPECT_EQ(done.steps.size(), 2U);
}

TEST(PlanBuilderTest, FinishKeepsInputsAndOutputsApart) {
  const Graph graph;
  PlanBuilder plan(graph);
  const std::size_t input = plan.AddBuffer(64);
  plan.KeepAlways(input);
  const std::size_t output = plan.AddBuffer(64);
  const std::size_t late = plan.AddBuffer(64);
  plan.AddStep(MakeStep(), {input, output});
  plan.KeepToEnd(output);
  plan.AddStep(MakeStep(), {late});
  EXPECT_EQ(plan.Finish().workspace_row_bytes, 192U);
}

TEST(PlanBuilderTest, ConstantBytesIsSumOverSteps) {
  const Graph graph;
  PlanBuilder plan(graph);
  plan.AddStep(MakeStep(10), {});
  plan.AddStep(MakeStep(5), {});
  EXPECT_EQ(plan.constant_bytes(), 15U);
}

// x -> Neg -> h -> Exp -> y, and h -> Abs -> z; the outputs are y and z.
struct Fork {
  Fork() {
    x = builder.Input("x", {16});
    h = builder.Unary(Operator::kNeg, x);
    y = builder.Unary(Operator::kExp, h);
    z = builder.Unary(Operator::kAbs, h);
    builder.Output(y);
    builder.Output(z);
    graph = builder.Build();
  }
  GraphBuilder builder;
  ValueId x = 0;
  ValueId h = 0;
  ValueId y = 0;
  ValueId z = 0;
  Graph graph;
};

TEST(PlanBuilderTest, DefineInPlaceWaitsForTheLastUse) {
  Fork fork;
  PlanBuilder plan(fork.graph);
  const std::size_t h = plan.Define(fork.h);
  EXPECT_NE(plan.DefineInPlace(fork.y, fork.graph.nodes[1], 0), h);
  plan.Release(fork.h);
  EXPECT_EQ(plan.DefineInPlace(fork.z, fork.graph.nodes[2], 0), h);
}

TEST(PlanBuilderTest, DefineInPlaceKeepsInputsAndWhatIsProtected) {
  Fork fork;
  PlanBuilder plan(fork.graph);
  const std::size_t x = plan.Define(fork.x);
  plan.KeepAlways(x);
  const std::size_t h = plan.DefineInPlace(fork.h, fork.graph.nodes[0], 0);
  EXPECT_NE(h, x);
  plan.Release(fork.h);
  plan.ProtectContent(h);
  EXPECT_NE(plan.DefineInPlace(fork.z, fork.graph.nodes[2], 0), h);
}

TEST(PlanBuilderTest, ColumnsLieInsideOfTheirBuffer) {
  Fork fork;
  PlanBuilder plan(fork.graph);
  const std::size_t whole = plan.AddBuffer(200);
  const std::size_t inner = plan.AddColumns(whole, 8, 100);
  plan.Reserve(fork.h, inner, 12);
  const std::size_t h = plan.Define(fork.h);
  EXPECT_TRUE(plan.IsColumns(h, whole, 20));
  EXPECT_TRUE(plan.IsColumns(h, inner, 12));
  EXPECT_FALSE(plan.HasDenseRows(h));
  const std::size_t before = plan.AddBuffer(64);
  plan.AddStep(MakeStep(), {before, h});
  const PlanBuilder::Plan done = plan.Finish();
  EXPECT_EQ(done.workspace_row_bytes, 320U);
  EXPECT_EQ(done.buffers[h].offset_bytes, done.buffers[whole].offset_bytes);
  EXPECT_EQ(done.buffers[h].column_bytes, 20U);
  EXPECT_EQ(done.buffers[h].row_stride_bytes, 256U);
  EXPECT_EQ(done.buffers[h].row_bytes, 64U);
}

}  // namespace
}  // namespace relu
