#include "core/repository/config_fields.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

#include "core/base/check.h"
#include "core/tensor/data_type.h"
#include "fmt/format.h"
#include "proto/model_config.pb.h"

namespace relu {
namespace {

// Before the names that the V2 protocol has for the types.
constexpr std::string_view kTypePrefix = "TYPE_";

}  // namespace

absl::Status CheckFields(const google::protobuf::Message& message,
                         std::string_view path,
                         std::initializer_list<std::string_view> supported) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (std::ranges::find(supported, std::string_view(field->name())) ==
        supported.end()) {
      return absl::UnimplementedError(fmt::format(
          "field {}{} is not supported: remove it", path, field->name()));
    }
  }
  return absl::OkStatus();
}

std::optional<DataType> FromConfig(inference::DataType type) {
  const std::string& name = inference::DataType_Name(type);
  return name.starts_with(kTypePrefix)
             ? ParseDataType(std::string_view(name).substr(kTypePrefix.size()))
             : std::nullopt;
}

inference::DataType ToConfig(DataType type) {
  inference::DataType result = inference::TYPE_INVALID;
  CHECK(inference::DataType_Parse(
      fmt::format("{}{}", kTypePrefix, DataTypeName(type)), &result));
  return result;
}

}  // namespace relu
