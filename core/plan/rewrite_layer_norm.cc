#include "core/plan/rewrite_layer_norm.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "core/plan/graph_pattern.h"
#include "core/plan/index_table.h"
#include "core/plan/storage.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

// x and the first axis if `id` is ReduceMean(x) over all axes from that one on.
struct Mean {
  ValueId x = kNoValue;
  std::int64_t axis = 0;
};

std::optional<Mean> AsMean(const GraphPattern& pattern, ValueId id) {
  const Node* node = pattern.Producer(id, Operator::kReduceMean);
  if (node == nullptr || IntAttribute(*node, "keepdims") == 0) {
    return std::nullopt;
  }
  const std::vector<std::int64_t>& axes = IntsAttribute(*node, "axes");
  const auto rank =
      static_cast<std::int64_t>(pattern.value(node->inputs[0]).shape.size());
  if (axes.empty() || axes.front() < 1 ||
      axes.front() + static_cast<std::int64_t>(axes.size()) != rank) {
    return std::nullopt;
  }
  return Mean{.x = node->inputs[0], .axis = axes.front()};
}

// The same for x - ReduceMean(x).
std::optional<Mean> AsCentred(const GraphPattern& pattern, ValueId id) {
  const Node* difference = pattern.Producer(id, Operator::kSub);
  if (difference == nullptr) {
    return std::nullopt;
  }
  const auto mean = AsMean(pattern, difference->inputs[1]);
  const bool fits = mean.has_value() && mean->x == difference->inputs[0];
  return fits ? mean : std::nullopt;
}

struct Deviation {
  Mean of;
  double epsilon = 0.0;
};

// If `id` is Sqrt(ReduceMean(d^2) + epsilon), or Pow(.., 0.5).
std::optional<Deviation> AsDeviation(const GraphPattern& pattern, ValueId id) {
  ValueId variance = kNoValue;
  if (const Node* root = pattern.Producer(id, Operator::kSqrt)) {
    variance = root->inputs[0];
  } else if (const auto power = pattern.SplitNumber(id, Operator::kPow);
             power && power->number == 0.5) {
    variance = power->x;
  } else {
    return std::nullopt;
  }
  const auto sum = pattern.SplitNumber(variance, Operator::kAdd);
  if (!sum.has_value()) {
    return std::nullopt;
  }
  const auto mean_square = AsMean(pattern, sum->x);
  if (!mean_square.has_value()) {
    return std::nullopt;
  }
  const Product square = pattern.Factors(mean_square->x);
  if (square.factors.size() != 2 || square.constant != 1.0 ||
      square.factors[0] != square.factors[1]) {
    return std::nullopt;
  }
  const auto centred = AsCentred(pattern, square.factors[0]);
  if (!centred.has_value() || centred->axis != mean_square->axis) {
    return std::nullopt;
  }
  return Deviation{.of = *centred, .epsilon = sum->number};
}

// The centred value and the deviation that `node` divides it by.
struct Quotient {
  ValueId centred = kNoValue;
  ValueId deviation = kNoValue;
};

std::optional<Quotient> AsQuotient(const GraphPattern& pattern,
                                   const Node& node) {
  if (node.op == Operator::kDiv) {
    return Quotient{.centred = node.inputs[0], .deviation = node.inputs[1]};
  }
  if (node.op != Operator::kMul) {
    return std::nullopt;
  }
  for (const std::size_t i : {0U, 1U}) {
    const ValueId factor = node.inputs[i];
    if (const Node* one = pattern.Producer(factor, Operator::kReciprocal)) {
      return Quotient{.centred = node.inputs[1 - i],
                      .deviation = one->inputs[0]};
    }
    const Node* quotient = pattern.Producer(factor, Operator::kDiv);
    if (quotient != nullptr && pattern.IsNumber(quotient->inputs[0], 1.0)) {
      return Quotient{.centred = node.inputs[1 - i],
                      .deviation = quotient->inputs[1]};
    }
  }
  return std::nullopt;
}

// A constant that is broadcast to every element.
ValueId AddOne(Graph& graph) {
  auto one = std::make_shared<Tensor>(DataType::kFp32, Shape{});
  one->As<float>()[0] = 1.0F;
  Value value;
  value.name = "one";
  value.constant = one.get();
  graph.constants.push_back(std::move(one));
  graph.values.push_back(std::move(value));
  return graph.values.size() - 1;
}

Shape RunShape(const Value& value, std::int64_t axis) {
  return {value.shape.begin() + static_cast<std::ptrdiff_t>(axis),
          value.shape.end()};
}

std::optional<Node> AsPlainNormalization(const GraphPattern& pattern,
                                         const Node& node, Graph& graph) {
  const auto quotient = AsQuotient(pattern, node);
  if (!quotient.has_value()) {
    return std::nullopt;
  }
  const auto centred = AsCentred(pattern, quotient->centred);
  const auto deviation = AsDeviation(pattern, quotient->deviation);
  if (!centred.has_value() || !deviation.has_value() ||
      deviation->of.x != centred->x || deviation->of.axis != centred->axis) {
    return std::nullopt;
  }
  Node normalization;
  normalization.op = Operator::kLayerNormalization;
  normalization.inputs = {centred->x, AddOne(graph)};
  normalization.attributes = {
      {"axis", centred->axis},
      {"epsilon", static_cast<float>(deviation->epsilon)},
      {"stash_type", std::int64_t{1}}};
  return normalization;
}

bool GoesIntoRun(const Value& constant, const Node& normalization,
                 const Value& result) {
  return constant.constant != nullptr &&
         StorageType(constant.type) == DataType::kFp32 &&
         BroadcastTable(constant.shape,
                        RunShape(result, IntAttribute(normalization, "axis")))
             .has_value();
}

// A LayerNormalization that `node` multiplies by a constant, or adds one to.
std::optional<Node> WithParameter(const GraphPattern& pattern,
                                  const Node& node) {
  if (node.op != Operator::kMul && node.op != Operator::kAdd) {
    return std::nullopt;
  }
  const Value& result = pattern.value(node.outputs[0]);
  for (const std::size_t i : {0U, 1U}) {
    const Node* normal =
        pattern.Producer(node.inputs[i], Operator::kLayerNormalization);
    const ValueId parameter = node.inputs[1 - i];
    if (normal == nullptr ||
        pattern.value(node.inputs[i]).shape != result.shape ||
        !GoesIntoRun(pattern.value(parameter), *normal, result) ||
        (normal->inputs.size() > 2 && normal->inputs[2] != kNoValue)) {
      continue;
    }
    Node extended = *normal;
    if (node.op == Operator::kAdd) {
      extended.inputs = {normal->inputs[0], normal->inputs[1], parameter};
      return extended;
    }
    if (pattern.Number(normal->inputs[1]) == 1.0) {
      extended.inputs = {normal->inputs[0], parameter};
      return extended;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Node> AsLayerNormalization(const GraphPattern& pattern,
                                         const Node& node, Graph& graph) {
  if (auto extended = WithParameter(pattern, node)) {
    return extended;
  }
  return AsPlainNormalization(pattern, node, graph);
}

}  // namespace relu
