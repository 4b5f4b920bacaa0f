#include "tests/benchmark/answers.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/base/check.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu::benchmarks {
namespace {

template <typename T>
void Append(const Tensor& tensor, std::vector<double>& elements) {
  for (const T value : tensor.As<T>()) {
    elements.push_back(static_cast<double>(value));
  }
}

}  // namespace

std::vector<Tensor> MakeOutputs(const Network& network, std::size_t rows) {
  std::vector<Tensor> outputs;
  for (const Output& output : network.outputs) {
    Shape shape = {static_cast<std::int64_t>(rows)};
    shape.insert(shape.end(), output.row_shape.begin(), output.row_shape.end());
    outputs.emplace_back(output.type, shape);
  }
  return outputs;
}

std::vector<double> ElementsOf(const std::vector<Tensor>& tensors) {
  std::vector<double> elements;
  for (const Tensor& tensor : tensors) {
    switch (tensor.type()) {
      case DataType::kFp32:
        Append<float>(tensor, elements);
        break;
      case DataType::kFp64:
        Append<double>(tensor, elements);
        break;
      case DataType::kInt64:
        Append<std::int64_t>(tensor, elements);
        break;
      default:
        CHECK(false);
    }
  }
  return elements;
}

double LargestDifference(std::span<const double> wanted,
                         std::span<const double> found) {
  if (wanted.size() != found.size()) {
    return std::numeric_limits<double>::infinity();
  }
  double magnitude = std::numeric_limits<double>::min();
  double difference = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!std::isfinite(wanted[i]) || !std::isfinite(found[i])) {
      return std::numeric_limits<double>::infinity();
    }
    magnitude = std::max(magnitude, std::abs(wanted[i]));
    difference = std::max(difference, std::abs(wanted[i] - found[i]));
  }
  return difference / magnitude;
}

}  // namespace relu::benchmarks
