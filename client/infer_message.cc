#include "client/infer_message.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/answer_contents.h"
#include "client/infer_result_storage.h"
#include "client/wire_datatype.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace relu {
namespace {

// Typed views of the wire's bytes are the values only on such a machine.
static_assert(std::endian::native == std::endian::little);

absl::Status Malformed(const OutputTensor& output, std::string_view what) {
  return absl::InternalError(fmt::format(
      "malformed answer: output \"{}\" of datatype {} and shape [{}]: {}",
      output.name, output.datatype, fmt::join(output.shape, ","), what));
}

// BYTES: `count` times a length in 4 bytes and that many bytes.
bool HoldsByteStrings(std::string_view bytes, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    std::uint32_t size_bytes = 0;
    if (bytes.size() < sizeof(size_bytes)) {
      return false;
    }
    std::memcpy(&size_bytes, bytes.data(), sizeof(size_bytes));
    bytes.remove_prefix(sizeof(size_bytes));
    if (bytes.size() < size_bytes) {
      return false;
    }
    bytes.remove_prefix(size_bytes);
  }
  return bytes.empty();
}

absl::Status CheckContents(const OutputTensor& output,
                           std::string_view contents) {
  const auto element_size = WireElementSize(output.datatype);
  if (!element_size.has_value()) {
    return Malformed(output, "there is no such datatype");
  }
  const auto count = WireElementCount(output.shape);
  if (!count.has_value()) {
    return Malformed(output, "the shape is negative or too large");
  }
  if (output.datatype == kBytesDatatype) {
    return HoldsByteStrings(contents, *count)
               ? absl::OkStatus()
               : Malformed(output, fmt::format("{} bytes are not {} strings",
                                               contents.size(), *count));
  }
  std::size_t want_bytes = 0;
  if (__builtin_mul_overflow(*element_size, *count, &want_bytes) ||
      want_bytes != contents.size()) {
    return Malformed(output,
                     fmt::format("{} bytes, the shape wants {} x {}",
                                 contents.size(), *count, *element_size));
  }
  return absl::OkStatus();
}

// Makes `contents` good to look at as values, and `output` a view of them.
absl::Status Adopt(std::string& contents, OutputTensor& output) {
  RETURN_IF_ERROR(CheckContents(output, contents));
  if (output.datatype == "BOOL") {
    // Reading a bool that is neither 0 nor 1 is undefined.
    std::ranges::for_each(contents, [](char& c) { c = c != 0 ? 1 : 0; });
  }
  // Aligned for every type: a string's heap memory by 16; its inner buffer for
  // short texts (libstdc++: up to 15 bytes) by 8, which is the widest element.
  output.bytes = std::as_bytes(std::span<const char>(contents));
  return absl::OkStatus();
}

}  // namespace

inference::ModelInferRequest ToMessage(const InferRequest& request) {
  inference::ModelInferRequest message;
  message.set_model_name(request.model());
  message.set_model_version(request.version());
  message.set_id(request.id());
  for (const InferRequest::Input& input : request.inputs()) {
    auto& tensor = *message.add_inputs();
    tensor.set_name(input.name);
    tensor.set_datatype(input.datatype);
    tensor.mutable_shape()->Add(input.shape.begin(), input.shape.end());
    message.add_raw_input_contents(input.bytes.data(), input.bytes.size());
  }
  for (const std::string& output : request.outputs()) {
    message.add_outputs()->set_name(output);
  }
  return message;
}

absl::StatusOr<InferResult> FromMessage(
    std::unique_ptr<inference::ModelInferResponse> message) {
  const int raw_count = message->raw_output_contents_size();
  if (raw_count != 0 && raw_count != message->outputs_size()) {
    return absl::InternalError(
        fmt::format("malformed answer: {} outputs, but {} raw_output_contents",
                    message->outputs_size(), raw_count));
  }
  auto storage = std::make_unique<InferResult::Storage>();
  for (int i = 0; i < message->outputs_size(); ++i) {
    const auto& tensor = message->outputs(i);
    OutputTensor output{.name = tensor.name(),
                        .datatype = tensor.datatype(),
                        .shape = {tensor.shape().begin(), tensor.shape().end()},
                        .bytes = {}};
    if (raw_count == 0) {
      auto bytes = BytesOfTypedContents(tensor.datatype(), tensor.contents());
      if (!bytes.ok()) {
        return Malformed(output, std::string(bytes.status().message()));
      }
      message->add_raw_output_contents(*std::move(bytes));
    }
    RETURN_IF_ERROR(Adopt(*message->mutable_raw_output_contents(i), output));
    storage->outputs.push_back(std::move(output));
  }
  storage->message = std::move(message);
  return InferResult(std::move(storage));
}

}  // namespace relu
