#include "core/graph/evaluate_by_rows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/interpreter.h"
#include "core/tensor/shape.h"

namespace relu {
namespace {

// Of a result that are computed together.
constexpr std::int64_t kPieceElements = std::int64_t{1} << 16U;

// One element of the result is of one element of each operand.
constexpr Operator kElementByElement[] = {
    Operator::kAbs,
    Operator::kAdd,
    Operator::kAnd,
    Operator::kCast,
    Operator::kCeil,
    Operator::kCelu,
    Operator::kClip,
    Operator::kDequantizeLinear,
    Operator::kDiv,
    Operator::kElu,
    Operator::kEqual,
    Operator::kErf,
    Operator::kExp,
    Operator::kFloor,
    Operator::kGelu,
    Operator::kGreater,
    Operator::kGreaterOrEqual,
    Operator::kHardSigmoid,
    Operator::kHardSwish,
    Operator::kLeakyRelu,
    Operator::kLess,
    Operator::kLessOrEqual,
    Operator::kLog,
    Operator::kMax,
    Operator::kMean,
    Operator::kMin,
    Operator::kMish,
    Operator::kMul,
    Operator::kNeg,
    Operator::kNot,
    Operator::kOr,
    Operator::kPow,
    Operator::kQuantizeLinear,
    Operator::kReciprocal,
    Operator::kRelu,
    Operator::kRound,
    Operator::kSelu,
    Operator::kSigmoid,
    Operator::kSign,
    Operator::kSoftplus,
    Operator::kSoftsign,
    Operator::kSqrt,
    Operator::kSub,
    Operator::kSum,
    Operator::kSwish,
    Operator::kTanh,
    Operator::kThresholdedRelu,
    Operator::kWhere,
    Operator::kXor,
};

bool GoesElementByElement(Operator op) {
  return std::ranges::find(kElementByElement, op) !=
         std::end(kElementByElement);
}

// Whether rows of an operand belong to those of the result, rather than all of
// it to each of them.
bool HasRows(const Node& node, std::size_t index, const Tensor& operand,
             const Shape& result) {
  const Shape& shape = operand.shape();
  const bool is_scaling = index > 0 && (node.op == Operator::kQuantizeLinear ||
                                        node.op == Operator::kDequantizeLinear);
  if (is_scaling) {
    return operand.element_count() > 1 && IntAttribute(node, "axis") == 0;
  }
  // Broadcasting aligns shapes at their ends.
  return shape.size() == result.size() && shape[0] == result[0];
}

std::size_t RowBytes(const Tensor& tensor) {
  return tensor.bytes().size() / static_cast<std::size_t>(tensor.shape()[0]);
}

Tensor Rows(const Tensor& tensor, std::int64_t first, std::int64_t count) {
  Shape shape = tensor.shape();
  shape[0] = count;
  Tensor rows(tensor.type(), std::move(shape));
  std::memcpy(rows.bytes().data(),
              tensor.bytes().data() +
                  static_cast<std::size_t>(first) * RowBytes(tensor),
              rows.bytes().size());
  return rows;
}

}  // namespace

absl::StatusOr<std::vector<Tensor>> EvaluateByRows(
    const Node& node, std::span<const ValueType> results,
    std::span<const Tensor* const> inputs, Tensor* spare) {
  const ValueType& result = results[0];
  const std::int64_t elements = ElementCount(result.shape).value();
  if (!GoesElementByElement(node.op) || elements <= kPieceElements ||
      result.shape[0] == 1) {
    return EvaluateNode(node, results, inputs);
  }
  const std::int64_t all = result.shape[0];
  const std::int64_t step =
      std::max<std::int64_t>(1, kPieceElements / (elements / all));
  std::vector<Tensor> whole;
  std::vector<const Tensor*> operands(inputs.begin(), inputs.end());
  if (spare != nullptr) {
    // Its rows are read before those of the result take their place.
    whole.push_back(std::move(*spare));
    std::ranges::replace(operands, spare, whole.data());
  } else {
    whole.emplace_back(result.type, result.shape);
  }
  for (std::int64_t first = 0; first < all; first += step) {
    ValueType piece = result;
    piece.shape[0] = std::min(step, all - first);
    std::vector<Tensor> rows;
    rows.reserve(inputs.size());
    std::vector<const Tensor*> parts = operands;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (operands[i] != nullptr &&
          HasRows(node, i, *operands[i], result.shape)) {
        rows.push_back(Rows(*operands[i], first, piece.shape[0]));
        parts[i] = &rows.back();
      }
    }
    ASSIGN_OR_RETURN(const std::vector<Tensor> computed,
                     EvaluateNode(node, std::span(&piece, 1), parts));
    std::ranges::copy(computed[0].bytes(),
                      whole[0].bytes().data() +
                          static_cast<std::size_t>(first) * RowBytes(whole[0]));
  }
  return whole;
}

}  // namespace relu
