#include "server/v2_codec.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/batching/inference_request.h"
#include "core/plan/compiled_model.h"
#include "core/repository/model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "server/classification.h"
#include "server/shared_memory.h"
#include "server/shared_memory_tensor.h"
#include "server/text.h"
#include "server/typed_contents.h"

// The texts of the errors are Triton's where it has one: clients compare them.

namespace relu {
namespace {

// Tensors travel in little-endian order and are used where they lie.
static_assert(std::endian::native == std::endian::little);

using Bytes = std::span<const std::byte>;
using InputTensor = inference::ModelInferRequest::InferInputTensor;

absl::Status Invalid(std::string_view message) {
  return absl::InvalidArgumentError(std::string(message));
}

// "input 'x' for model 'm'"
std::string InputText(std::string_view name, const Model& model) {
  return fmt::format("input '{}' for model '{}'", Printable(name),
                     model.name());
}

// --- Parameters ---

absl::Status ApplyTimeout(const inference::InferParameter& timeout,
                          InferenceRequest& request) {
  if (!timeout.has_int64_param() || timeout.int64_param() < 0) {
    return Invalid(
        "parameter 'timeout': expected microseconds as an int64 of 0 or more");
  }
  request.timeout = std::chrono::microseconds(timeout.int64_param());
  return absl::OkStatus();
}

absl::Status ApplyPriority(const inference::InferParameter& priority,
                           InferenceRequest& request) {
  if (priority.has_uint64_param()) {
    request.priority = priority.uint64_param();
    return absl::OkStatus();
  }
  if (!priority.has_int64_param() || priority.int64_param() < 0) {
    return Invalid(
        "parameter 'priority': expected an int64 or uint64 of 0 or more");
  }
  request.priority = static_cast<std::uint64_t>(priority.int64_param());
  return absl::OkStatus();
}

// Keys that begin with "triton_" are Triton's own. The one that its clients
// send allows an empty last answer in a stream; here every answer is the last.
absl::Status CheckReservedParameters(const TensorParameters& parameters) {
  constexpr std::string_view kAllowed = "triton_enable_empty_final_response";
  for (const auto& [key, value] : parameters) {
    if (!key.starts_with("triton_")) {
      continue;
    }
    if (key != kAllowed) {
      return Invalid(fmt::format(
          "parameter keys starting with 'triton_' are reserved for Triton "
          "usage. Only the following keys starting with 'triton_' are allowed: "
          "{}; got '{}'",
          kAllowed, Printable(key)));
    }
    if (!value.has_bool_param()) {
      return Invalid(fmt::format(
          "invalid value type for '{}' parameter, expected bool_param.", key));
    }
  }
  return absl::OkStatus();
}

absl::Status ApplyRequestParameters(const TensorParameters& parameters,
                                    const Model& model,
                                    InferenceRequest& request) {
  if (parameters.empty()) {
    return absl::OkStatus();
  }
  RETURN_IF_ERROR(CheckReservedParameters(parameters));
  for (const char* name : {"sequence_id", "sequence_start", "sequence_end"}) {
    if (parameters.contains(name)) {
      return absl::UnimplementedError(
          fmt::format("parameter '{}': model '{}' keeps no state between "
                      "requests, expected "
                      "no sequence",
                      name, model.name()));
    }
  }
  const auto timeout = parameters.find("timeout");
  if (timeout != parameters.end()) {
    RETURN_IF_ERROR(ApplyTimeout(timeout->second, request));
  }
  const auto priority = parameters.find("priority");
  if (priority != parameters.end()) {
    RETURN_IF_ERROR(ApplyPriority(priority->second, request));
  }
  return absl::OkStatus();
}

// --- Inputs ---

// The index of the model's tensor of this name, or the number of tensors.
std::size_t FindTensor(std::span<const TensorSignature> tensors,
                       std::string_view name) {
  return static_cast<std::size_t>(
      std::ranges::find(tensors, name, &TensorSignature::name) -
      tensors.begin());
}

absl::Status CheckDatatype(const InputTensor& input,
                           const TensorSignature& signature,
                           const Model& model) {
  const std::string_view wanted = DataTypeName(signature.type);
  if (input.datatype() == wanted) {
    return absl::OkStatus();
  }
  return Invalid(fmt::format(
      "inference input data-type is '{}', model '{}' expects '{}' for '{}'",
      Printable(input.datatype()), model.name(), wanted, signature.name));
}

std::span<const std::int64_t> ShapeOf(const InputTensor& input) {
  return {input.shape().data(), static_cast<std::size_t>(input.shape_size())};
}

// Whether `shape` is one that the model takes, with any number of rows if it
// takes any.
bool Matches(std::span<const std::int64_t> shape, const Shape& wanted) {
  return std::ranges::equal(shape, wanted,
                            [](std::int64_t found, std::int64_t size) {
                              return size == kBatchDim || found == size;
                            });
}

absl::Status CheckShape(const InputTensor& input,
                        const TensorSignature& signature, const Model& model) {
  const std::span<const std::int64_t> shape = ShapeOf(input);
  if (Matches(shape, signature.shape)) {
    return absl::OkStatus();
  }
  // A shape of a thousand dimensions is not worth a thousand numbers.
  return Invalid(fmt::format("unexpected shape for {}: got {}, expected {}",
                             InputText(signature.name, model),
                             Printable(ShapeText(shape.first(
                                 std::min<std::size_t>(shape.size(), 64)))),
                             ShapeText(signature.shape)));
}

absl::Status CheckRows(const InputTensor& input, std::int64_t rows,
                       const Model& model) {
  const std::int64_t most = model.max_request_rows();
  if (rows >= 1 && (most == 0 || rows <= most)) {
    return absl::OkStatus();
  }
  return Invalid(fmt::format(
      "inference request batch-size must be {} for '{}': got {} rows in shape "
      "{} of input '{}'",
      rows < 1 ? std::string(">= 1") : fmt::format("<= {}", most), model.name(),
      rows, ShapeText(ShapeOf(input)), input.name()));
}

// The rows of an input of the right shape, which must be those of the inputs
// before; 1 if it has no batch dimension.
absl::StatusOr<std::int64_t> ReadRows(const InputTensor& input,
                                      const TensorSignature& signature,
                                      const Model& model,
                                      InferenceRequest& request) {
  if (!signature.row_axis) {
    return 1;
  }
  const std::int64_t rows = ShapeOf(input)[*signature.row_axis];
  if (request.rows != 0 && request.rows != rows) {
    return Invalid(fmt::format(
        "input '{}' batch size does not match other inputs for '{}': got {} "
        "rows, expected {}",
        signature.name, model.name(), rows, request.rows));
  }
  RETURN_IF_ERROR(CheckRows(input, rows, model));
  request.rows = rows;
  return rows;
}

// `size` is in units of which a row has `row_size`.
absl::Status CheckSize(std::size_t size, std::size_t row_size,
                       std::int64_t rows, std::string_view unit) {
  // Divided, since a product could overflow. A row of nothing would let a
  // request have any number of rows for free.
  if (row_size > 0 && size % row_size == 0 &&
      size / row_size == static_cast<std::size_t>(rows)) {
    return absl::OkStatus();
  }
  return Invalid(fmt::format("got {} {}, expected {} rows of {} {}", size, unit,
                             rows, row_size, unit));
}

// Where the inputs of a request have their values.
struct InputSources {
  const inference::ModelInferRequest& message;
  const SharedMemoryRegions* shared_memory;  // nullptr: there is none here.
  int next_raw = 0;                          // Of raw_input_contents.
};

// A copy of what is in shared memory.
absl::StatusOr<Bytes> SharedBytes(const SharedMemoryRange& range,
                                  std::int64_t rows,
                                  const TensorSignature& signature,
                                  std::vector<std::byte>& buffer) {
  RETURN_IF_ERROR(
      CheckSize(range.byte_size, signature.row_bytes, rows, "bytes"));
  buffer.resize(range.byte_size);
  RETURN_IF_ERROR(range.region->Read(range.offset, buffer));
  return Bytes(buffer);
}

// Raw contents, or others made raw: as many as the rows need.
absl::StatusOr<Bytes> InputBytes(const InputTensor& input,
                                 InputSources& sources, std::int64_t rows,
                                 const TensorSignature& signature,
                                 std::vector<std::byte>& buffer) {
  ASSIGN_OR_RETURN(const SharedMemoryRange range,
                   FindSharedMemory(input.parameters(), sources.shared_memory));
  if (range.region != nullptr) {
    return SharedBytes(range, rows, signature, buffer);
  }
  const inference::ModelInferRequest& message = sources.message;
  if (message.raw_input_contents_size() > 0) {
    const Bytes bytes = std::as_bytes(
        std::span(message.raw_input_contents(sources.next_raw++)));
    RETURN_IF_ERROR(
        CheckSize(bytes.size(), signature.row_bytes, rows, "bytes"));
    return bytes;
  }
  ASSIGN_OR_RETURN(const Bytes bytes,
                   TypedContents(input.contents(), signature.type, buffer));
  const std::size_t element_bytes = DataTypeSize(signature.type);
  RETURN_IF_ERROR(CheckSize(bytes.size() / element_bytes,
                            signature.row_bytes / element_bytes, rows,
                            "elements"));
  return bytes;
}

// A byte other than 0 and 1 is no bool.
absl::Status CheckBools(Bytes bytes, const TensorSignature& signature,
                        const Model& model) {
  if (signature.type == DataType::kBool &&
      std::ranges::any_of(bytes,
                          [](std::byte b) { return b > std::byte{1}; })) {
    return Invalid(fmt::format("{}: BOOL elements must be 0 or 1",
                               InputText(signature.name, model)));
  }
  return absl::OkStatus();
}

// Typed contents leave no other source.
absl::Status CheckContents(const InputTensor& input, bool has_raw,
                           const Model& model) {
  const bool shared = InSharedMemory(input.parameters());
  if (!input.has_contents() || (!has_raw && !shared)) {
    return absl::OkStatus();
  }
  return Invalid(fmt::format(
      "contents field must not be specified when using {} for '{}' for model "
      "'{}'",
      shared ? "shared memory" : "raw_input_contents", input.name(),
      model.name()));
}

// Everything about one input; sets the request's pointer to its values.
absl::Status DecodeInput(const InputTensor& input, InputSources& sources,
                         const Model& model, ConvertedInputs& converted,
                         InferenceRequest& request) {
  const std::span<const TensorSignature> signatures = model.compiled().inputs();
  const std::size_t tensor = FindTensor(signatures, input.name());
  if (tensor == signatures.size()) {
    return Invalid(fmt::format("unexpected inference input '{}' for model '{}'",
                               Printable(input.name()), model.name()));
  }
  const TensorSignature& signature = signatures[tensor];
  if (request.inputs[tensor] != nullptr) {
    return Invalid(
        fmt::format("input '{}' already exists in request", signature.name));
  }
  RETURN_IF_ERROR(CheckContents(
      input, sources.message.raw_input_contents_size() > 0, model));
  RETURN_IF_ERROR(CheckDatatype(input, signature, model));
  RETURN_IF_ERROR(CheckShape(input, signature, model));
  ASSIGN_OR_RETURN(const std::int64_t rows,
                   ReadRows(input, signature, model, request));
  const absl::StatusOr<Bytes> bytes =
      InputBytes(input, sources, rows, signature, converted[tensor]);
  if (!bytes.ok()) {
    return WithPrefix(fmt::format("unexpected contents of {}: ",
                                  InputText(signature.name, model)),
                      bytes.status());
  }
  RETURN_IF_ERROR(CheckBools(*bytes, signature, model));
  request.inputs[tensor] = bytes->data();
  return absl::OkStatus();
}

// Of the inputs that are not in shared memory.
absl::Status CheckRawCount(const inference::ModelInferRequest& message,
                           const Model& model) {
  const int found = message.raw_input_contents_size();
  if (found == 0) {
    return absl::OkStatus();
  }
  const auto wanted =
      std::ranges::count_if(message.inputs(), [](const InputTensor& input) {
        return !InSharedMemory(input.parameters());
      });
  if (found == wanted) {
    return absl::OkStatus();
  }
  return Invalid(fmt::format(
      "expected one raw_input_contents for each of {} inputs for model '{}', "
      "got {}",
      wanted, model.name(), found));
}

// Names the first input that is missing.
absl::Status CheckAllInputs(const inference::ModelInferRequest& message,
                            const Model& model,
                            const InferenceRequest& request) {
  const auto missing = std::ranges::find(request.inputs, nullptr);
  if (missing == request.inputs.end()) {
    return absl::OkStatus();
  }
  const auto tensor =
      static_cast<std::size_t>(missing - request.inputs.begin());
  return Invalid(fmt::format(
      "expected {} inputs but got {} inputs for model '{}'. Missing input '{}'",
      request.inputs.size(), message.inputs_size(), model.name(),
      model.compiled().inputs()[tensor].name));
}

// --- Outputs ---

absl::Status NoRoom(const TensorSignature& output, const Model& model,
                    std::int64_t rows, std::size_t row_bytes,
                    std::size_t room_bytes) {
  return absl::ResourceExhaustedError(fmt::format(
      "output '{}' of model '{}' would have {} rows of {} bytes, the limit of "
      "an answer leaves {} bytes: send fewer rows",
      output.name, model.name(), rows, row_bytes, room_bytes));
}

// Takes the bytes that the classes of the output take, if the client wants any,
// from `room_bytes`.
absl::Status TakeRoomForClasses(
    const inference::ModelInferRequest::InferRequestedOutputTensor& output,
    std::size_t tensor, const Model& model, std::int64_t request_rows,
    std::size_t& room_bytes) {
  if (output.parameters().empty()) {
    return absl::OkStatus();
  }
  const TensorSignature& signature = model.compiled().outputs()[tensor];
  const std::int64_t rows = signature.row_axis ? request_rows : 1;
  ASSIGN_OR_RETURN(const std::int64_t classes,
                   WantedClasses(output, signature));
  const std::size_t row_bytes =
      static_cast<std::size_t>(classes) *
      MaxClassBytes(signature, model.class_labels(tensor));
  if (row_bytes > 0 &&
      static_cast<std::size_t>(rows) > room_bytes / row_bytes) {
    return NoRoom(signature, model, rows, row_bytes, room_bytes);
  }
  room_bytes -= row_bytes * static_cast<std::size_t>(rows);
  return absl::OkStatus();
}

// Adds the output to the answer and points the request to where its values go.
// Takes the bytes of the values from `room_bytes`.
absl::Status AddOutput(std::size_t tensor, const Model& model,
                       std::size_t& room_bytes, InferenceRequest& request,
                       inference::ModelInferResponse& response) {
  const TensorSignature& signature = model.compiled().outputs()[tensor];
  const std::int64_t rows = signature.row_axis ? request.rows : 1;
  if (signature.row_bytes > 0 &&
      static_cast<std::size_t>(rows) > room_bytes / signature.row_bytes) {
    return NoRoom(signature, model, rows, signature.row_bytes, room_bytes);
  }
  const std::size_t bytes = signature.Bytes(rows);
  room_bytes -= bytes;
  inference::ModelInferResponse::InferOutputTensor& output =
      *response.add_outputs();
  const std::string_view datatype = DataTypeName(signature.type);
  output.set_name(signature.name);
  output.set_datatype(datatype.data(), datatype.size());
  for (const std::int64_t size : signature.shape) {
    output.add_shape(size == kBatchDim ? request.rows : size);
  }
  std::string& values = *response.add_raw_output_contents();
  values.resize(bytes);
  request.outputs[tensor] = reinterpret_cast<std::byte*>(values.data());
  return absl::OkStatus();
}

}  // namespace

absl::Status DecodeRequest(const inference::ModelInferRequest& message,
                           const Model& model,
                           const SharedMemoryRegions* shared_memory,
                           ConvertedInputs& converted,
                           InferenceRequest& request) {
  const std::size_t inputs = model.compiled().inputs().size();
  request.rows = 0;
  request.timeout = std::chrono::microseconds(0);
  request.priority = 0;
  request.inputs.assign(inputs, nullptr);
  request.outputs.assign(model.compiled().outputs().size(), nullptr);
  converted.resize(std::max(converted.size(), inputs));
  RETURN_IF_ERROR(ApplyRequestParameters(message.parameters(), model, request));
  RETURN_IF_ERROR(CheckRawCount(message, model));
  InputSources sources = {.message = message, .shared_memory = shared_memory};
  for (const InputTensor& input : message.inputs()) {
    RETURN_IF_ERROR(DecodeInput(input, sources, model, converted, request));
  }
  if (!model.compiled().has_batch_dim()) {
    request.rows = 1;
  }
  return CheckAllInputs(message, model, request);
}

absl::Status PrepareResponse(const inference::ModelInferRequest& message,
                             const Model& model, std::size_t max_bytes,
                             InferenceRequest& request,
                             inference::ModelInferResponse& response) {
  const std::span<const TensorSignature> outputs = model.compiled().outputs();
  response.set_model_name(model.name());
  response.set_model_version(fmt::format_int(model.version()).c_str());
  response.set_id(message.id());
  std::size_t room_bytes = max_bytes;
  if (message.outputs().empty()) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      RETURN_IF_ERROR(AddOutput(i, model, room_bytes, request, response));
    }
    return absl::OkStatus();
  }
  for (const auto& requested : message.outputs()) {
    const std::size_t tensor = FindTensor(outputs, requested.name());
    if (tensor == outputs.size()) {
      return Invalid(
          fmt::format("unexpected inference output '{}' for model '{}'",
                      Printable(requested.name()), model.name()));
    }
    if (request.outputs[tensor] != nullptr) {
      return Invalid(fmt::format("output '{}' already exists in request",
                                 requested.name()));
    }
    RETURN_IF_ERROR(
        TakeRoomForClasses(requested, tensor, model, request.rows, room_bytes));
    RETURN_IF_ERROR(AddOutput(tensor, model, room_bytes, request, response));
  }
  return absl::OkStatus();
}

}  // namespace relu
