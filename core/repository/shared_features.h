// SharedFeatures: which features of a model's inputs the items of a Rank call
// share, where config.pbtxt says so.

#ifndef CORE_REPOSITORY_SHARED_FEATURES_H_
#define CORE_REPOSITORY_SHARED_FEATURES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "core/plan/compiled_model.h"

namespace relu {

// Elements begin .. end - 1 of a row.
struct FeatureRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// By input: ascending ranges that do not overlap.
using SharedFeatures =
    std::map<std::string, std::vector<FeatureRange>, std::less<>>;

// "rank_shared.<input>": "0-15,40,64-79" of config.pbtxt's parameters.
inline constexpr std::string_view kSharedFeaturesPrefix = "rank_shared.";

// Adds what the parameter `key`, which has the prefix, says. INVALID_ARGUMENT,
// with what is wanted, if it is no such list.
absl::Status ReadSharedFeatures(std::string_view key, std::string_view value,
                                SharedFeatures& features);

// INVALID_ARGUMENT if `model` has no such input, or one of other rows.
absl::Status CheckSharedFeatures(const SharedFeatures& features,
                                 const CompiledModel& model);

}  // namespace relu

#endif  // CORE_REPOSITORY_SHARED_FEATURES_H_
