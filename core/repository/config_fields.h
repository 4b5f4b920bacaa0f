// What the readers of a configuration share: no field is silently without
// effect, and types have one meaning.

#ifndef CORE_REPOSITORY_CONFIG_FIELDS_H_
#define CORE_REPOSITORY_CONFIG_FIELDS_H_

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/tensor/data_type.h"
#include "fmt/format.h"

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

template <typename T>
struct NamedChoice {
  std::string_view name;
  T value;
};

// The one of `choices` that parameter `key` names.
template <typename T>
absl::StatusOr<T> ReadChoice(std::string_view key, std::string_view name,
                             std::initializer_list<NamedChoice<T>> choices) {
  std::string names;
  for (const NamedChoice<T>& choice : choices) {
    if (choice.name == name) {
      return choice.value;
    }
    names += fmt::format("{}\"{}\"", names.empty() ? "" : " or ", choice.name);
  }
  return absl::InvalidArgumentError(
      fmt::format("parameters \"{}\" is \"{}\", wanted {}", key, name, names));
}

// nullopt for a type that relud has no tensors of, or a number without a name.
std::optional<DataType> FromConfig(inference::DataType type);
inference::DataType ToConfig(DataType type);

}  // namespace relu

#endif  // CORE_REPOSITORY_CONFIG_FIELDS_H_
