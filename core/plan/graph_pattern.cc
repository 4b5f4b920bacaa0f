#include "core/plan/graph_pattern.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

// Patterns have fewer factors, in less deep products.
constexpr int kMostDepth = 5;
constexpr std::size_t kMostFactors = 4;

// What all of them are.
template <typename T>
std::optional<double> OneOf(std::span<const T> values) {
  const T first = values[0];
  const bool all_equal =
      std::ranges::all_of(values, [first](T value) { return value == first; });
  return all_equal ? std::optional(static_cast<double>(first)) : std::nullopt;
}

}  // namespace

bool IsClose(double a, double b) {
  // sqrt(2) is written as 1.4142135 and 1.41421 alike.
  return std::abs(a - b) <= 4e-6 * std::abs(b);
}

GraphPattern::GraphPattern(const Graph& graph)
    : graph_(graph), producers_(graph.values.size()) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    producers_[graph.nodes[i].outputs[0]] = i;
  }
}

const Node* GraphPattern::Producer(ValueId id, Operator op) const {
  // Values that a rewrite has added are constants.
  if (id >= producers_.size() || !producers_[id].has_value()) {
    return nullptr;
  }
  const Node& node = graph_.nodes[*producers_[id]];
  return node.op == op ? &node : nullptr;
}

std::optional<double> GraphPattern::Number(ValueId id) const {
  if (id == kNoValue || value(id).constant == nullptr) {
    return std::nullopt;
  }
  const Tensor& constant = *value(id).constant;
  if (constant.element_count() < 1) {
    return std::nullopt;
  }
  if (constant.type() == DataType::kFp32) {  // Without a copy.
    return OneOf(constant.As<float>());
  }
  return OneOf(std::span<const double>(ToDoubles(constant)));
}

bool GraphPattern::IsNumber(ValueId id, double number) const {
  const std::optional<double> found = Number(id);
  return found.has_value() && IsClose(*found, number);
}

void GraphPattern::Collect(ValueId id, ValueId whole, int depth,
                           Product& product) const {
  if (const std::optional<double> number = Number(id)) {
    product.constant *= *number;
    return;
  }
  const bool is_open = id != whole && depth < kMostDepth &&
                       product.factors.size() < kMostFactors;
  if (const Node* node = Producer(id, Operator::kMul); node && is_open) {
    Collect(node->inputs[0], whole, depth + 1, product);
    Collect(node->inputs[1], whole, depth + 1, product);
    return;
  }
  if (const Node* node = Producer(id, Operator::kDiv); node && is_open) {
    if (const std::optional<double> divisor = Number(node->inputs[1])) {
      Collect(node->inputs[0], whole, depth + 1, product);
      product.constant /= *divisor;
      return;
    }
  }
  if (const Node* node = Producer(id, Operator::kPow); node && is_open) {
    for (const std::size_t exponent : {2U, 3U}) {
      if (IsNumber(node->inputs[1], static_cast<double>(exponent))) {
        product.factors.insert(product.factors.end(), exponent,
                               node->inputs[0]);
        return;
      }
    }
  }
  product.factors.push_back(id);
}

Product GraphPattern::Factors(ValueId id, ValueId whole) const {
  Product product;
  Collect(id, whole, 0, product);
  std::ranges::sort(product.factors);
  return product;
}

std::optional<GraphPattern::WithNumber> GraphPattern::SplitNumber(
    ValueId id, Operator op) const {
  const Node* node = Producer(id, op);
  if (node == nullptr || node->inputs.size() != 2) {
    return std::nullopt;
  }
  if (const std::optional<double> number = Number(node->inputs[1])) {
    return WithNumber{.x = node->inputs[0], .number = *number};
  }
  const bool order_matters =
      op == Operator::kSub || op == Operator::kDiv || op == Operator::kPow;
  if (const std::optional<double> number = Number(node->inputs[0]);
      number && !order_matters) {
    return WithNumber{.x = node->inputs[1], .number = *number};
  }
  return std::nullopt;
}

}  // namespace relu
