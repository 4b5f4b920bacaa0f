#include "core/graph/evaluate_layout.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Copies `count` elements.
struct Block {
  std::size_t from = 0;
  std::size_t to = 0;
  std::size_t count = 1;
};
void CopyElements(const Tensor& source, Tensor& destination,
                  const Block& block) {
  const std::size_t size = DataTypeSize(source.type());
  std::ranges::copy(
      source.bytes().subspan(block.from * size, block.count * size),
      destination.bytes().subspan(block.to * size).begin());
}

}  // namespace

Tensor EvaluateConcat(const Evaluation& run) {
  const std::int64_t axis = IntAttribute(run.node, "axis");
  Tensor result(run.result.type, run.result.shape);
  const AxisView whole = ViewFromAxis(run.result.shape, axis);
  std::size_t begin = 0;  // Of the part, along the axis.
  for (const Tensor* part : run.inputs) {
    const AxisView view = ViewFromAxis(part->shape(), axis);
    for (std::size_t i = 0; i < view.outer; ++i) {
      CopyElements(*part, result,
                   {.from = i * view.size * view.inner,
                    .to = (i * whole.size + begin) * whole.inner,
                    .count = view.size * view.inner});
    }
    begin += view.size;
  }
  return result;
}

absl::StatusOr<Tensor> EvaluateGather(const Evaluation& run) {
  const Tensor& data = run.input(0);
  const AxisView view =
      ViewFromAxis(data.shape(), IntAttribute(run.node, "axis"));
  std::vector<std::int64_t> positions = ToIntegers(run.input(1));
  const auto size = static_cast<std::int64_t>(view.size);
  for (std::int64_t& position : positions) {
    if (position < -size || position >= size) {
      return absl::InvalidArgumentError(
          fmt::format("{}: index {}, wanted {} to {}", NodeText(run.node),
                      position, -size, size - 1));
    }
    position += position < 0 ? size : 0;
  }
  Tensor result(run.result.type, run.result.shape);
  for (std::size_t i = 0; i < view.outer; ++i) {
    for (std::size_t j = 0; j < positions.size(); ++j) {
      const auto position = static_cast<std::size_t>(positions[j]);
      CopyElements(data, result,
                   {.from = (i * view.size + position) * view.inner,
                    .to = (i * positions.size() + j) * view.inner,
                    .count = view.inner});
    }
  }
  return result;
}

Tensor EvaluateReshape(const Evaluation& run) {
  Tensor result = run.input(0).Clone();
  result.Reshape(run.result.shape);
  return result;
}

Tensor EvaluateTranspose(const Evaluation& run) {
  const Tensor& input = run.input(0);
  IndexWalk from =
      TransposeWalk(input.shape(), IntsAttribute(run.node, "perm"));
  Tensor result(run.result.type, run.result.shape);
  const auto count = static_cast<std::size_t>(result.element_count());
  for (std::size_t i = 0; i < count; ++i) {
    CopyElements(input, result, {.from = from.Next(), .to = i});
  }
  return result;
}

}  // namespace relu
