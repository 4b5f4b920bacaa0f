#include "client/health_call.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/unknown_field_set.h"

#include "fmt/format.h"

namespace relu {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

constexpr int kServiceField = 1;
constexpr int kStatusField = 1;
constexpr std::uint64_t kServing = 1;

}  // namespace

std::string EncodeHealthRequest(std::string_view service) {
  UnknownFieldSet message;
  message.AddLengthDelimited(kServiceField, std::string(service));
  std::string bytes;
  message.SerializeToString(&bytes);
  return bytes;
}

absl::StatusOr<bool> DecodeHealthResponse(std::string_view bytes) {
  UnknownFieldSet message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InternalError(fmt::format(
        "malformed answer: {} bytes are no HealthCheckResponse", bytes.size()));
  }
  std::uint64_t status = 0;  // A field that is left out is 0: UNKNOWN.
  for (int i = 0; i < message.field_count(); ++i) {
    const UnknownField& field = message.field(i);
    if (field.number() == kStatusField &&
        field.type() == UnknownField::TYPE_VARINT) {
      status = field.varint();
    }
  }
  return status == kServing;
}

}  // namespace relu
