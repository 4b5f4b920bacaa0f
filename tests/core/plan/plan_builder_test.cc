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

}  // namespace
}  // namespace relu
