#include "core/graph/constant_folder.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

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

absl::StatusOr<std::vector<Tensor>> ConstantFolder::Fold(
    const Node& node, std::span<const ValueType> results,
    std::span<const Tensor* const> inputs) {
  const std::size_t limit_bytes =
      std::max(kMinLimitBytes, std::size_t{4} * given_bytes_);
  const std::size_t room = limit_bytes - std::min(limit_bytes, folded_bytes_);
  std::size_t result_bytes = 0;
  std::int64_t count = 0;
  for (const ValueType& result : results) {
    const std::optional<std::int64_t> elements = ElementCount(result.shape);
    const std::size_t element_bytes = DataTypeSize(result.type);
    if (!elements || static_cast<std::size_t>(*elements) >
                         (room - result_bytes) / element_bytes) {
      return absl::UnimplementedError(fmt::format(
          "{}: the constants that nodes compute take more than {} bytes; "
          "export with constants folded",
          NodeText(node), limit_bytes));
    }
    result_bytes += static_cast<std::size_t>(*elements) * element_bytes;
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
  folded_bytes_ += result_bytes;
  return EvaluateNode(node, results, inputs);
}

}  // namespace relu
