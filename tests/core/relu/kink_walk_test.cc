#include "core/relu/kink_walk.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/graph/interpreter.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/tensor.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"

namespace relu {
namespace {

// A row of the network whose one leaf is `x`.
std::vector<float> LeafRow(const PiecewiseNetwork& network,
                           const std::vector<double>& x) {
  std::vector<float> row(network.row_floats);
  for (std::size_t i = 0; i < x.size(); ++i) {
    row[network.leaves[0].slot.offset + i] = static_cast<float>(x[i]);
  }
  return row;
}

TEST(KinkWalkTest, FollowsTwoNeuronsByHand) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  // From (0,0) to (2,4): the first neuron is on all along (1 + 0 t), the second
  // too (2 t), from its kink at the start on.
  auto walk = WalkKinks(network, LeafRow(network, {0, 0}),
                        LeafRow(network, {2, 4}), 0, 100);
  ASSERT_TRUE(walk.ok()) << walk.status();
  EXPECT_EQ(walk->pieces, 1);
  EXPECT_EQ(walk->start_value, 3.5);
  EXPECT_EQ(walk->end_value, 1.5);
  EXPECT_EQ(walk->mean_slopes[0], 7);
  EXPECT_EQ(walk->mean_slopes[1], -4);
  // From (-1,0) to (1,0): the first is on from t = 1/4, the second up to 1/2.
  walk = WalkKinks(network, LeafRow(network, {-1, 0}), LeafRow(network, {1, 0}),
                   0, 100);
  ASSERT_TRUE(walk.ok()) << walk.status();
  EXPECT_EQ(walk->pieces, 3);
  EXPECT_DOUBLE_EQ(walk->mean_slopes[0], 0.75 * 6 + 0.5 * 1);
  EXPECT_DOUBLE_EQ(walk->mean_slopes[1], 0.75 * -3 + 0.5 * -1);
}

TEST(KinkWalkTest, EndsWhereTheInterpreterDoesAndIsComplete) {
  std::int64_t pieces = 0;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    RandomPiecewiseNetwork random(seed);
    const Graph graph = random.Draw();
    const PiecewiseNetwork network = LowerOrDie(graph);
    const std::vector<double> from = random.Row();
    const std::vector<double> to = random.Row();
    const auto walk = WalkKinks(network, LeafRow(network, from),
                                LeafRow(network, to), 3, 100000);
    ASSERT_TRUE(walk.ok()) << "seed " << seed << ": " << walk.status();
    const std::vector<Tensor> inputs = [&] {
      std::vector<Tensor> tensors;
      std::vector<double> both = from;
      both.insert(both.end(), to.begin(), to.end());
      tensors.push_back(
          DoubleTensor({2, RandomPiecewiseNetwork::kInputs}, both));
      return tensors;
    }();
    const auto outputs = Interpret(graph, inputs);
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    const auto answers = (*outputs)[0].As<double>();
    const double scale = 1 + std::abs(walk->start_value);
    // Weights of layers with arithmetic around them are rounded to float32.
    EXPECT_NEAR(walk->start_value, answers[3], 1e-5 * scale) << seed;
    EXPECT_NEAR(walk->end_value, answers[RandomPiecewiseNetwork::kWidth + 3],
                1e-5 * scale)
        << seed;
    double sum = walk->start_value;
    for (std::size_t i = 0; i < from.size(); ++i) {
      sum += walk->mean_slopes[network.leaves[0].slot.offset + i] *
             (to[i] - from[i]);
    }
    EXPECT_NEAR(sum, walk->end_value, 1e-12 * scale) << seed;
    pieces += walk->pieces;
  }
  EXPECT_GT(pieces, 60 * 5);  // They do cross kinks.
}

TEST(KinkWalkTest, RefusesMorePiecesThanAllowed) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  const auto walk = WalkKinks(network, LeafRow(network, {-1, 0}),
                              LeafRow(network, {1, 0}), 0, 2);
  EXPECT_EQ(walk.status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace relu
