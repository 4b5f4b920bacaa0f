#include "server/json_message.h"

#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "server/json_text.h"
#include "server/text.h"

namespace relu {
namespace {

namespace dom = simdjson::dom;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// What these messages need is 4 levels deep.
constexpr std::size_t kMaxDepth = 32;

std::string_view ToView(const std::string& text) { return text; }

absl::Status WrongField(const FieldDescriptor& field, std::string_view wanted) {
  return absl::InvalidArgumentError(fmt::format("JSON field '{}': expected {}",
                                                ToView(field.name()), wanted));
}

// --- From JSON ---

absl::StatusOr<dom::element> ParseJson(std::string_view json,
                                       dom::parser& parser) {
  dom::element root;
  simdjson::error_code error = parser.allocate(json.size(), kMaxDepth);
  if (error == simdjson::SUCCESS) {
    error = parser.parse(json.data(), json.size()).get(root);
  }
  if (error != simdjson::SUCCESS) {
    return absl::InvalidArgumentError(
        fmt::format("the body is no JSON: {}", simdjson::error_message(error)));
  }
  return root;
}

absl::Status SetField(const dom::element& value, const FieldDescriptor& field,
                      Message& message);

// The field of a oneof that holds a plain value of this type; nullptr: none.
const FieldDescriptor* ChooseField(const dom::element& value,
                                   std::string_view key,
                                   const Descriptor& type) {
  const auto find = [&](const char* name) {
    return type.FindFieldByName(name);
  };
  switch (value.type()) {
    case dom::element_type::BOOL:
      return find("bool_param");
    case dom::element_type::INT64:
      return find(type.FindFieldByName("int64_param") != nullptr
                      ? "int64_param"
                      : "uint32_param");
    case dom::element_type::UINT64:
      return find("uint64_param");
    case dom::element_type::DOUBLE:
      return find("double_param");
    case dom::element_type::STRING:
      // The files of a model that is loaded: bytes, which are base64 here.
      return find(key.starts_with("file:") && find("bytes_param") != nullptr
                      ? "bytes_param"
                      : "string_param");
    default:
      return nullptr;
  }
}

bool IsPlain(const Descriptor& type) {
  return type.FindOneofByName("parameter_choice") != nullptr ||
         (type.field_count() == 1 && type.field(0)->name() == "value" &&
          type.field(0)->is_repeated());
}

// A parameter or setting.
absl::Status SetPlain(const dom::element& value, std::string_view key,
                      Message& message) {
  const Descriptor& type = *message.GetDescriptor();
  if (type.FindOneofByName("parameter_choice") == nullptr) {
    // A list of texts; one text is a list of one, and null an empty one.
    const FieldDescriptor& field = *type.field(0);
    if (value.is_null()) {
      return absl::OkStatus();
    }
    if (value.is_array()) {
      return SetField(value, field, message);
    }
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
      return WrongField(field, "a string or a list of strings");
    }
    message.GetReflection()->AddString(&message, &field, std::string(text));
    return absl::OkStatus();
  }
  const FieldDescriptor* const field = ChooseField(value, key, type);
  if (field == nullptr) {
    return absl::InvalidArgumentError(
        fmt::format("JSON parameter '{}': expected a string, a number or a "
                    "boolean, as this parameter has",
                    Printable(key)));
  }
  return SetField(value, *field, message);
}

absl::Status SetObject(const dom::element& value, Message& message) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) {
    return absl::InvalidArgumentError(
        fmt::format("expected a JSON object for {}",
                    ToView(message.GetDescriptor()->name())));
  }
  for (const dom::key_value_pair member : object) {
    const FieldDescriptor* const field =
        message.GetDescriptor()->FindFieldByName(std::string(member.key));
    if (field != nullptr) {
      RETURN_IF_ERROR(SetField(member.value, *field, message));
    }
  }
  return absl::OkStatus();
}

absl::Status SetMap(const dom::element& value, const FieldDescriptor& field,
                    Message& message) {
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) {
    return WrongField(field, "an object");
  }
  for (const dom::key_value_pair member : object) {
    Message& entry = *message.GetReflection()->AddMessage(&message, &field);
    const Descriptor& type = *entry.GetDescriptor();
    const Reflection& reflection = *entry.GetReflection();
    reflection.SetString(&entry, type.map_key(), std::string(member.key));
    const FieldDescriptor& target = *type.map_value();
    if (target.message_type() != nullptr && IsPlain(*target.message_type())) {
      RETURN_IF_ERROR(SetPlain(member.value, member.key,
                               *reflection.MutableMessage(&entry, &target)));
    } else {
      RETURN_IF_ERROR(SetField(member.value, target, entry));
    }
  }
  return absl::OkStatus();
}

absl::Status SetText(const dom::element& value, const FieldDescriptor& field,
                     Message& message) {
  std::string_view view;
  if (value.get(view) != simdjson::SUCCESS) {
    return WrongField(field, "a string");
  }
  std::string text(view);
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    std::string bytes;
    if (!absl::Base64Unescape(text, &bytes)) {
      return WrongField(field, "base64");
    }
    text = std::move(bytes);
  }
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) {
    reflection.AddString(&message, &field, text);
  } else {
    reflection.SetString(&message, &field, text);
  }
  return absl::OkStatus();
}

// Sets a field that is no list, or adds an item to one that is.
template <typename Value>
void Put(const FieldDescriptor& field, Message& message, const Value& value,
         void (Reflection::*set)(Message*, const FieldDescriptor*, Value) const,
         void (Reflection::*add)(Message*, const FieldDescriptor*, Value)
             const) {
  const Reflection& reflection = *message.GetReflection();
  (reflection.*(field.is_repeated() ? add : set))(&message, &field, value);
}

absl::Status SetNumber(const dom::element& value, const FieldDescriptor& field,
                       Message& message) {
  std::int64_t integer = 0;
  std::uint64_t natural = 0;
  double real = 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      if (value.get(integer) != simdjson::SUCCESS) {
        return WrongField(field, "an integer");
      }
      Put(field, message, integer, &Reflection::SetInt64,
          &Reflection::AddInt64);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_UINT64:
      if (value.get(natural) != simdjson::SUCCESS) {
        return WrongField(field, "an integer of 0 or more");
      }
      Put(field, message, natural, &Reflection::SetUInt64,
          &Reflection::AddUInt64);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_UINT32:
      if (value.get(natural) != simdjson::SUCCESS || natural > UINT32_MAX) {
        return WrongField(field, "an integer of 0 to 4294967295");
      }
      Put(field, message, static_cast<std::uint32_t>(natural),
          &Reflection::SetUInt32, &Reflection::AddUInt32);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_DOUBLE:
      if (value.get(real) != simdjson::SUCCESS) {
        return WrongField(field, "a number");
      }
      Put(field, message, real, &Reflection::SetDouble, &Reflection::AddDouble);
      return absl::OkStatus();
    default:
      return absl::UnimplementedError(
          fmt::format("JSON field '{}' cannot be set", ToView(field.name())));
  }
}

absl::Status SetEnum(const dom::element& value, const FieldDescriptor& field,
                     Message& message) {
  std::string_view name;
  const google::protobuf::EnumValueDescriptor* found = nullptr;
  if (value.get(name) == simdjson::SUCCESS) {
    found = field.enum_type()->FindValueByName(std::string(name));
  }
  if (found == nullptr) {
    return WrongField(field, fmt::format("the name of a value of {}",
                                         field.enum_type()->name()));
  }
  message.GetReflection()->SetEnum(&message, &field, found);
  return absl::OkStatus();
}

// An item of a list. Lists of numbers may be nested: as tensors are written.
absl::Status AddItem(const dom::element& item, const FieldDescriptor& field,
                     Message& message) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    return SetText(item, field, message);
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    return SetObject(item,
                     *message.GetReflection()->AddMessage(&message, &field));
  }
  dom::array nested;
  if (item.get(nested) != simdjson::SUCCESS) {
    return SetNumber(item, field, message);
  }
  for (const dom::element inner : nested) {
    RETURN_IF_ERROR(AddItem(inner, field, message));
  }
  return absl::OkStatus();
}

absl::Status SetField(const dom::element& value, const FieldDescriptor& field,
                      Message& message) {
  if (field.is_map()) {
    return SetMap(value, field, message);
  }
  dom::array items;
  if (field.is_repeated() && value.get(items) == simdjson::SUCCESS) {
    for (const dom::element item : items) {
      RETURN_IF_ERROR(AddItem(item, field, message));
    }
    return absl::OkStatus();
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING &&
      !field.is_repeated()) {
    return SetText(value, field, message);
  }
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL &&
      !field.is_repeated()) {
    bool flag = false;
    if (value.get(flag) != simdjson::SUCCESS) {
      return WrongField(field, "true or false");
    }
    message.GetReflection()->SetBool(&message, &field, flag);
    return absl::OkStatus();
  }
  if (field.is_repeated()) {
    return WrongField(field, field.cpp_type() == FieldDescriptor::CPPTYPE_STRING
                                 ? "a list of strings"
                                 : "a list");
  }
  return field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM
             ? SetEnum(value, field, message)
             : SetNumber(value, field, message);
}

// --- To JSON ---

// The shortest text that is read as the same value. JSON has no numbers for
// what is not finite: Protocol Buffers write a string.
template <typename Real>
void AppendNumber(Real value, std::string& json) {
  if (std::isnan(value)) {
    json += "\"NaN\"";
  } else if (std::isinf(value)) {
    json += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    fmt::format_to(std::back_inserter(json), "{}", value);
  }
}

// One value of a field: number `index` if it is repeated.
void AppendValue(const Message& message, const FieldDescriptor& field,
                 int index, std::string& json) {
  const Reflection& from = *message.GetReflection();
  const bool many = field.is_repeated();
  const auto append = [&](const auto& value) {
    fmt::format_to(std::back_inserter(json), "{}", value);
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return append(many ? from.GetRepeatedInt32(message, &field, index)
                         : from.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return append(many ? from.GetRepeatedInt64(message, &field, index)
                         : from.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return append(many ? from.GetRepeatedUInt32(message, &field, index)
                         : from.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return append(many ? from.GetRepeatedUInt64(message, &field, index)
                         : from.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return AppendNumber(many ? from.GetRepeatedDouble(message, &field, index)
                               : from.GetDouble(message, &field),
                          json);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return AppendNumber(many ? from.GetRepeatedFloat(message, &field, index)
                               : from.GetFloat(message, &field),
                          json);
    case FieldDescriptor::CPPTYPE_BOOL:
      return append(many ? from.GetRepeatedBool(message, &field, index)
                         : from.GetBool(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return AppendJsonString(
          (many ? from.GetRepeatedEnum(message, &field, index)
                : from.GetEnum(message, &field))
              ->name(),
          json);
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text =
          many ? from.GetRepeatedString(message, &field, index)
               : from.GetString(message, &field);
      return AppendJsonString(field.type() == FieldDescriptor::TYPE_BYTES
                                  ? absl::Base64Escape(text)
                                  : text,
                              json);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageToJson(many
                               ? from.GetRepeatedMessage(message, &field, index)
                               : from.GetMessage(message, &field),
                           json);
  }
}

// A parameter: the value of the field that is set; null if none is.
void AppendPlain(const Message& message, std::string& json) {
  const Descriptor& type = *message.GetDescriptor();
  const auto* const choice = type.FindOneofByName("parameter_choice");
  if (choice == nullptr) {
    FieldToJson(message, *type.field(0), json);
    return;
  }
  const FieldDescriptor* const field =
      message.GetReflection()->GetOneofFieldDescriptor(message, choice);
  if (field == nullptr) {
    json += "null";
  } else {
    AppendValue(message, *field, 0, json);
  }
}

void AppendMap(const Message& message, const FieldDescriptor& field,
               std::string& json) {
  const Descriptor& type = *field.message_type();
  const Descriptor* const values = type.map_value()->message_type();
  const bool list =
      values != nullptr && values->FindFieldByName("name") != nullptr;
  const Reflection& from = *message.GetReflection();
  json += list ? '[' : '{';
  for (int i = 0; i < from.FieldSize(message, &field); ++i) {
    const Message& entry = from.GetRepeatedMessage(message, &field, i);
    json += i == 0 ? "" : ",";
    if (!list) {
      AppendValue(entry, *type.map_key(), 0, json);
      json += ':';
    }
    AppendValue(entry, *type.map_value(), 0, json);
  }
  json += list ? ']' : '}';
}

// Whether a message's JSON shows the field.
bool IsShown(const Message& message, const FieldDescriptor& field) {
  const Reflection& from = *message.GetReflection();
  if (field.is_map()) {
    return from.FieldSize(message, &field) > 0;
  }
  return field.is_repeated() || !field.has_presence() ||
         from.HasField(message, &field);
}

}  // namespace

absl::Status JsonToMessage(std::string_view json, Message& message) {
  if (json.empty()) {
    return absl::OkStatus();
  }
  dom::parser parser;
  ASSIGN_OR_RETURN(const dom::element root, ParseJson(json, parser));
  return SetObject(root, message);
}

absl::Status JsonToField(std::string_view json, const FieldDescriptor& field,
                         Message& message) {
  if (json.empty()) {
    return absl::OkStatus();
  }
  dom::parser parser;
  ASSIGN_OR_RETURN(const dom::element root, ParseJson(json, parser));
  return SetField(root, field, message);
}

void MessageToJson(const Message& message, std::string& json) {
  const Descriptor& type = *message.GetDescriptor();
  if (IsPlain(type)) {
    AppendPlain(message, json);
    return;
  }
  json += '{';
  bool first = true;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!IsShown(message, field)) {
      continue;
    }
    json += first ? "" : ",";
    first = false;
    AppendJsonString(field.name(), json);
    json += ':';
    FieldToJson(message, field, json);
  }
  json += '}';
}

void FieldToJson(const Message& message, const FieldDescriptor& field,
                 std::string& json) {
  if (field.is_map()) {
    AppendMap(message, field, json);
    return;
  }
  if (!field.is_repeated()) {
    AppendValue(message, field, 0, json);
    return;
  }
  json += '[';
  const int size = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < size; ++i) {
    json += i == 0 ? "" : ",";
    AppendValue(message, field, i, json);
  }
  json += ']';
}

}  // namespace relu
