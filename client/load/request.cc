#include "client/load/request.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/infer_message.h"
#include "client/infer_request.h"
#include "client/load/message_reader.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"

namespace relu::load {
namespace {

// The field `id` of ModelInferRequest as text of kIdBytes bytes: the last value
// of a field counts, so it may stand behind all others.
constexpr char kIdPrefix[] = {3 << 3 | 2, kIdBytes};

template <typename T, typename Field>
void Unpack(std::span<const std::byte> bytes, Field& field) {
  field.Reserve(static_cast<int>(bytes.size() / sizeof(T)));
  for (std::size_t i = 0; i + sizeof(T) <= bytes.size(); i += sizeof(T)) {
    T value{};
    std::memcpy(&value, bytes.data() + i, sizeof(T));
    field.Add(value);
  }
}

// False: the protocol has no typed contents for `datatype`.
bool UnpackTensor(std::string_view datatype, std::span<const std::byte> bytes,
                  inference::InferTensorContents& contents) {
  if (datatype == "FP32") {
    Unpack<float>(bytes, *contents.mutable_fp32_contents());
  } else if (datatype == "FP64") {
    Unpack<double>(bytes, *contents.mutable_fp64_contents());
  } else if (datatype == "BOOL") {
    Unpack<bool>(bytes, *contents.mutable_bool_contents());
  } else if (datatype == "INT8") {
    Unpack<std::int8_t>(bytes, *contents.mutable_int_contents());
  } else if (datatype == "INT16") {
    Unpack<std::int16_t>(bytes, *contents.mutable_int_contents());
  } else if (datatype == "INT32") {
    Unpack<std::int32_t>(bytes, *contents.mutable_int_contents());
  } else if (datatype == "INT64") {
    Unpack<std::int64_t>(bytes, *contents.mutable_int64_contents());
  } else if (datatype == "UINT8") {
    Unpack<std::uint8_t>(bytes, *contents.mutable_uint_contents());
  } else if (datatype == "UINT16") {
    Unpack<std::uint16_t>(bytes, *contents.mutable_uint_contents());
  } else if (datatype == "UINT32") {
    Unpack<std::uint32_t>(bytes, *contents.mutable_uint_contents());
  } else if (datatype == "UINT64") {
    Unpack<std::uint64_t>(bytes, *contents.mutable_uint64_contents());
  } else {
    return false;
  }
  return true;
}

absl::Status MakeTyped(const InferRequest& request,
                       inference::ModelInferRequest& message) {
  message.clear_raw_input_contents();
  for (int i = 0; i < message.inputs_size(); ++i) {
    const InferRequest::Input& input =
        request.inputs()[static_cast<std::size_t>(i)];
    auto& contents = *message.mutable_inputs(i)->mutable_contents();
    if (!UnpackTensor(input.datatype, input.bytes, contents)) {
      return absl::InvalidArgumentError(
          fmt::format("input \"{}\": {} can be sent as raw contents only",
                      input.name, input.datatype));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> EncodeRequest(const InferRequest& request,
                                          Contents contents, bool with_id) {
  inference::ModelInferRequest message = ToMessage(request);
  if (contents == Contents::kTyped) {
    RETURN_IF_ERROR(MakeTyped(request, message));
  }
  std::string bytes = message.SerializeAsString();
  if (with_id) {
    bytes.append(kIdPrefix, sizeof(kIdPrefix)).append(IdText(0));
  }
  return WithMessagePrefix(bytes);
}

std::string IdText(std::uint64_t id) { return fmt::format("{:016x}", id); }

}  // namespace relu::load
