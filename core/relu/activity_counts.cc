#include "core/relu/activity_counts.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "core/graph/elements.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

template <typename T>
void AddTo(std::vector<T>& sums, const std::vector<T>& more) {
  for (std::size_t i = 0; i < sums.size(); ++i) {
    sums[i] += more[i];
  }
}

bool CanSaturate(const ActivationLayer& layer) {
  return layer.saturated_from < std::numeric_limits<float>::infinity();
}

// One loop for each figure: each is then a few vector instructions.
void CountNeurons(const ActivationLayer& layer, std::span<const float> values,
                  LayerCounts& counts) {
  const std::size_t size = values.size();
  for (std::size_t j = 0; j < size; ++j) {
    counts.on[j] += values[j] > layer.on_above ? 1 : 0;
  }
  for (std::size_t j = 0; j < size; ++j) {
    const double value = values[j];
    counts.sum[j] += value;
    counts.squares[j] += value * value;
  }
  for (std::size_t j = 0; j < size; ++j) {
    counts.largest[j] = std::max(counts.largest[j], values[j]);
  }
  if (CanSaturate(layer)) {
    for (std::size_t j = 0; j < size; ++j) {
      counts.saturated[j] += values[j] >= layer.saturated_from ? 1 : 0;
    }
  }
}

}  // namespace

std::int64_t LayerCounts::dead() const { return std::ranges::count(on, 0); }

std::int64_t LayerCounts::always_on(std::int64_t rows) const {
  return rows == 0 ? 0 : std::ranges::count(on, rows);
}

std::int64_t LayerCounts::always_saturated(std::int64_t rows) const {
  return rows == 0 ? 0 : std::ranges::count(saturated, rows);
}

ActivityCounts::ActivityCounts(const CompiledModel& model)
    : layers(model.activations().size()),
      input_sum(InputElements(model)),
      input_squares(InputElements(model)),
      input_fourths(InputElements(model)) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::size_t neurons = model.activations()[i].neurons;
    layers[i].on.resize(neurons);
    layers[i].saturated.resize(neurons);
    layers[i].sum.resize(neurons);
    layers[i].squares.resize(neurons);
    layers[i].largest.resize(neurons);
  }
}

void ActivityCounts::Add(const ActivityCounts& other) {
  rows += other.rows;
  nonfinite_rows += other.nonfinite_rows;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    AddTo(layers[i].on, other.layers[i].on);
    AddTo(layers[i].saturated, other.layers[i].saturated);
    AddTo(layers[i].sum, other.layers[i].sum);
    AddTo(layers[i].squares, other.layers[i].squares);
    std::ranges::transform(
        layers[i].largest, other.layers[i].largest, layers[i].largest.begin(),
        [](float left, float right) { return std::max(left, right); });
  }
  AddTo(input_sum, other.input_sum);
  AddTo(input_squares, other.input_squares);
  AddTo(input_fourths, other.input_fourths);
}

void ActivityCounts::Clear() {
  rows = 0;
  nonfinite_rows = 0;
  for (LayerCounts& layer : layers) {
    std::ranges::fill(layer.on, 0);
    std::ranges::fill(layer.saturated, 0);
    std::ranges::fill(layer.sum, 0.0);
    std::ranges::fill(layer.squares, 0.0);
    std::ranges::fill(layer.largest, 0.0F);
  }
  std::ranges::fill(input_sum, 0.0);
  std::ranges::fill(input_squares, 0.0);
  std::ranges::fill(input_fourths, 0.0);
}

std::size_t ActivityCounts::bytes() const {
  std::size_t neurons = 0;
  for (const LayerCounts& layer : layers) {
    neurons += layer.on.size();
  }
  return neurons *
             (2 * (sizeof(std::int64_t) + sizeof(double)) + sizeof(float)) +
         3 * input_sum.size() * sizeof(double);
}

std::size_t InputElements(const CompiledModel& model) {
  std::size_t elements = 0;
  for (const TensorSignature& input : model.inputs()) {
    elements += input.row_bytes / DataTypeSize(input.type);
  }
  return elements;
}

void ReadElements(const TensorSignature& input, const std::byte* bytes,
                  std::span<double> elements) {
  if (input.type == DataType::kFp32) {
    for (std::size_t i = 0; i < elements.size(); ++i) {
      float element = 0.0F;
      std::memcpy(&element, bytes + i * sizeof(float), sizeof(float));
      elements[i] = double{element};
    }
    return;
  }
  Tensor row(input.type, input.row_shape);
  std::copy_n(bytes, input.row_bytes, row.bytes().begin());
  std::ranges::copy(ToDoubles(row), elements.begin());
}

ActivityPass::ActivityPass(const CompiledModel& model, std::int64_t max_rows,
                           std::vector<double> reference)
    : model_(model),
      reference_(reference.empty() ? std::vector<double>(InputElements(model))
                                   : std::move(reference)),
      workspace_(model, max_rows),
      elements_(InputElements(model)),
      skips_(static_cast<std::size_t>(max_rows)) {}

void ActivityPass::CountInputs(std::int64_t row,
                               std::span<const std::byte* const> inputs,
                               ActivityCounts& counts) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const TensorSignature& input = model_.inputs()[i];
    const std::size_t size = input.row_bytes / DataTypeSize(input.type);
    ReadElements(input,
                 inputs[i] + static_cast<std::size_t>(row) * input.row_bytes,
                 std::span(elements_).subspan(first, size));
    first += size;
  }
  const bool finite = std::ranges::all_of(
      elements_, [](double element) { return std::isfinite(element); });
  skips_[static_cast<std::size_t>(row)] = finite ? 0 : 1;
  if (!finite) {
    ++counts.nonfinite_rows;
    return;
  }
  ++counts.rows;
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    const double deviation = elements_[i] - reference_[i];
    counts.input_sum[i] += deviation;
    const double square = deviation * deviation;
    counts.input_squares[i] += square;
    counts.input_fourths[i] += square * square;
  }
}

void ActivityPass::Run(std::int64_t rows,
                       std::span<const std::byte* const> inputs,
                       ActivityCounts& counts) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    workspace_.CopyIn(i, 0, rows, inputs[i]);
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    CountInputs(row, inputs, counts);
  }
  model_.RunObserved(rows, workspace_, [&](std::size_t layer) {
    for (std::int64_t row = 0; row < rows; ++row) {
      if (skips_[static_cast<std::size_t>(row)] == 0) {
        CountNeurons(model_.activations()[layer],
                     model_.ActivationRow(layer, row, workspace_),
                     counts.layers[layer]);
      }
    }
  });
}

}  // namespace relu
