#include "core/repository/model_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/base/utf8.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/repository/batching_config.h"
#include "core/repository/config_fields.h"
#include "core/repository/guarantee_config.h"
#include "core/repository/model_warmup.h"
#include "core/repository/safe_path.h"
#include "core/repository/shared_features.h"
#include "core/repository/version_policy.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "proto/model_config.pb.h"

namespace relu {
namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
// More slots than any machine has cores only cost memory.
constexpr std::int64_t kMaxSlots = 256;
constexpr std::array<std::string_view, 5> kBackends = {
    "", "onnxruntime", "onnxruntime_onnx", "relud", "relu_onnx"};

// Keeps the first error; lines and columns from 1.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text_.empty()) {
      text_ = fmt::format("{}:{}: {}", line + 1, column + 1, message);
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::StatusOr<inference::ModelConfig> Parse(std::string_view text) {
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  inference::ModelConfig message;
  if (!parser.ParseFromString(std::string(text), &message)) {
    return absl::InvalidArgumentError(error.text());
  }
  return message;
}

absl::Status CheckBackend(std::string_view field, std::string_view value) {
  if (std::ranges::find(kBackends, value) != kBackends.end()) {
    return absl::OkStatus();
  }
  return absl::UnimplementedError(
      fmt::format("{} \"{}\" is not supported: models are ONNX files; wanted "
                  "\"onnxruntime\", \"onnxruntime_onnx\", \"relud\" or none",
                  field, value));
}

// T is ModelInput or ModelOutput; `path` is "input" or "output".
template <typename T>
absl::StatusOr<TensorConfig> ReadTensor(const T& message,
                                        std::string_view path) {
  RETURN_IF_ERROR(CheckFields(message, fmt::format("{}.", path),
                              {"name", "data_type", "dims", "label_filename"}));
  TensorConfig tensor{.name = message.name(),
                      .type = std::nullopt,
                      .dims = {message.dims().begin(), message.dims().end()}};
  if constexpr (std::is_same_v<T, inference::ModelOutput>) {
    tensor.label_filename = message.label_filename();
  }
  if (tensor.name.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("{} has no name; wanted that of a tensor", path));
  }
  if (message.data_type() == inference::TYPE_INVALID) {
    return tensor;  // Not given.
  }
  tensor.type = FromConfig(message.data_type());
  if (!tensor.type.has_value()) {
    return absl::UnimplementedError(
        fmt::format("{} \"{}\": data_type {} ({}) is not supported", path,
                    tensor.name, static_cast<int>(message.data_type()),
                    inference::DataType_Name(message.data_type())));
  }
  return tensor;
}

template <typename Messages>
absl::StatusOr<std::vector<TensorConfig>> ReadTensors(const Messages& messages,
                                                      std::string_view path) {
  std::vector<TensorConfig> tensors;
  for (const auto& message : messages) {
    ASSIGN_OR_RETURN(TensorConfig tensor, ReadTensor(message, path));
    if (std::ranges::find(tensors, tensor.name, &TensorConfig::name) !=
        tensors.end()) {
      return absl::InvalidArgumentError(
          fmt::format("{} \"{}\" is listed twice", path, tensor.name));
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

absl::StatusOr<int> ReadSlots(const inference::ModelConfig& message) {
  std::int64_t slots = 0;
  for (const inference::ModelInstanceGroup& group : message.instance_group()) {
    RETURN_IF_ERROR(
        CheckFields(group, "instance_group.", {"name", "count", "kind"}));
    if (group.kind() != inference::ModelInstanceGroup::KIND_CPU &&
        group.kind() != inference::ModelInstanceGroup::KIND_AUTO) {
      return absl::UnimplementedError(fmt::format(
          "instance_group.kind {} ({}) is not supported: wanted KIND_CPU or "
          "KIND_AUTO",
          static_cast<int>(group.kind()),
          inference::ModelInstanceGroup::Kind_Name(group.kind())));
    }
    if (group.count() < 0) {
      return absl::InvalidArgumentError(fmt::format(
          "instance_group.count is {}, wanted 0 or more", group.count()));
    }
    slots += std::max(1, group.count());
  }
  if (slots > kMaxSlots) {
    return absl::InvalidArgumentError(
        fmt::format("the counts of instance_group sum up to {}, the most is {}",
                    slots, kMaxSlots));
  }
  return static_cast<int>(slots);
}

absl::StatusOr<std::string> ReadFilename(
    const inference::ModelConfig& message) {
  const std::string& name = message.default_model_filename();
  if (name.empty()) {
    return ModelConfig().model_filename;
  }
  if (!IsEntryName(name)) {
    return absl::InvalidArgumentError(
        fmt::format("default_model_filename \"{}\": wanted the name of a file "
                    "in the version folder, without a path",
                    name));
  }
  return name;
}

absl::StatusOr<std::int64_t> ReadSampleEvery(std::string_view text) {
  constexpr std::int64_t kMost = 1'000'000'000;
  std::int64_t rows = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), rows);
  if (error != std::errc() || end != text.data() + text.size() || rows < 0 ||
      rows > kMost) {
    return absl::InvalidArgumentError(
        fmt::format("parameters \"activity_sample_every\" is \"{}\", wanted a "
                    "number of rows from 0 to {}",
                    text, kMost));
  }
  return rows;
}

absl::Status ReadParameters(const inference::ModelConfig& message,
                            ModelConfig& config) {
  CompileOptions& options = config.compile;
  for (const auto& [key, parameter] : message.parameters()) {
    const std::string& value = parameter.string_value();
    if (key == "weight_storage") {
      ASSIGN_OR_RETURN(
          options.weights,
          ReadChoice<WeightStorage>(key, value,
                                    {{"float32", WeightStorage::kFloat32},
                                     {"float16", WeightStorage::kFloat16}}));
    } else if (key == "zero_skip") {
      ASSIGN_OR_RETURN(options.zero_skip,
                       ReadChoice<ZeroSkip>(key, value,
                                            {{"measured", ZeroSkip::kMeasured},
                                             {"never", ZeroSkip::kNever}}));
    } else if (key == "activity_sample_every") {
      ASSIGN_OR_RETURN(config.activity_sample_every, ReadSampleEvery(value));
    } else if (key.starts_with(kVersionLabelPrefix)) {
      RETURN_IF_ERROR(ReadVersionLabel(key, value, config.version_labels));
    } else if (key.starts_with(kSharedFeaturesPrefix)) {
      RETURN_IF_ERROR(ReadSharedFeatures(key, value, config.shared_features));
    } else {
      ASSIGN_OR_RETURN(const bool known,
                       ReadGuarantee(key, value, config.guarantees));
      if (!known) {
        return absl::UnimplementedError(fmt::format(
            "parameters \"{}\" is not supported; there are "
            "\"weight_storage\", \"zero_skip\", \"activity_sample_every\", "
            "\"version_label.<label>\", "
            "\"rank_shared.<input>\", {}",
            key, kGuaranteeParameters));
      }
    }
  }
  return CheckGuarantees(message, config.guarantees);
}

absl::StatusOr<ModelConfig> FromMessage(const inference::ModelConfig& message,
                                        std::string_view model_name) {
  RETURN_IF_ERROR(CheckFields(
      message, "",
      {"name", "backend", "platform", "max_batch_size", "input", "output",
       "instance_group", "default_model_filename", "dynamic_batching",
       "version_policy", "parameters", "model_warmup"}));
  if (!message.name().empty() && message.name() != model_name) {
    return absl::InvalidArgumentError(
        fmt::format("name is \"{}\", wanted that of the folder, \"{}\"",
                    message.name(), model_name));
  }
  RETURN_IF_ERROR(CheckBackend("backend", message.backend()));
  RETURN_IF_ERROR(CheckBackend("platform", message.platform()));
  if (message.max_batch_size() < 0) {
    return absl::InvalidArgumentError(fmt::format(
        "max_batch_size is {}, wanted 0 or more", message.max_batch_size()));
  }
  ModelConfig config;
  config.max_batch_size = message.max_batch_size();
  ASSIGN_OR_RETURN(config.inputs, ReadTensors(message.input(), "input"));
  ASSIGN_OR_RETURN(config.outputs, ReadTensors(message.output(), "output"));
  ASSIGN_OR_RETURN(config.slots, ReadSlots(message));
  ASSIGN_OR_RETURN(config.model_filename, ReadFilename(message));
  ASSIGN_OR_RETURN(config.batching, ReadBatching(message.dynamic_batching(),
                                                 config.max_batch_size));
  RETURN_IF_ERROR(ReadParameters(message, config));
  ASSIGN_OR_RETURN(config.version_policy,
                   ReadVersionPolicy(message.version_policy()));
  for (const inference::ModelWarmup& warmup : message.model_warmup()) {
    ASSIGN_OR_RETURN(WarmupSample sample, ReadWarmup(warmup));
    config.warmup.push_back(std::move(sample));
  }
  config.message = std::make_shared<const inference::ModelConfig>(message);
  return config;
}

// What `dims` must be for this tensor.
Shape WantedDims(const TensorSignature& tensor, const ModelConfig& config) {
  return config.max_batch_size == 0 ? tensor.shape : tensor.row_shape;
}

absl::Status CheckTensor(const TensorConfig& wanted, std::string_view kind,
                         std::span<const TensorSignature> tensors,
                         const ModelConfig& config) {
  const auto found =
      std::ranges::find(tensors, wanted.name, &TensorSignature::name);
  if (found == tensors.end()) {
    std::string names;
    for (const TensorSignature& tensor : tensors) {
      names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", tensor.name);
    }
    return absl::InvalidArgumentError(
        fmt::format("config.pbtxt has {} \"{}\", the model has {}", kind,
                    wanted.name, names));
  }
  if (wanted.type.has_value() && *wanted.type != found->type) {
    return absl::InvalidArgumentError(fmt::format(
        "config.pbtxt: {} \"{}\" has data_type TYPE_{}, the model has TYPE_{}",
        kind, wanted.name, DataTypeName(*wanted.type),
        DataTypeName(found->type)));
  }
  const Shape dims = WantedDims(*found, config);
  if (!wanted.dims.empty() && wanted.dims != dims) {
    return absl::InvalidArgumentError(fmt::format(
        "config.pbtxt: {} \"{}\" has dims {}, the model has {} (max_batch_size "
        "is {}: {} the batch dimension)",
        kind, wanted.name, ShapeText(wanted.dims), ShapeText(dims),
        config.max_batch_size,
        config.max_batch_size == 0 ? "with" : "without"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ModelConfig> ReadModelConfig(const std::filesystem::path& file,
                                            std::string_view model_name) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxConfigBytes));
  const absl::StatusOr<inference::ModelConfig> message = Parse(text);
  if (!message.ok()) {
    // "file:line:column: reason", as compilers write it.
    return WithPrefix(file.string() + ":", message.status());
  }
  absl::StatusOr<ModelConfig> config = FromMessage(*message, model_name);
  if (!config.ok()) {
    return WithPrefix(file.string() + ": ", config.status());
  }
  return config;
}

absl::StatusOr<ModelConfig> ParseModelConfigJson(std::string_view json,
                                                 std::string_view model_name) {
  inference::ModelConfig message;
  if (json.size() > kMaxConfigBytes) {
    return absl::InvalidArgumentError(fmt::format(
        "config: {} bytes, the most is {}", json.size(), kMaxConfigBytes));
  }
  const auto parsed = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(json.data(), json.size()), &message);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("config: {}", ToValidUtf8(parsed.message().ToString())));
  }
  absl::StatusOr<ModelConfig> config = FromMessage(message, model_name);
  if (!config.ok()) {
    return WithPrefix("config: ", config.status());
  }
  return config;
}

std::string LoadKey(const ModelConfig& config) {
  inference::ModelConfig message;
  if (config.message != nullptr) {
    message = *config.message;
  }
  message.clear_version_policy();
  for (const auto& [label, version] : config.version_labels) {
    message.mutable_parameters()->erase(
        fmt::format("{}{}", kVersionLabelPrefix, label));
  }
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream output(&stream);
  // Or maps come in another order each time.
  output.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&output);
  output.Trim();
  return bytes;
}

absl::Status CheckTensors(const ModelConfig& config,
                          const CompiledModel& model) {
  for (const TensorConfig& tensor : config.inputs) {
    RETURN_IF_ERROR(CheckTensor(tensor, "input", model.inputs(), config));
  }
  for (const TensorConfig& tensor : config.outputs) {
    RETURN_IF_ERROR(CheckTensor(tensor, "output", model.outputs(), config));
  }
  if (config.max_batch_size > 0 && model.fixed_rows() > config.max_batch_size) {
    return absl::InvalidArgumentError(
        fmt::format("config.pbtxt: max_batch_size is {}, the model takes "
                    "requests of exactly {} rows",
                    config.max_batch_size, model.fixed_rows()));
  }
  return CheckSharedFeatures(config.shared_features, model);
}

}  // namespace relu
