#include "core/relu/value_bounds.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/relu/dense_op.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_lowering.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/float16.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/core/relu/relu_testing.h"
#include "tests/support/graph_builder.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

// A row of the box: half of the elements at its faces.
std::vector<double> Draw(const InputBox& box, std::mt19937& random) {
  std::vector<double> row(box.low.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    const double part = random() % 2 == 0
                            ? static_cast<double>(random() % 2)
                            : static_cast<double>(random() % 1024) / 1024;
    row[i] = double{
        static_cast<float>(box.low[i] + part * (box.high[i] - box.low[i]))};
  }
  for (const OneHotGroup& group : box.one_hot) {
    for (std::size_t i = 0; i < group.size; ++i) {
      row[group.first + i] = 0.0;
    }
    row[group.first + random() % group.size] = 1.0;
  }
  return row;
}

// Runs rows of the box in float32; every value is inside of both bounds.
void ExpectSound(const PiecewiseNetwork& network, const InputBox& box,
                 std::mt19937& random, int rows) {
  ASSERT_TRUE(CheckBox(network, box).ok());
  const ValueBounds interval = IntervalBounds(network, box);
  const ValueBounds linear = LinearBounds(network, box);
  for (std::size_t at = 0; at < network.row_floats; ++at) {
    EXPECT_LE(interval.low[at], linear.low[at]);
    EXPECT_GE(interval.high[at], linear.high[at]);
  }
  std::vector<float> row(network.row_floats);
  for (int i = 0; i < rows; ++i) {
    ASSERT_TRUE(FillLeaves(network, Draw(box, random), row.data()).ok());
    RunForward(network, 1, row.data());
    for (std::size_t at = 0; at < row.size(); ++at) {
      ASSERT_LE(linear.Lowest(at), double{row[at]}) << at;
      ASSERT_GE(linear.Highest(at), double{row[at]}) << at;
      ASSERT_LE(std::abs(double{row[at]}), linear.largest_value);
    }
  }
}

TEST(ValueBoundsTest, HoldForRowsOfRandomNetworks) {
  std::mt19937 random(9);
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    RandomPiecewiseNetwork drawn(seed);
    const PiecewiseNetwork network = LowerOrDie(drawn.Draw());
    InputBox box{.low = drawn.Row(), .high = {}};
    for (const double low : box.low) {
      box.high.push_back(low + static_cast<double>(random() % 64) / 32);
    }
    ExpectSound(network, box, random, 200);
  }
}

// Projected gradient descent and ascent: points that go for what is proven to
// be impossible.
TEST(ValueBoundsTest, HoldForPointsThatClimb) {
  constexpr int kSteps = 40;
  std::mt19937 random(12);
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    RandomPiecewiseNetwork drawn(seed);
    const PiecewiseNetwork network = LowerOrDie(drawn.Draw());
    InputBox box{.low = drawn.Row(), .high = {}};
    for (const double low : box.low) {
      box.high.push_back(low + static_cast<double>(1 + random() % 64) / 32);
    }
    const ValueBounds bounds = LinearBounds(network, box);
    const std::size_t output = network.output.offset + random() % 8;
    const double direction = seed % 2 == 0 ? 1.0 : -1.0;
    std::vector<double> point = Draw(box, random);
    std::vector<float> row(network.row_floats);
    PassMemory memory(network, 1);
    for (int step = 0; step < kSteps; ++step) {
      ASSERT_TRUE(FillLeaves(network, point, row.data()).ok());
      RunForward(network, 1, row.data(), memory);
      ASSERT_LE(bounds.Lowest(output), double{row[output]}) << seed;
      ASSERT_GE(bounds.Highest(output), double{row[output]}) << seed;
      std::vector<float> adjoints(network.row_floats);
      adjoints[output] = 1.0F;
      RunBackward(network, {}, row.data(), adjoints.data(), memory);
      for (std::size_t i = 0; i < point.size(); ++i) {
        const auto slope =
            double{adjoints[network.leaves[0].slot.offset + i]} * direction;
        const double width = (box.high[i] - box.low[i]) / 8;
        point[i] += slope > 0 ? width : slope < 0 ? -width : 0.0;
        point[i] = double{
            static_cast<float>(std::clamp(point[i], box.low[i], box.high[i]))};
      }
    }
  }
}

// w0 x0 + w1 x1 + b.
struct Line {
  double w0 = 0.0;
  double w1 = 0.0;
  double b = 0.0;
};

// Where a network of two inputs and one hidden layer is largest and smallest
// over a box: it is linear between its kinks, so at a crossing of two kinks or
// faces.
Interval ExactRange(const std::vector<Line>& kinks,
                    const std::vector<double>& outer, const InputBox& box) {
  std::vector<Line> lines = kinks;
  for (const std::vector<double>* const face : {&box.low, &box.high}) {
    lines.push_back({.w0 = 1.0, .w1 = 0.0, .b = -(*face)[0]});
    lines.push_back({.w0 = 0.0, .w1 = 1.0, .b = -(*face)[1]});
  }
  Interval range{.low = std::numeric_limits<double>::infinity(),
                 .high = -std::numeric_limits<double>::infinity()};
  for (const Line& p : lines) {
    for (const Line& q : lines) {
      const double determinant = p.w0 * q.w1 - p.w1 * q.w0;
      const double x0 = (p.w1 * q.b - q.w1 * p.b) / determinant;
      const double x1 = (q.w0 * p.b - p.w0 * q.b) / determinant;
      if (!(x0 >= box.low[0] && x0 <= box.high[0] && x1 >= box.low[1] &&
            x1 <= box.high[1])) {
        continue;
      }
      double sum = 0.0;
      for (std::size_t i = 0; i < kinks.size(); ++i) {
        sum += outer[i] *
               std::max(0.0, kinks[i].w0 * x0 + kinks[i].w1 * x1 + kinks[i].b);
      }
      range.low = std::min(range.low, sum);
      range.high = std::max(range.high, sum);
    }
  }
  return range;
}

TEST(ValueBoundsTest, EncloseTheExactRange) {
  constexpr std::size_t kHidden = 8;
  std::mt19937 random(13);
  const auto draw = [&random] {
    return static_cast<float>(random() % 256) / 128.0F - 1.0F;
  };
  for (int i = 0; i < 50; ++i) {
    std::vector<float> inner(2 * kHidden);
    std::vector<float> bias(kHidden);
    std::vector<float> outer(kHidden);
    std::ranges::generate(inner, draw);
    std::ranges::generate(bias, draw);
    std::ranges::generate(outer, draw);
    GraphBuilder builder;
    const ValueId sums = builder.Gemm(
        builder.Input("x", {2}), builder.Constant(FloatTensor({2, 8}, inner)),
        builder.Constant(FloatTensor({8}, bias)));
    builder.Output(
        builder.MatMul(builder.Unary(Operator::kRelu, sums),
                       builder.Constant(FloatTensor({8, 1}, outer))));
    const PiecewiseNetwork network = LowerOrDie(builder.Build());
    const InputBox box = {.low = {-1.0, -0.5}, .high = {0.75, 1.0}};
    std::vector<Line> kinks;
    for (std::size_t j = 0; j < kHidden; ++j) {
      kinks.push_back({.w0 = double{inner[j]},
                       .w1 = double{inner[kHidden + j]},
                       .b = double{bias[j]}});
    }
    const Interval exact = ExactRange(kinks, {outer.begin(), outer.end()}, box);
    const std::size_t at = network.output.offset;
    const ValueBounds linear = LinearBounds(network, box);
    const ValueBounds interval = IntervalBounds(network, box);
    EXPECT_LE(linear.low[at], exact.low);
    EXPECT_GE(linear.high[at], exact.high);
    EXPECT_LE(interval.low[at], linear.low[at]);
    EXPECT_GE(interval.high[at], linear.high[at]);
  }
}

// A box of one point leaves nothing but rounding: the bounds of errors are what
// is tested.
TEST(ValueBoundsTest, OfOnePointAreItsRounding) {
  std::mt19937 random(10);
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    RandomPiecewiseNetwork drawn(seed);
    const PiecewiseNetwork network = LowerOrDie(drawn.Draw());
    const std::vector<double> point = drawn.Row();
    ExpectSound(network, {.low = point, .high = point}, random, 1);
    const ValueBounds bounds =
        LinearBounds(network, {.low = point, .high = point});
    const std::size_t at = network.output.offset;
    EXPECT_LT(bounds.Highest(at) - bounds.Lowest(at),
              1e-2 * (1 + std::abs(bounds.high[at])));
  }
}

TEST(ValueBoundsTest, HoldForTheRowsOfRealModels) {
  std::mt19937 random(11);
  for (const std::string name : {"credit_embed", "digits_mlp"}) {
    const auto reference = LoadReference("tests/testdata/models/" + name);
    ASSERT_TRUE(reference.ok()) << reference.status();
    const auto graph = ImportOnnx(reference->onnx);
    ASSERT_TRUE(graph.ok()) << graph.status();
    const PiecewiseNetwork network = LowerOrDie(*graph);
    std::vector<Tensor> rows;
    for (const NetworkInput& input : network.inputs) {
      rows.push_back(SliceRows(reference->inputs.at(input.name), 0, 8));
    }
    const auto read = ReadInputRows(network, rows, "input");
    ASSERT_TRUE(read.ok()) << read.status();
    const InputBox box = BoxOf(network, *read);
    const ValueBounds linear = LinearBounds(network, box);
    EXPECT_TRUE(FitsFloat32(linear));
    std::vector<float> row(network.row_floats);
    for (std::size_t i = 0; i < 8; ++i) {
      ASSERT_TRUE(FillLeaves(network,
                             std::span(read->elements)
                                 .subspan(i * network.input_elements,
                                          network.input_elements),
                             row.data())
                      .ok());
      RunForward(network, 1, row.data());
      for (std::size_t at = 0; at < row.size(); ++at) {
        EXPECT_LE(linear.Lowest(at), double{row[at]});
        EXPECT_GE(linear.Highest(at), double{row[at]});
      }
    }
  }
}

TEST(ValueBoundsTest, LinearBoundsAreNarrower) {
  // x - x is 0; intervals do not see that.
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {1});
  const ValueId both =
      builder.MatMul(x, builder.Constant(FloatTensor({1, 2}, {1, 1})));
  builder.Output(
      builder.MatMul(both, builder.Constant(FloatTensor({2, 1}, {1, -1}))));
  const PiecewiseNetwork network = LowerOrDie(builder.Build());
  const InputBox box{.low = {-1}, .high = {1}};
  const std::size_t at = network.output.offset;
  EXPECT_NEAR(IntervalBounds(network, box).high[at], 2, 1e-6);
  EXPECT_NEAR(LinearBounds(network, box).high[at], 0, 1e-6);
}

// Two layers of one weight each, of a network that may or may not overflow.
PiecewiseNetwork Chain(float weight) {
  GraphBuilder builder;
  const ValueId factor = builder.Constant(FloatTensor({1, 1}, {weight}));
  const ValueId x = builder.Input("x", {1});
  builder.Output(builder.MatMul(
      builder.Unary(Operator::kRelu, builder.MatMul(x, factor)), factor));
  return LowerOrDie(builder.Build());
}

TEST(ValueBoundsTest, OverflowIsNotCertified) {
  const InputBox box{.low = {-1}, .high = {2}};
  const ValueBounds safe = LinearBounds(Chain(100), box);
  EXPECT_TRUE(FitsFloat32(safe));
  EXPECT_TRUE(
      FitsFloat16(LinearBounds(Chain(100), box, ValueStorage::kFloat16)));
  const ValueBounds wide = LinearBounds(Chain(200), box);
  EXPECT_TRUE(FitsFloat32(wide));
  EXPECT_FALSE(
      FitsFloat16(LinearBounds(Chain(200), box, ValueStorage::kFloat16)));
  const ValueBounds overflowing = LinearBounds(Chain(2e19F), box);
  EXPECT_FALSE(FitsFloat32(overflowing));
  // Just below and above the largest float, 3.4e38: 2 w^2.
  EXPECT_TRUE(FitsFloat32(LinearBounds(Chain(1.304e19F), {{-1}, {1.999}})));
  EXPECT_FALSE(FitsFloat32(LinearBounds(Chain(1.305e19F), {{-1}, {2}})));
}

// Floats 0 and 1, a group of 3, one of 2; then two layers.
PiecewiseNetwork WithGroups(std::mt19937& random) {
  const auto weights = [&](Shape shape) {
    std::vector<float> drawn(
        static_cast<std::size_t>(ElementCount(shape).value()));
    std::ranges::generate(drawn, [&] {
      return static_cast<float>(random() % 256) / 64.0F - 2.0F;
    });
    return FloatTensor(std::move(shape), drawn);
  };
  GraphBuilder builder;
  const ValueId hidden = builder.Unary(
      Operator::kRelu,
      builder.Gemm(builder.Input("x", {7}), builder.Constant(weights({7, 6})),
                   builder.Constant(weights({6}))));
  builder.Output(builder.MatMul(hidden, builder.Constant(weights({6, 2}))));
  return LowerOrDie(builder.Build());
}

TEST(ValueBoundsTest, OneHotGroupsAreNarrowerAndHold) {
  std::mt19937 random(15);
  for (int i = 0; i < 30; ++i) {
    const PiecewiseNetwork network = WithGroups(random);
    InputBox box{.low = {-1, 0.5, 0, 0, 0, 0, 0},
                 .high = {1, 0.75, 1, 1, 1, 1, 1}};
    const ValueBounds wide_interval = IntervalBounds(network, box);
    const ValueBounds wide_linear = LinearBounds(network, box);
    box.one_hot = {{.first = 2, .size = 3}, {.first = 5, .size = 2}};
    const ValueBounds interval = IntervalBounds(network, box);
    const ValueBounds linear = LinearBounds(network, box);
    for (const auto& [narrow, wide] : {std::pair(&interval, &wide_interval),
                                       std::pair(&linear, &wide_linear)}) {
      // Of one sum they are the same if the signs of a group differ.
      const Slot sums = std::get<DenseOp>(network.ops[0]).output;
      double narrower = 0.0;
      for (std::size_t at = sums.offset; at < sums.offset + sums.size; ++at) {
        EXPECT_LE(narrow->high[at], wide->high[at] + 1e-8);
        EXPECT_GE(narrow->low[at], wide->low[at] - 1e-8);
        EXPECT_LT(narrow->error[at], wide->error[at]);
        narrower += wide->high[at] - narrow->high[at];
        narrower += narrow->low[at] - wide->low[at];
      }
      EXPECT_GT(narrower, 1.0);
      EXPECT_LT(narrow->largest_sum, wide->largest_sum);
    }
    // 6 assignments, each of them many times, at the faces of the others.
    ExpectSound(network, box, random, 200);
  }
}

// One layer of a group and nothing else: its bounds are the weights.
TEST(ValueBoundsTest, OneHotGroupsAddOneWeightToFirstSums) {
  GraphBuilder builder;
  builder.Output(builder.MatMul(
      builder.Input("x", {3}),
      builder.Constant(FloatTensor({3, 2}, {1, -4, 2, -5, -3, -6}))));
  const PiecewiseNetwork network = LowerOrDie(builder.Build());
  const InputBox box{.low = {0, 0, 0},
                     .high = {1, 1, 1},
                     .one_hot = {{.first = 0, .size = 3}}};
  for (const ValueStorage storage :
       {ValueStorage::kFloat32, ValueStorage::kFloat16}) {
    const ValueBounds bounds = IntervalBounds(network, box, storage);
    const std::size_t at = network.output.offset;
    EXPECT_NEAR(bounds.low[at], -3, 1e-8);
    EXPECT_NEAR(bounds.high[at], 2, 1e-8);
    EXPECT_NEAR(bounds.low[at + 1], -6, 1e-8);
    EXPECT_NEAR(bounds.high[at + 1], -4, 1e-8);
    EXPECT_NEAR(bounds.largest_sum, 6, 1e-5);
  }
}

// Of each operation, so that values can be rounded in between.
std::vector<PiecewiseNetwork> OneByOne(PiecewiseNetwork network) {
  std::vector<PiecewiseNetwork> steps;
  for (Op& op : network.ops) {
    PiecewiseNetwork& step = steps.emplace_back();
    step.row_floats = network.row_floats;
    step.most_sparse = network.most_sparse;
    step.ops.push_back(std::move(op));
  }
  return steps;
}

void RoundToFloat16(std::vector<float>& row) {
  for (float& value : row) {
    value = Fp16ToFloat(FloatToFp16(value));
  }
}

TEST(ValueBoundsTest, HoldForValuesThatAreStoredAsFloat16) {
  std::mt19937 random(14);
  double beyond_float32 = 0.0;
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    RandomPiecewiseNetwork drawn(seed);
    PiecewiseNetwork network = LowerOrDie(drawn.Draw());
    InputBox box{.low = drawn.Row(), .high = {}};
    for (const double low : box.low) {
      box.high.push_back(low + static_cast<double>(random() % 64) / 256);
    }
    const ValueBounds float32 = LinearBounds(network, box);
    const ValueBounds bounds =
        LinearBounds(network, box, ValueStorage::kFloat16);
    std::vector<float> row(network.row_floats);
    std::vector<std::vector<float>> rows;
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(FillLeaves(network, Draw(box, random), row.data()).ok());
      rows.push_back(row);
    }
    const std::vector<PiecewiseNetwork> steps = OneByOne(std::move(network));
    for (std::vector<float>& values : rows) {
      RoundToFloat16(values);
      for (const PiecewiseNetwork& step : steps) {
        RunForward(step, 1, values.data());
        RoundToFloat16(values);
      }
      for (std::size_t at = 0; at < values.size(); ++at) {
        ASSERT_LE(bounds.Lowest(at), double{values[at]}) << seed << " " << at;
        ASSERT_GE(bounds.Highest(at), double{values[at]}) << seed << " " << at;
        beyond_float32 =
            std::max(beyond_float32, double{values[at]} - float32.Highest(at));
      }
    }
  }
  // So the rounding matters.
  EXPECT_GT(beyond_float32, 0.0);
}

TEST(ValueBoundsTest, PartsOfSumsCountForTheCertificate) {
  // 3e38 + 3e38 - 6e38 passes infinity on its way to 0.
  GraphBuilder builder;
  builder.Output(builder.MatMul(
      builder.Input("x", {3}),
      builder.Constant(FloatTensor({3, 1}, {3e38F, 3e38F, -3e38F}))));
  const PiecewiseNetwork network = LowerOrDie(builder.Build());
  const InputBox box{.low = {1, 1, 2}, .high = {1, 1, 2}};
  EXPECT_FALSE(FitsFloat32(LinearBounds(network, box)));
}

TEST(ValueBoundsTest, BoxOfRowsIsTheirRange) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  const InputBox box =
      BoxOf(network, {.rows = 3, .elements = {1, 5, -2, 4, 3, 6}});
  EXPECT_EQ(box.low, (std::vector<double>{-2, 4}));
  EXPECT_EQ(box.high, (std::vector<double>{3, 6}));
}

TEST(ValueBoundsTest, WhatIsNoBoxIsRefused) {
  const PiecewiseNetwork network = LowerOrDie(TwoNeurons());
  const auto message = [&](const InputBox& box) {
    const absl::Status status = CheckBox(network, box);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(message({.low = {0}, .high = {1}}), HasSubstr("2 elements"));
  EXPECT_THAT(message({.low = {0, 2}, .high = {1, 1}}),
              HasSubstr("element 1 of the inputs: from 2 to 1"));
  EXPECT_THAT(message({.low = {0, 0}, .high = {INFINITY, 1}}),
              HasSubstr("element 0"));
  EXPECT_THAT(message({.low = {NAN, 0}, .high = {1, 1}}),
              HasSubstr("element 0"));
}

}  // namespace
}  // namespace relu
