#include "core/graph/evaluate_layout.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"

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

// The elements that `walk` finds in `source`, as a tensor.
Tensor Collect(const Tensor& source, const ValueType& type, IndexWalk walk) {
  Tensor result(type.type, type.shape);
  const auto count = static_cast<std::size_t>(result.element_count());
  for (std::size_t i = 0; i < count; ++i) {
    CopyElements(source, result, {.from = walk.Next(), .to = i});
  }
  return result;
}

}  // namespace

absl::Status EvaluateConcat(const Evaluation& run) {
  const std::int64_t axis = IntAttribute(run.node, "axis");
  Tensor result(run.type(), run.shape());
  const AxisView whole = ViewFromAxis(run.shape(), axis);
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
  run.Set(std::move(result));
  return absl::OkStatus();
}

absl::Status EvaluateExpand(const Evaluation& run) {
  const Tensor& input = run.input(0);
  run.Set(Collect(input, run.results[0],
                  BroadcastWalk(input.shape(), run.shape())));
  return absl::OkStatus();
}

absl::Status EvaluateGather(const Evaluation& run) {
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
  Tensor result(run.type(), run.shape());
  for (std::size_t i = 0; i < view.outer; ++i) {
    for (std::size_t j = 0; j < positions.size(); ++j) {
      const auto position = static_cast<std::size_t>(positions[j]);
      CopyElements(data, result,
                   {.from = (i * view.size + position) * view.inner,
                    .to = (i * positions.size() + j) * view.inner,
                    .count = view.inner});
    }
  }
  run.Set(std::move(result));
  return absl::OkStatus();
}

absl::Status EvaluateReshape(const Evaluation& run) {
  Tensor result = run.input(0).Clone();
  result.Reshape(run.shape());
  run.Set(std::move(result));
  return absl::OkStatus();
}

absl::Status EvaluateShape(const Evaluation& run) {
  const Shape& shape = run.input(0).shape();
  const std::vector<std::int64_t> sizes(
      shape.begin() + IntAttribute(run.node, "start"),
      shape.begin() + IntAttribute(run.node, "end"));
  run.Set(Store(run.results[0], sizes));
  return absl::OkStatus();
}

absl::Status EvaluateSize(const Evaluation& run) {
  run.Set(Store(run.results[0],
                std::vector<std::int64_t>{run.input(0).element_count()}));
  return absl::OkStatus();
}

absl::Status EvaluateSlice(const Evaluation& run) {
  const Tensor& input = run.input(0);
  const std::vector<std::int64_t>& starts = IntsAttribute(run.node, "starts");
  const std::vector<std::int64_t>& steps = IntsAttribute(run.node, "steps");
  Tensor result(run.type(), run.shape());
  const auto count = static_cast<std::size_t>(result.element_count());
  Shape position(run.shape().size(), 0);
  for (std::size_t i = 0; i < count; ++i) {
    std::int64_t from = 0;
    for (std::size_t j = 0; j < position.size(); ++j) {
      from = from * input.shape()[j] + starts[j] + position[j] * steps[j];
    }
    CopyElements(input, result,
                 {.from = static_cast<std::size_t>(from), .to = i});
    for (std::size_t j = position.size(); j-- > 0;) {
      if (++position[j] < run.shape()[j]) {
        break;
      }
      position[j] = 0;
    }
  }
  run.Set(std::move(result));
  return absl::OkStatus();
}

absl::Status EvaluateSplit(const Evaluation& run) {
  const std::int64_t axis = IntAttribute(run.node, "axis");
  const Tensor& input = run.input(0);
  const AxisView whole = ViewFromAxis(input.shape(), axis);
  std::size_t begin = 0;  // Of the part, along the axis.
  for (std::size_t part = 0; part < run.results.size(); ++part) {
    const auto& [type, shape] = run.results[part];
    Tensor result(type, shape);
    const AxisView view = ViewFromAxis(shape, axis);
    for (std::size_t i = 0; i < view.outer; ++i) {
      CopyElements(input, result,
                   {.from = (i * whole.size + begin) * whole.inner,
                    .to = i * view.size * view.inner,
                    .count = view.size * view.inner});
    }
    begin += view.size;
    run.outputs[part] = std::move(result);
  }
  return absl::OkStatus();
}

absl::Status EvaluateTranspose(const Evaluation& run) {
  const Tensor& input = run.input(0);
  run.Set(
      Collect(input, run.results[0],
              TransposeWalk(input.shape(), IntsAttribute(run.node, "perm"))));
  return absl::OkStatus();
}

}  // namespace relu
