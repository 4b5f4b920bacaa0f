#include "client/cli/predictions.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "client/cli/number.h"
#include "client/cli/results.h"
#include "core/base/check.h"

namespace relu {
namespace {

double RowValue(const ResultTensor& output, std::int64_t row, std::int64_t k) {
  return ToDouble(LoadElement(output.type, output.Element(row, k)));
}

Prediction ArgMax(const ResultTensor& output, std::int64_t row) {
  std::int64_t best = 0;
  for (std::int64_t k = 0; k < output.row_elements; ++k) {
    const double value = RowValue(output, row, k);
    if (std::isnan(value)) {
      return std::nullopt;
    }
    if (value > RowValue(output, row, best)) {
      best = k;
    }
  }
  return best;
}

Prediction SplitAtOneHalf(const ResultTensor& output, std::int64_t row) {
  const double score = RowValue(output, row, 0);
  if (std::isnan(score)) {
    return std::nullopt;
  }
  return score >= 0.5 ? 1 : 0;
}

// The first output for which `fits`, or nullptr.
template <typename Fits>
const ResultTensor* First(const Results& results, const Fits& fits) {
  const auto found = std::ranges::find_if(results.outputs, fits);
  return found == results.outputs.end() ? nullptr : &*found;
}

template <typename Predict>
std::vector<Prediction> ForEachRow(const Results& results,
                                   const Predict& predict) {
  std::vector<Prediction> predictions;
  for (std::int64_t row = 0; row < results.rows; ++row) {
    predictions.push_back(predict(row));
  }
  return predictions;
}

}  // namespace

std::vector<Prediction> PredictionsOf(const Results& results, bool binary) {
  const auto* const integer = First(results, [](const ResultTensor& output) {
    return !IsFloat(output.type) && output.row_elements == 1;
  });
  if (integer != nullptr) {
    return ForEachRow(results, [&](std::int64_t row) {
      return static_cast<std::int64_t>(RowValue(*integer, row, 0));
    });
  }
  const auto* const scores = First(results, [](const ResultTensor& output) {
    return IsFloat(output.type) && output.row_elements > 1;
  });
  if (scores != nullptr) {
    return ForEachRow(results,
                      [&](std::int64_t row) { return ArgMax(*scores, row); });
  }
  const auto* const score = First(results, [](const ResultTensor& output) {
    return IsFloat(output.type) && output.row_elements == 1;
  });
  if (score == nullptr || !binary) {
    return {};
  }
  return ForEachRow(
      results, [&](std::int64_t row) { return SplitAtOneHalf(*score, row); });
}

bool IsCorrect(const Prediction& prediction, double label) {
  return prediction.has_value() && static_cast<double>(*prediction) == label;
}

std::int64_t CountCorrect(std::span<const Prediction> predictions,
                          std::span<const double> labels) {
  CHECK(predictions.size() == labels.size());
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    correct += IsCorrect(predictions[i], labels[i]) ? 1 : 0;
  }
  return correct;
}

}  // namespace relu
