#include "core/graph/constant_folder.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/evaluate_by_rows.h"
#include "core/graph/onnx_tensor.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::int64_t kMinElements = std::int64_t{1} << 20U;
// A few seconds.
constexpr std::int64_t kMaxOperations = std::int64_t{1} << 31U;

// Elements read and written, and multiplications. None of the factors is above
// 2^40, the most elements of a constant.
std::int64_t CountOperations(const Node& node, std::int64_t results,
                             std::span<const Tensor* const> inputs) {
  std::int64_t count = results;
  for (const Tensor* input : inputs) {
    count += input == nullptr ? 0 : input->element_count();
  }
  const bool is_product = node.op == Operator::kGemm ||
                          node.op == Operator::kMatMul ||
                          node.op == Operator::kMatMulInteger ||
                          node.op == Operator::kQLinearMatMul;
  if (!is_product) {
    return count;
  }
  const Shape& left = inputs[0]->shape();
  const bool transposed =
      node.op == Operator::kGemm && IntAttribute(node, "transA") != 0;
  const std::int64_t k = transposed ? left[0] : left.back();
  return results > kMaxOperations / std::max<std::int64_t>(k, 1)
             ? std::numeric_limits<std::int64_t>::max()
             : count + results * k;
}

bool LacksElements(const Tensor* tensor) {
  return tensor != nullptr && tensor->element_count() > 0 &&
         tensor->bytes().empty();
}

bool LeavesOut(const ValueType& type) {
  return IsLeftOut(type.type, ElementCount(type.shape).value());
}

}  // namespace

absl::StatusOr<std::vector<Tensor>> ConstantFolder::Fold(
    const Node& node, std::span<const ValueType> results,
    std::span<const Tensor* const> inputs, Tensor* spare) {
  RETURN_IF_ERROR(Claim(node, results, inputs));
  // These read shapes alone.
  const bool reads_elements =
      node.op != Operator::kShape && node.op != Operator::kSize;
  if (outlines_ &&
      ((reads_elements && std::ranges::any_of(inputs, &LacksElements)) ||
       std::ranges::any_of(results, &LeavesOut))) {
    return Outline(results);
  }
  return EvaluateByRows(node, results, inputs, spare);
}

std::vector<Tensor> ConstantFolder::Outline(
    std::span<const ValueType> results) {
  std::vector<Tensor> outlines;
  for (const ValueType& result : results) {
    if (LeavesOut(result)) {
      outlines.push_back(Tensor::WithoutElements(result.type, result.shape));
    } else {
      is_certain_ = false;
      outlines.emplace_back(result.type, result.shape);
    }
  }
  return outlines;
}

absl::Status ConstantFolder::Claim(const Node& node,
                                   std::span<const ValueType> results,
                                   std::span<const Tensor* const> inputs) {
  const std::int64_t most = std::max(kMinElements, given_elements_);
  std::int64_t count = 0;
  for (const ValueType& result : results) {
    const std::optional<std::int64_t> elements = ElementCount(result.shape);
    if (!elements || *elements > most - count ||
        *elements > 4 * most - folded_elements_ - count) {
      return absl::UnimplementedError(fmt::format(
          "{}: with {} the constants that nodes compute have more elements "
          "than {} a node or {} in all; export with constants folded",
          NodeText(node), ShapeText(result.shape), most, 4 * most));
    }
    count += *elements;
  }
  const std::int64_t operations = CountOperations(node, count, inputs);
  if (operations > kMaxOperations - operations_) {
    return absl::UnimplementedError(fmt::format(
        "{}: the constants that nodes compute take more than {} operations; "
        "export with constants folded",
        NodeText(node), kMaxOperations));
  }
  operations_ += operations;
  folded_elements_ += count;
  return absl::OkStatus();
}

}  // namespace relu
