#include "core/graph/constant_folder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/interpreter.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::size_t kMinLimitBytes = std::size_t{16} << 20U;
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
  if (node.op != Operator::kGemm && node.op != Operator::kMatMul) {
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

}  // namespace

absl::StatusOr<Tensor> ConstantFolder::Fold(
    const Node& node, const ValueType& result,
    std::span<const Tensor* const> inputs) {
  const std::size_t limit_bytes =
      std::max(kMinLimitBytes, std::size_t{4} * given_bytes_);
  const std::size_t room = limit_bytes - std::min(limit_bytes, folded_bytes_);
  const std::optional<std::int64_t> count = ElementCount(result.shape);
  if (!count ||
      static_cast<std::size_t>(*count) > room / DataTypeSize(result.type)) {
    return absl::UnimplementedError(fmt::format(
        "{}: the constants that nodes compute take more than {} bytes; export "
        "with constants folded",
        NodeText(node), limit_bytes));
  }
  const std::int64_t operations = CountOperations(node, *count, inputs);
  if (operations > kMaxOperations - operations_) {
    return absl::UnimplementedError(fmt::format(
        "{}: the constants that nodes compute take more than {} operations; "
        "export with constants folded",
        NodeText(node), kMaxOperations));
  }
  operations_ += operations;
  folded_bytes_ += static_cast<std::size_t>(*count) * DataTypeSize(result.type);
  return EvaluateNode(node, result, inputs);
}

}  // namespace relu
