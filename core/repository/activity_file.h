// The file beside a model that says what its neurons and inputs do on rows that
// are as they should be.

#ifndef CORE_REPOSITORY_ACTIVITY_FILE_H_
#define CORE_REPOSITORY_ACTIVITY_FILE_H_

#include <filesystem>
#include <optional>

#include "absl/status/statusor.h"

#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"

namespace relu {

// "models/m/1/model.activity.json" for "models/m/1/model.onnx".
std::filesystem::path ActivityFileOf(const std::filesystem::path& model_file);

// The baseline beside `model_file`, checked against the model; nullopt if there
// is none. Errors name the file:
//   INVALID_ARGUMENT  it is larger than 256 MiB, is not the JSON form of a
//                     GetActivityResponse (proto/relu.proto), or not of this
//                     model
//   those of ReadFile
absl::StatusOr<std::optional<ActivityBaseline>> ReadActivityFile(
    const std::filesystem::path& model_file, const CompiledModel& model);

}  // namespace relu

#endif  // CORE_REPOSITORY_ACTIVITY_FILE_H_
