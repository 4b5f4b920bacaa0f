#include "core/repository/effective_config.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/repository/config_fields.h"
#include "core/repository/guarantee_config.h"
#include "core/repository/model.h"
#include "core/repository/model_config.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "proto/model_config.pb.h"

namespace relu {
namespace {

std::int32_t MaxBatchSize(const Model& model) {
  std::int64_t rows = model.config().max_batch_size;
  const CompiledModel& compiled = model.compiled();
  const bool any_rows =
      compiled.has_batch_dim() && compiled.fixed_rows() == kBatchDim;
  if (rows == 0 && any_rows && !compiled.couples_rows()) {
    rows = model.max_batch_rows();
  }
  return static_cast<std::int32_t>(
      std::min<std::int64_t>(rows, std::numeric_limits<std::int32_t>::max()));
}

// T is ModelInput or ModelOutput.
template <typename T>
void FillTensor(const TensorSignature& signature, bool with_batch, T& tensor) {
  tensor.set_name(signature.name);
  tensor.set_data_type(ToConfig(signature.type));
  for (const std::int64_t size :
       with_batch ? signature.shape : signature.row_shape) {
    tensor.add_dims(size);
  }
}

void FillParameters(const CompileOptions& options, std::int64_t sample_every,
                    inference::ModelConfig& config) {
  auto& parameters = *config.mutable_parameters();
  parameters["weight_storage"].set_string_value(
      options.weights == WeightStorage::kFloat16 ? "float16" : "float32");
  parameters["zero_skip"].set_string_value(
      options.zero_skip == ZeroSkip::kNever ? "never" : "measured");
  // Not the literal: g++ 12 takes its copy in the map for an overflow.
  const std::string sample_every_key = "activity_sample_every";
  parameters[sample_every_key].set_string_value(
      fmt::format("{}", sample_every));
}

}  // namespace

inference::ModelConfig EffectiveConfig(const Model& model) {
  inference::ModelConfig config;
  if (model.config().message != nullptr) {
    config = *model.config().message;
  }
  config.set_name(model.name());
  if (config.platform().empty()) {
    config.set_platform("relu_onnx");
  }
  if (config.backend().empty()) {
    config.set_backend("relud");
  }
  if (config.version_policy().policy_choice_case() ==
      inference::ModelVersionPolicy::POLICY_CHOICE_NOT_SET) {
    config.mutable_version_policy()->mutable_latest()->set_num_versions(1);
  }
  config.set_max_batch_size(MaxBatchSize(model));
  const bool with_batch = config.max_batch_size() == 0;
  config.clear_input();
  for (const TensorSignature& input : model.compiled().inputs()) {
    FillTensor(input, with_batch, *config.add_input());
  }
  config.clear_output();
  for (const TensorSignature& output : model.compiled().outputs()) {
    inference::ModelOutput& filled = *config.add_output();
    FillTensor(output, with_batch, filled);
    const auto given = std::ranges::find(model.config().outputs, output.name,
                                         &TensorConfig::name);
    if (given != model.config().outputs.end()) {
      filled.set_label_filename(given->label_filename);
    }
  }
  config.clear_instance_group();
  auto& slots = *config.add_instance_group();
  slots.set_name(model.name());
  slots.set_count(model.slots());
  slots.set_kind(inference::ModelInstanceGroup::KIND_CPU);
  config.set_default_model_filename(model.config().model_filename);
  if (!with_batch) {
    config.mutable_dynamic_batching();
  }
  FillParameters(model.config().compile, model.activity().sample_every(),
                 config);
  FillGuarantees(model.config().guarantees, config);
  return config;
}

}  // namespace relu
