// What the tests of this folder share: networks by hand and at random.

#ifndef TESTS_CORE_RELU_RELU_TESTING_H_
#define TESTS_CORE_RELU_RELU_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/relu/explainer.h"
#include "core/relu/piecewise_lowering.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/support/graph_builder.h"

namespace relu {

// What a test cannot go on without.
inline PiecewiseNetwork LowerOrDie(const Graph& graph) {
  absl::StatusOr<PiecewiseNetwork> network = LowerToPiecewise(graph, "");
  if (!network.ok()) {
    ADD_FAILURE() << network.status();
  }
  CHECK(network.ok());
  return *std::move(network);
}

inline Explainer ExplainerOrDie(const Graph& graph) {
  absl::StatusOr<Explainer> explainer = Explainer::Create(graph, "");
  if (!explainer.ok()) {
    ADD_FAILURE() << explainer.status();
  }
  CHECK(explainer.ok());
  return *std::move(explainer);
}

inline Tensor DoubleTensor(Shape shape, const std::vector<double>& elements) {
  Tensor tensor(DataType::kFp64, std::move(shape));
  CHECK(tensor.As<double>().size() == elements.size());
  std::ranges::copy(elements, tensor.As<double>().begin());
  return tensor;
}

// A network of FP64 values, so that the interpreter computes it in double, with
// constants that float32 holds: a random choice of every piecewise linear
// operator of two widths.
class RandomPiecewiseNetwork {
 public:
  static constexpr std::int64_t kInputs = 5;
  static constexpr std::int64_t kWidth = 8;

  explicit RandomPiecewiseNetwork(std::uint32_t seed) : random_(seed) {}

  Graph Draw() {
    const ValueId input = builder_.Input("x", {kInputs}, DataType::kFp64);
    values_ = {Layer(input, kInputs)};
    const auto nodes = static_cast<std::uint32_t>(4 + random_() % 8);
    for (std::uint32_t i = 0; i < nodes; ++i) {
      values_.push_back(DrawNode(static_cast<std::uint32_t>(random_() % 13)));
    }
    builder_.Output(Layer(values_.back(), kWidth));
    return builder_.Build();
  }

  // Multiples of 1/64 in [-2, 2).
  std::vector<double> Row() {
    std::vector<double> row(kInputs);
    for (double& element : row) {
      element = Number(2);
    }
    return row;
  }

 private:
  double Number(double most) {
    return (static_cast<double>(random_() % 256) / 128 - 1) * most;
  }

  ValueId Constant(const Shape& shape, double most, double shift = 0) {
    Tensor tensor(DataType::kFp64, shape);
    for (double& element : tensor.As<double>()) {
      element = Number(most) + shift;
    }
    return builder_.Constant(std::move(tensor));
  }

  ValueId Layer(ValueId input, std::int64_t inputs) {
    return builder_.Gemm(input, Constant({inputs, kWidth}, 0.75),
                         Constant({kWidth}, 0.5));
  }

  ValueId Any() { return values_[random_() % values_.size()]; }

  ValueId DrawNode(std::uint32_t kind) {
    const ValueId last = values_.back();
    const GraphBuilder::Result like{.row_shape = {kWidth},
                                    .type = DataType::kFp64};
    switch (kind) {
      case 0:
        return builder_.Node(Operator::kLeakyRelu, {last}, like,
                             {{"alpha", 0.125F}});
      case 1:
        return builder_.Node(Operator::kPRelu, {last, Constant({kWidth}, 1)},
                             like);
      case 2:
        return builder_.Node(Operator::kClip, {last}, like,
                             {{"min", -0.5F}, {"max", 0.75F}});
      case 3:
        return builder_.Unary(Operator::kAbs, last);
      case 4:
        return builder_.Binary(Operator::kAdd, last, Any());
      case 5:
        return builder_.Binary(Operator::kSub, Any(), last);
      case 6:
        return builder_.Node(Operator::kMean, {last, Any(), Any()}, like);
      case 7:
        return builder_.Node(Operator::kSub, {Constant({kWidth}, 1), last},
                             like);
      case 8:
        return builder_.Binary(Operator::kDiv, last, Constant({kWidth}, 1, 2));
      case 9:
        return builder_.Node(Operator::kHardSigmoid, {last}, like,
                             {{"alpha", 0.25F}, {"beta", 0.5F}});
      case 10:
        return builder_.Binary(Operator::kMax, last, Constant({kWidth}, 1));
      default:
        return builder_.Unary(Operator::kRelu, Layer(last, kWidth));
    }
  }

  std::mt19937 random_;
  GraphBuilder builder_;
  std::vector<ValueId> values_;
};

// x [2] -> relu(x W1 + b1) W2 + b2: small enough to follow by hand.
//   h = relu(2 x0 - x1 + 1, -x0 + x1),  f = 3 h0 - h1 + 0.5
inline Graph TwoNeurons() {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId h = builder.Unary(
      Operator::kRelu,
      builder.Gemm(x, builder.Constant(FloatTensor({2, 2}, {2, -1, -1, 1})),
                   builder.Constant(FloatTensor({2}, {1, 0}))));
  builder.Output(builder.Gemm(h, builder.Constant(FloatTensor({2, 1}, {3, -1})),
                              builder.Constant(FloatTensor({1}, {0.5F}))));
  return builder.Build();
}

}  // namespace relu

#endif  // TESTS_CORE_RELU_RELU_TESTING_H_
