#include "core/repository/model_warmup.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/plan/compiled_model.h"
#include "core/repository/config_fields.h"
#include "core/repository/safe_path.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "proto/model_config.pb.h"

namespace relu {
namespace {

// Beyond it a load would take minutes, for nothing.
constexpr std::uint32_t kMaxRuns = 10'000;
constexpr std::uint32_t kMaxBatchSize = 65'536;
constexpr std::size_t kMaxSampleBytes = std::size_t{256} << 20;

absl::StatusOr<WarmupSample::Input> ReadInput(
    const std::string& name, const inference::ModelWarmup::Input& message) {
  WarmupSample::Input input;
  input.name = name;
  const std::optional<DataType> type = FromConfig(message.data_type());
  if (!type.has_value()) {
    return absl::UnimplementedError(
        fmt::format("input \"{}\": data_type {} ({}) is not supported", name,
                    static_cast<int>(message.data_type()),
                    inference::DataType_Name(message.data_type())));
  }
  input.type = *type;
  input.dims.assign(message.dims().begin(), message.dims().end());
  switch (message.input_data_type_case()) {
    case inference::ModelWarmup::Input::kZeroData:
      input.source = WarmupSample::Source::kZero;
      break;
    case inference::ModelWarmup::Input::kRandomData:
      input.source = WarmupSample::Source::kRandom;
      break;
    case inference::ModelWarmup::Input::kInputDataFile:
      input.source = WarmupSample::Source::kFile;
      input.file = message.input_data_file();
      break;
    case inference::ModelWarmup::Input::INPUT_DATA_TYPE_NOT_SET:
      return absl::InvalidArgumentError(
          fmt::format("input \"{}\": wanted zero_data, random_data or "
                      "input_data_file",
                      name));
  }
  return input;
}

template <typename T>
void Append(T value, std::vector<std::byte>& bytes) {
  const auto raw = std::as_bytes(std::span(&value, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

// Integers are small, since they may be indices.
void AppendRandom(DataType type, std::minstd_rand& random,
                  std::vector<std::byte>& bytes) {
  const float fraction = static_cast<float>(random() - random.min()) /
                         static_cast<float>(random.max());
  switch (type) {
    case DataType::kFp32:
      Append(fraction, bytes);
      break;
    case DataType::kFp64:
      Append(static_cast<double>(fraction), bytes);
      break;
    case DataType::kFp16:
      Append(FloatToFp16(fraction), bytes);
      break;
    case DataType::kBf16:
      Append(FloatToBf16(fraction), bytes);
      break;
    default:
      // Little-endian, as all our targets are.
      bytes.push_back(static_cast<std::byte>(fraction < 0.5F ? 0 : 1));
      bytes.resize(bytes.size() + DataTypeSize(type) - 1);
  }
}

// Of one row, or of the whole tensor if the dims hold the batch dimension.
absl::StatusOr<std::vector<std::byte>> MakeValues(
    const WarmupSample::Input& input, std::size_t bytes,
    const std::filesystem::path& folder) {
  std::vector<std::byte> values;
  if (input.source == WarmupSample::Source::kZero) {
    values.resize(bytes);
  } else if (input.source == WarmupSample::Source::kRandom) {
    std::minstd_rand random;  // Always the same seed.
    while (values.size() < bytes) {
      AppendRandom(input.type, random, values);
    }
  } else {
    ASSIGN_OR_RETURN(const std::filesystem::path file,
                     ResolveInside(folder, input.file));
    ASSIGN_OR_RETURN(const std::string content,
                     ReadFile(file, kMaxSampleBytes));
    if (content.size() != bytes) {
      return absl::InvalidArgumentError(
          fmt::format("{}: {} bytes, wanted {}: dims {} of {}", file.string(),
                      content.size(), bytes, ShapeText(input.dims),
                      DataTypeName(input.type)));
    }
    const auto raw = std::as_bytes(std::span(content));
    values.assign(raw.begin(), raw.end());
  }
  return values;
}

bool Matches(const Shape& dims, const Shape& wanted) {
  return std::ranges::equal(dims, wanted, [](auto size, auto wanted_size) {
    return wanted_size == kBatchDim ? size > 0 : size == wanted_size;
  });
}

// Where the tensors of a sample come from.
struct Maker {
  const WarmupSample& sample;
  const CompiledModel& model;
  bool dims_without_batch;
  const std::filesystem::path& folder;

  absl::StatusOr<const WarmupSample::Input*> Find(
      const TensorSignature& tensor) const;
  absl::StatusOr<std::int64_t> Rows(const WarmupSample::Input& input,
                                    const TensorSignature& tensor) const;
  absl::StatusOr<std::vector<std::byte>> Tensor(
      const WarmupSample::Input& input, const TensorSignature& tensor,
      std::int64_t rows) const;
  absl::StatusOr<WarmupRequest> Make() const;
};

// The sample's input for a tensor of the model.
absl::StatusOr<const WarmupSample::Input*> Maker::Find(
    const TensorSignature& tensor) const {
  const auto found =
      std::ranges::find(sample.inputs, tensor.name, &WarmupSample::Input::name);
  if (found == sample.inputs.end()) {
    return absl::InvalidArgumentError(
        fmt::format("input \"{}\" of the model is missing", tensor.name));
  }
  if (found->type != tensor.type) {
    return absl::InvalidArgumentError(fmt::format(
        "input \"{}\" has data_type TYPE_{}, the model has TYPE_{}",
        tensor.name, DataTypeName(found->type), DataTypeName(tensor.type)));
  }
  const Shape& wanted = dims_without_batch ? tensor.row_shape : tensor.shape;
  if (!Matches(found->dims, wanted)) {
    return absl::InvalidArgumentError(fmt::format(
        "input \"{}\" has dims {}, the model has {}: {} the batch dimension",
        tensor.name, ShapeText(found->dims), ShapeText(wanted),
        dims_without_batch ? "without" : "with"));
  }
  return &*found;
}

// 0: the tensor does not say.
absl::StatusOr<std::int64_t> Maker::Rows(const WarmupSample::Input& input,
                                         const TensorSignature& tensor) const {
  const std::int64_t rows = dims_without_batch ? sample.batch_size
                            : tensor.row_axis  ? input.dims[*tensor.row_axis]
                                               : 0;
  if (rows > 0 && tensor.row_bytes > 0 &&
      static_cast<std::size_t>(rows) > kMaxSampleBytes / tensor.row_bytes) {
    return absl::InvalidArgumentError(
        fmt::format("input \"{}\": {} rows of {} bytes, the most is {} bytes",
                    input.name, rows, tensor.row_bytes, kMaxSampleBytes));
  }
  return rows;
}

absl::StatusOr<std::vector<std::byte>> Maker::Tensor(
    const WarmupSample::Input& input, const TensorSignature& tensor,
    std::int64_t rows) const {
  const bool one_row = dims_without_batch && tensor.row_axis.has_value();
  ASSIGN_OR_RETURN(
      const std::vector<std::byte> values,
      MakeValues(input, one_row ? tensor.row_bytes : tensor.Bytes(rows),
                 folder));
  std::vector<std::byte> all;
  for (std::int64_t copy = 0; copy < (one_row ? rows : 1); ++copy) {
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

absl::StatusOr<WarmupRequest> Maker::Make() const {
  WarmupRequest request;
  request.runs = sample.runs;
  std::int64_t rows = 0;
  std::vector<const WarmupSample::Input*> inputs;
  for (const TensorSignature& tensor : model.inputs()) {
    ASSIGN_OR_RETURN(const WarmupSample::Input* const input, Find(tensor));
    ASSIGN_OR_RETURN(const std::int64_t of_input, Rows(*input, tensor));
    if (rows != 0 && of_input != 0 && rows != of_input) {
      return absl::InvalidArgumentError(
          fmt::format("input \"{}\" has {} rows, the one before has {}",
                      input->name, of_input, rows));
    }
    rows = std::max(rows, of_input);
    inputs.push_back(input);
  }
  if (sample.inputs.size() > inputs.size()) {
    return absl::InvalidArgumentError(
        fmt::format("there are {} inputs, the model has {}",
                    sample.inputs.size(), inputs.size()));
  }
  request.rows = std::max<std::int64_t>(rows, 1);
  if (model.fixed_rows() != kBatchDim && request.rows != model.fixed_rows()) {
    return absl::InvalidArgumentError(
        fmt::format("it has {} rows, the model takes {}", request.rows,
                    model.fixed_rows()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    ASSIGN_OR_RETURN(std::vector<std::byte> tensor,
                     Tensor(*inputs[i], model.inputs()[i], request.rows));
    request.inputs.push_back(std::move(tensor));
  }
  return request;
}

absl::Status WithName(const std::string& sample, const absl::Status& status) {
  return WithPrefix(fmt::format("model_warmup \"{}\": ", sample), status);
}

}  // namespace

absl::StatusOr<WarmupSample> ReadWarmup(const inference::ModelWarmup& message) {
  if (message.count() > kMaxRuns || message.batch_size() > kMaxBatchSize) {
    return absl::InvalidArgumentError(fmt::format(
        "model_warmup \"{}\": count is {} and batch_size {}, the most is {} "
        "and {}",
        message.name(), message.count(), message.batch_size(), kMaxRuns,
        kMaxBatchSize));
  }
  WarmupSample sample;
  sample.name = message.name();
  sample.batch_size = std::max<std::uint32_t>(message.batch_size(), 1);
  sample.runs = static_cast<int>(std::max<std::uint32_t>(message.count(), 1));
  for (const auto& [name, input_message] : message.inputs()) {
    absl::StatusOr<WarmupSample::Input> input = ReadInput(name, input_message);
    if (!input.ok()) {
      return WithName(sample.name, input.status());
    }
    sample.inputs.push_back(*std::move(input));
  }
  // A map of Protocol Buffers has another order each time.
  std::ranges::sort(sample.inputs, {}, &WarmupSample::Input::name);
  return sample;
}

absl::StatusOr<WarmupRequest> MakeWarmupRequest(
    const WarmupSample& sample, const CompiledModel& model,
    std::int64_t max_batch_size, const std::filesystem::path& folder) {
  if (sample.batch_size > std::max<std::int64_t>(max_batch_size, 1)) {
    const absl::Status status = absl::InvalidArgumentError(fmt::format(
        "batch_size is {}, max_batch_size {}{}", sample.batch_size,
        max_batch_size,
        max_batch_size == 0 ? ": without one, dims hold the whole shape" : ""));
    return WithName(sample.name, status);
  }
  const Maker maker = {.sample = sample,
                       .model = model,
                       .dims_without_batch = max_batch_size > 0,
                       .folder = folder};
  absl::StatusOr<WarmupRequest> request = maker.Make();
  if (!request.ok()) {
    return WithName(sample.name, request.status());
  }
  return request;
}

}  // namespace relu
