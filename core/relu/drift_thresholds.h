// Thresholds of scores from what the scores are where nothing is wrong.

#ifndef CORE_RELU_DRIFT_THRESHOLDS_H_
#define CORE_RELU_DRIFT_THRESHOLDS_H_

#include <cstddef>
#include <vector>

namespace relu {

// A threshold for each of several scores: the lowest, all passed by equally
// many windows, such that at most `most` windows pass any. `scores` are
// [windows][score], one window or more.
std::vector<double> JointThresholds(
    const std::vector<std::vector<double>>& scores, std::size_t most);

}  // namespace relu

#endif  // CORE_RELU_DRIFT_THRESHOLDS_H_
