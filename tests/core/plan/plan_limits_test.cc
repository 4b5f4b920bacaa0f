#include "core/plan/plan_limits.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

TEST(PlanLimitsTest, SmallNetworksTakeBlocksOfRowsThatFitIntoL1) {
  EXPECT_EQ(BlockRows(/*weight_bytes=*/20'000, /*row_bytes=*/512), 48);
  EXPECT_EQ(BlockRows(/*weight_bytes=*/20'000, /*row_bytes=*/500), 48);
  // A multiple of the rows that kernels take at a time, and not too few.
  EXPECT_EQ(BlockRows(/*weight_bytes=*/20'000, /*row_bytes=*/10'000), 24);
}

TEST(PlanLimitsTest, OtherNetworksTakeAllRowsAtOnce) {
  constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(BlockRows(/*weight_bytes=*/1 << 20, /*row_bytes=*/512), kAll);
  EXPECT_EQ(BlockRows(/*weight_bytes=*/0, /*row_bytes=*/0), kAll);
}

TEST(PlanLimitsTest, ConstantsMayGrowWithTheFile) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1000});
  const Graph without = builder.Build();
  const std::size_t base = MaxConstantBytes(without);
  GraphBuilder with;
  with.Output(with.Binary(
      Operator::kAdd, with.Input("x", {1000}),
      with.Constant(FloatTensor({1000}, std::vector<float>(1000)))));
  EXPECT_EQ(MaxConstantBytes(with.Build()), base + 32 * 4000);
  EXPECT_EQ(x, without.inputs[0]);
}

TEST(PlanLimitsTest, RowBeyondTheLimitIsUnimplemented) {
  GraphBuilder builder;
  const ValueId fits = builder.Input("fits", {1 << 22});
  const ValueId large = builder.Input("large", {(1 << 22) + 1});
  const Graph graph = builder.Build();
  EXPECT_TRUE(CheckRowSize(graph.values[fits]).ok());
  EXPECT_EQ(CheckRowSize(graph.values[large]).code(),
            absl::StatusCode::kUnimplemented);
}

TEST(PlanLimitsTest, RoomForTheInterpreterIsTakenOnce) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {100});
  const Graph graph = builder.Build();
  std::size_t room_bytes = 64 * 100 * sizeof(double);
  EXPECT_TRUE(TakeRoom(graph.values[x], room_bytes));
  EXPECT_EQ(room_bytes, 0U);
  EXPECT_FALSE(TakeRoom(graph.values[x], room_bytes));
}

}  // namespace
}  // namespace relu
