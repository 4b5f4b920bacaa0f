#include "client/infer_message.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/slice.h"

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

constexpr std::size_t kMaxMessageBytes = (std::size_t{1} << 31) - 1;
// Smaller tensors are copied: a slice of their own costs more.
constexpr std::size_t kMinSharedBytes = 1024;

void SetParameter(const InferParameter& value,
                  inference::InferParameter& parameter) {
  if (const bool* const flag = std::get_if<bool>(&value)) {
    parameter.set_bool_param(*flag);
  } else if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    parameter.set_int64_param(*number);
  } else if (const auto* const size = std::get_if<std::uint64_t>(&value)) {
    parameter.set_uint64_param(*size);
  } else if (const double* const real = std::get_if<double>(&value)) {
    parameter.set_double_param(*real);
  } else {
    parameter.set_string_param(std::get<std::string>(value));
  }
}

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

// All but the contents of the tensors.
inference::ModelInferRequest HeadOf(const InferRequest& request) {
  inference::ModelInferRequest message;
  message.set_model_name(request.model());
  message.set_model_version(request.version());
  message.set_id(request.id());
  for (const InferRequest::Input& input : request.inputs()) {
    auto& tensor = *message.add_inputs();
    tensor.set_name(input.name);
    tensor.set_datatype(input.datatype);
    tensor.mutable_shape()->Add(input.shape.begin(), input.shape.end());
  }
  for (const std::string& output : request.outputs()) {
    message.add_outputs()->set_name(output);
  }
  for (const auto& [name, value] : request.parameters()) {
    SetParameter(value, (*message.mutable_parameters())[name]);
  }
  return message;
}

// What stands before the bytes of a tensor: the field's tag and its size.
std::string ContentsPrefix(std::size_t size_bytes) {
  constexpr int kField =
      inference::ModelInferRequest::kRawInputContentsFieldNumber;
  std::string bytes(1, static_cast<char>(kField << 3 | 2));
  for (; size_bytes >= 0x80; size_bytes >>= 7) {
    bytes += static_cast<char>(size_bytes | 0x80);
  }
  return bytes += static_cast<char>(size_bytes);
}

// Texts one after the other, copied once.
grpc::Slice Joined(const std::vector<std::string_view>& texts) {
  std::size_t size_bytes = 0;
  for (const std::string_view text : texts) {
    size_bytes += text.size();
  }
  grpc::Slice slice(size_bytes);
  // Nobody else knows the slice yet.
  auto* place = const_cast<std::uint8_t*>(slice.begin());
  for (const std::string_view text : texts) {
    place = std::copy(text.begin(), text.end(), place);
  }
  return slice;
}

// A slice of the bytes of `input`, which it keeps alive.
grpc::Slice Shared(const InferRequest::Input& input) {
  auto owner = std::make_unique<std::shared_ptr<const void>>(input.owner);
  // gRPC does not write to it, but the parameter is not const.
  return {const_cast<std::byte*>(input.bytes.data()), input.bytes.size(),
          [](void* released) {
            std::unique_ptr<std::shared_ptr<const void>>(
                static_cast<std::shared_ptr<const void>*>(released));
          },
          owner.release()};
}

}  // namespace

inference::ModelInferRequest ToMessage(const InferRequest& request) {
  inference::ModelInferRequest message = HeadOf(request);
  for (const InferRequest::Input& input : request.inputs()) {
    message.add_raw_input_contents(input.bytes.data(), input.bytes.size());
  }
  return message;
}

absl::StatusOr<grpc::ByteBuffer> ToByteBuffer(const InferRequest& request) {
  const std::string head = HeadOf(request).SerializeAsString();
  std::size_t total_bytes = head.size();
  std::deque<std::string> prefixes;  // Views of them stay valid.
  std::vector<std::string_view> copied = {head};
  std::vector<grpc::Slice> slices;
  for (const InferRequest::Input& input : request.inputs()) {
    copied.push_back(prefixes.emplace_back(ContentsPrefix(input.bytes.size())));
    total_bytes += copied.back().size() + input.bytes.size();
    if (input.owner != nullptr && input.bytes.size() >= kMinSharedBytes) {
      slices.push_back(Joined(copied));
      slices.push_back(Shared(input));
      copied.clear();
    } else {
      copied.emplace_back(reinterpret_cast<const char*>(input.bytes.data()),
                          input.bytes.size());
    }
  }
  if (total_bytes > kMaxMessageBytes) {
    return absl::InvalidArgumentError(
        fmt::format("the request has {} bytes, at most {} are possible",
                    total_bytes, kMaxMessageBytes));
  }
  slices.push_back(Joined(copied));
  return grpc::ByteBuffer(slices.data(), slices.size());
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
