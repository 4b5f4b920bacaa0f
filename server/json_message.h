// Messages of the V2 service as JSON, in the form that the REST API gives them.

#ifndef SERVER_JSON_MESSAGE_H_
#define SERVER_JSON_MESSAGE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace relu {

// The form is that of Protocol Buffers' own JSON with the names of the .proto
// file, except that, as Triton has it:
//
//   - integers of 64 bits are numbers;
//   - a parameter or setting (a message with a oneof `parameter_choice`, or
//     with the one field `value`) is a plain value: {"priority": 2};
//   - a map whose values have a `name` is a list of those values.

// Sets the fields of `message` that the object `json` names; others are
// ignored, as Triton does. Empty text sets none. INVALID_ARGUMENT if it is no
// JSON object, or a value has the wrong type.
absl::Status JsonToMessage(std::string_view json,
                           google::protobuf::Message& message);

// The same for one field: `json` is the value of `field`.
absl::Status JsonToField(std::string_view json,
                         const google::protobuf::FieldDescriptor& field,
                         google::protobuf::Message& message);

// Appends all scalar and repeated fields, and the messages that are set.
void MessageToJson(const google::protobuf::Message& message, std::string& json);

// The value of one field alone; "{}" for a message that is not set.
void FieldToJson(const google::protobuf::Message& message,
                 const google::protobuf::FieldDescriptor& field,
                 std::string& json);

}  // namespace relu

#endif  // SERVER_JSON_MESSAGE_H_
