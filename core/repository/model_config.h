// ModelConfig: what the optional config.pbtxt of a model says.
//
// The file is a ModelConfig message (proto/model_config.proto) in the text form
// of Protocol Buffers, as Triton reads it; no field is required. What relud
// makes of each field:
//
//   name                     must be that of the model's folder
//   backend, platform        "", "onnxruntime", "onnxruntime_onnx" or "relud"
//   max_batch_size           rows that a request, and a batch, may have at
//                            most; 0: requests of any size are taken, the
//                            server's own limit of a batch holds, and `dims`
//                            below count the batch dimension
//   input, output            name must be a tensor of the model; data_type and
//                            dims, if given, must be the model's own. Tensors
//                            that are not listed are served all the same
//   output.label_filename    a file in the model's folder with the names of its
//                            classes; see core/repository/class_labels.h
//   instance_group           the sum of the counts is the number of execution
//                            slots: batches that may run at the same time
//                            (1 .. 256; a count of 0 means 1). kind is KIND_CPU
//                            or KIND_AUTO
//   default_model_filename   the file in a version folder; "model.onnx" if ""
//   dynamic_batching         always on; see core/repository/batching_config.h
//   version_policy           latest, all or specific
//   parameters               "weight_storage": "float32" (the default), or
//                            "float16" for half the memory and other answers;
//                            "zero_skip": "measured" (the default) or "never";
//                            "activity_sample_every": of so many rows one is
//                            looked at for GetActivity, "0" for none;
//                            "version_label.<label>": a version that requests
//                            may then name by the label;
//                            "rank_shared.<input>": the elements of a row that
//                            the items of a Rank call share: "0-15,40"
//   model_warmup             requests that the model answers before it is
//                            served
//
// Every other field that is set is refused by its name, so that no setting is
// silently without effect.

#ifndef CORE_REPOSITORY_MODEL_CONFIG_H_
#define CORE_REPOSITORY_MODEL_CONFIG_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/batching/batching_options.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/repository/guarantee_config.h"
#include "core/repository/model_warmup.h"
#include "core/repository/shared_features.h"
#include "core/repository/version_policy.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace inference {
class ModelConfig;
}  // namespace inference

namespace relu {

// What config.pbtxt says of one tensor.
struct TensorConfig {
  std::string name;
  std::optional<DataType> type;
  // Without the batch dimension if max_batch_size is above 0.
  Shape dims;  // Empty: not given.
  // Of an output, relative to the model's folder. Empty: it has no labels.
  std::string label_filename = {};
};

// The defaults are those of a model without config.pbtxt.
struct ModelConfig {
  std::int64_t max_batch_size = 0;  // 0: no limit of its own.
  std::vector<TensorConfig> inputs;
  std::vector<TensorConfig> outputs;
  int slots = 0;  // 0: the server's default.
  std::string model_filename = "model.onnx";
  BatchingOptions batching = {};
  CompileOptions compile;
  GuaranteeConfig guarantees;
  VersionPolicy version_policy;
  VersionLabels version_labels;
  SharedFeatures shared_features;
  std::vector<WarmupSample> warmup;
  // See ActivityOptions; nullopt: the server's default.
  std::optional<std::int64_t> activity_sample_every;
  // What all of the above was read from; nullptr if there was nothing.
  std::shared_ptr<const inference::ModelConfig> message;
};

// Reads `file`, of at most 1 MiB, as the configuration of model `model_name`.
// Errors name the file, and the line if it cannot be parsed:
//   INVALID_ARGUMENT  it is not in the text form, or has an unknown field, or a
//                     value out of range
//   UNIMPLEMENTED     it sets a field, or a value, that is not supported
//   those of ReadFile
absl::StatusOr<ModelConfig> ReadModelConfig(const std::filesystem::path& file,
                                            std::string_view model_name);

// The same from the JSON form of the message, as Triton's clients send it to
// load a model with other settings than those of its file. Errors begin with
// "config: ".
absl::StatusOr<ModelConfig> ParseModelConfigJson(std::string_view json,
                                                 std::string_view model_name);

// What of `config` shapes a loaded version: if it is the same for another
// config, there is no need to load the version again.
std::string LoadKey(const ModelConfig& config);

// INVALID_ARGUMENT, with what was found and what was wanted, if `config` says
// of the tensors or of the batch what does not hold for `model`.
absl::Status CheckTensors(const ModelConfig& config,
                          const CompiledModel& model);

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_CONFIG_H_
