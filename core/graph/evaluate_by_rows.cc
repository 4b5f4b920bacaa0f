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
#include "core/tensor/data_type.h"
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
    Operator::kPRelu,
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

// Of a result: one place of each dimension before `axis`, `count` places of
// that one, and all of those behind.
struct Piece {
  Shape first;  // Where it begins.
  std::size_t axis = 0;
  std::int64_t count = 0;
};

// Of a shape with more than kPieceElements.
Piece FirstPiece(const Shape& shape) {
  Piece piece{.first = Shape(shape.size()), .axis = shape.size() - 1};
  std::int64_t most = kPieceElements;
  while (shape[piece.axis] <= most) {
    most /= shape[piece.axis--];
  }
  piece.count = most;
  return piece;
}

// The piece after one that `piece` was; false if there is none.
bool Advance(const Shape& shape, std::int64_t most, Piece& piece) {
  std::size_t i = piece.axis;
  piece.first[i] += piece.count;
  for (; piece.first[i] == shape[i]; --i) {
    if (i == 0) {
      return false;
    }
    piece.first[i] = 0;
    ++piece.first[i - 1];
  }
  piece.count = std::min(most, shape[piece.axis] - piece.first[piece.axis]);
  return true;
}

// What a piece is of, or takes from, a tensor: one stretch of its elements.
struct Part {
  Shape shape;
  std::size_t first_byte = 0;
};

// Dimension 0 of `tensor` belongs to dimension `offset` of the result.
Part PartOf(const Tensor& tensor, std::size_t offset, const Piece& piece) {
  Part part{.shape = tensor.shape()};
  std::int64_t first = 0;
  for (std::size_t i = 0; i < part.shape.size(); ++i) {
    std::int64_t& size = part.shape[i];
    first *= size;
    // A size of 1 broadcasts.
    if (size > 1 && i + offset <= piece.axis) {
      first += piece.first[i + offset];
      size = i + offset < piece.axis ? 1 : piece.count;
    }
  }
  part.first_byte =
      static_cast<std::size_t>(first) * DataTypeSize(tensor.type());
  return part;
}

// The same for an input of a node.
Part PartOf(const Node& node, std::size_t index, const Tensor& input,
            const Piece& piece) {
  const bool is_scaling = index > 0 && (node.op == Operator::kQuantizeLinear ||
                                        node.op == Operator::kDequantizeLinear);
  // Broadcasting aligns shapes at their ends.
  return PartOf(input,
                is_scaling
                    ? static_cast<std::size_t>(IntAttribute(node, "axis"))
                    : piece.first.size() - input.shape().size(),
                piece);
}

Tensor Copy(const Tensor& tensor, const Part& part) {
  Tensor copy(tensor.type(), part.shape);
  std::memcpy(copy.bytes().data(), tensor.bytes().data() + part.first_byte,
              copy.bytes().size());
  return copy;
}

}  // namespace

absl::StatusOr<std::vector<Tensor>> EvaluateByRows(
    const Node& node, std::span<const ValueType> results,
    std::span<const Tensor* const> inputs, Tensor* spare) {
  const ValueType& result = results[0];
  if (!GoesElementByElement(node.op) ||
      ElementCount(result.shape).value() <= kPieceElements) {
    return EvaluateNode(node, results, inputs);
  }
  std::vector<Tensor> whole;
  std::vector<const Tensor*> operands(inputs.begin(), inputs.end());
  if (spare != nullptr) {
    // A piece of it is read before that of the result takes its place.
    whole.push_back(std::move(*spare));
    std::ranges::replace(operands, spare, whole.data());
  } else {
    whole.emplace_back(result.type, result.shape);
  }
  Piece piece = FirstPiece(result.shape);
  const std::int64_t most = piece.count;
  do {
    std::vector<Tensor> copies;
    copies.reserve(operands.size());
    std::vector<const Tensor*> parts = operands;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (operands[i] == nullptr) {
        continue;
      }
      const Part part = PartOf(node, i, *operands[i], piece);
      if (part.shape != operands[i]->shape()) {
        copies.push_back(Copy(*operands[i], part));
        parts[i] = &copies.back();
      }
    }
    const Part part = PartOf(whole[0], /*offset=*/0, piece);
    const ValueType type{result.type, part.shape};
    ASSIGN_OR_RETURN(const std::vector<Tensor> computed,
                     EvaluateNode(node, std::span(&type, 1), parts));
    std::ranges::copy(computed[0].bytes(),
                      whole[0].bytes().data() + part.first_byte);
  } while (Advance(result.shape, most, piece));
  return whole;
}

}  // namespace relu
