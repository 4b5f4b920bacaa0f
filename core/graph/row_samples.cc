#include "core/graph/row_samples.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/elements.h"
#include "core/graph/interpreter.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {
namespace {

bool IsSmall(const ValueType& type) {
  const std::optional<std::int64_t> count = ElementCount(type.shape);
  return count && *count <= RowSamples::kMaxElements;
}

}  // namespace

RowSamples::RowSamples(const Tensor& constant) {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    tensors_.push_back(constant.Clone());
  }
}

std::vector<RowSamples> RowSamples::OfShape(const Node& node,
                                            const OutputTypes& types,
                                            const Shape& shape) {
  std::vector<Tensor> tensors;
  for (const std::int64_t rows : kRows) {
    const Shape counted = WithRows(shape, rows);
    std::vector<std::int64_t> integers{ElementCount(counted).value_or(0)};
    if (node.op == Operator::kShape) {
      integers.assign(counted.begin() + IntAttribute(node, "start"),
                      counted.begin() + IntAttribute(node, "end"));
    }
    tensors.push_back(FromIntegers(DataType::kInt64, types[0].shape, integers));
  }
  std::vector<RowSamples> samples;
  samples.push_back(RowSamples(std::move(tensors)));
  return samples;
}

RowSamples::RowSamples(std::vector<Tensor> tensors)
    : tensors_(std::move(tensors)) {}

std::vector<RowSamples> RowSamples::Evaluate(
    const Node& node, const OutputTypes& types,
    std::span<const RowSamples* const> inputs) {
  if (!std::ranges::all_of(types, &IsSmall)) {
    return {};
  }
  std::vector<std::vector<Tensor>> outputs(types.size());
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    std::vector<const Tensor*> operands;
    for (const RowSamples* input : inputs) {
      operands.push_back(input == nullptr ? nullptr : &input->tensors_[i]);
    }
    auto tensors = EvaluateNode(node, types, operands);
    if (!tensors.ok()) {
      return {};
    }
    for (std::size_t j = 0; j < types.size(); ++j) {
      outputs[j].push_back(std::move((*tensors)[j]));
    }
  }
  std::vector<RowSamples> samples;
  for (std::vector<Tensor>& tensors : outputs) {
    samples.push_back(RowSamples(std::move(tensors)));
  }
  return samples;
}

const Tensor* RowSamples::Constant() const {
  const bool is_constant = std::ranges::all_of(tensors_, [&](const Tensor& t) {
    return std::ranges::equal(t.bytes(), tensors_[0].bytes());
  });
  return is_constant ? tensors_.data() : nullptr;
}

std::optional<std::vector<std::int64_t>> RowSamples::Integers(
    std::int64_t row_count) const {
  std::vector<std::vector<std::int64_t>> samples;
  for (const Tensor& tensor : tensors_) {
    samples.push_back(ToIntegers(tensor));
  }
  std::vector<std::int64_t> integers = samples[0];
  for (std::size_t i = 0; i < integers.size(); ++i) {
    bool is_constant = true;
    bool is_row_count = true;
    for (std::size_t j = 0; j < kRows.size(); ++j) {
      is_constant = is_constant && samples[j][i] == integers[i];
      is_row_count = is_row_count && samples[j][i] == kRows[j];
    }
    if (!is_constant && !is_row_count) {
      return std::nullopt;
    }
    integers[i] = is_row_count ? row_count : integers[i];
  }
  return integers;
}

Shape WithRows(Shape shape, std::int64_t rows) {
  std::ranges::replace(shape, kBatchDim, rows);
  return shape;
}

}  // namespace relu
