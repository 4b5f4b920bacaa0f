// Predictions: what a model says of each row, and how often it is right.

#ifndef CLIENT_CLI_PREDICTIONS_H_
#define CLIENT_CLI_PREDICTIONS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "client/cli/results.h"

namespace relu {

// The class of a row; nullopt: none, because a score of the row is NaN.
using Prediction = std::optional<std::int64_t>;

// The prediction of each row, from the first of these that the outputs have:
//   1. an integer output of one column: its value
//   2. a float output of more than one column: the index of the largest, the
//      first of equal ones
//   3. if `binary`, a float output of one column: 1 if it is 0.5 or more, else
//      0. (Else it may be any quantity.)
// Empty if they have none.
std::vector<Prediction> PredictionsOf(const Results& results, bool binary);

// No prediction is never correct.
bool IsCorrect(const Prediction& prediction, double label);

// How many predictions equal their label. Both have one entry a row.
std::int64_t CountCorrect(std::span<const Prediction> predictions,
                          std::span<const double> labels);

}  // namespace relu

#endif  // CLIENT_CLI_PREDICTIONS_H_
