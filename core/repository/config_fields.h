// What the readers of a configuration share: no field is silently without
// effect, and types have one meaning.

#ifndef CORE_REPOSITORY_CONFIG_FIELDS_H_
#define CORE_REPOSITORY_CONFIG_FIELDS_H_

#include <initializer_list>
#include <optional>
#include <string_view>

#include "absl/status/status.h"

#include "core/tensor/data_type.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace inference {
enum DataType : int;
}  // namespace inference

namespace relu {

// UNIMPLEMENTED, with its name, if `message` sets a field that is not in
// `supported`. `path` goes before the name: where the message is in the file.
absl::Status CheckFields(const google::protobuf::Message& message,
                         std::string_view path,
                         std::initializer_list<std::string_view> supported);

// nullopt for a type that relud has no tensors of, or a number without a name.
std::optional<DataType> FromConfig(inference::DataType type);
inference::DataType ToConfig(DataType type);

}  // namespace relu

#endif  // CORE_REPOSITORY_CONFIG_FIELDS_H_
