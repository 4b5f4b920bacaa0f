#include "server/rest_infer_request.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "server/json_tensor.h"
#include "server/shared_memory_tensor.h"
#include "server/text.h"

namespace relu {
namespace {

namespace ondemand = simdjson::ondemand;
using inference::InferParameter;
using inference::ModelInferRequest;
using InputTensor = ModelInferRequest::InferInputTensor;

// A parser keeps a few bytes for each byte of the largest document that it has
// read. Larger ones than this have a parser of their own.
constexpr std::size_t kMaxKeptJsonBytes = 1 << 20;

// Inputs, outputs and parameters of one request: more than any model has. Each
// takes far more memory than the few bytes of JSON that name it.
constexpr std::size_t kMaxItems = 16384;

// Of a shape, for the same reason; as many as "data" may be nested.
constexpr int kMaxDimensions = 32;

// What is left of the body and of the room for what it says.
struct Room {
  std::string_view binary;
  std::size_t bytes;  // Of values.
  std::size_t items = kMaxItems;
};

absl::Status BadRequest(std::string_view message) {
  return absl::InvalidArgumentError(std::string(message));
}

absl::Status BadJson(simdjson::error_code error) {
  return BadRequest(
      fmt::format("the body is no JSON: {}", simdjson::error_message(error)));
}

absl::Status WrongMember(std::string_view field, std::string_view wanted) {
  return BadRequest(fmt::format("JSON field '{}': expected {}", field, wanted));
}

// For one more input, output or parameter.
absl::Status TakeItem(Room& room) {
  if (room.items == 0) {
    return BadRequest(fmt::format(
        "more inputs, outputs and parameters than {} in all", kMaxItems));
  }
  --room.items;
  return absl::OkStatus();
}

// Calls `visit(key, value)` for each member.
template <typename Visit>
absl::Status ForEachMember(ondemand::object& object, Visit visit) {
  for (auto member : object) {
    std::string_view key;
    ondemand::value item;
    simdjson::error_code error = member.unescaped_key().get(key);
    if (error == simdjson::SUCCESS) {
      error = member.value().get(item);
    }
    if (error != simdjson::SUCCESS) {
      return BadJson(error);
    }
    RETURN_IF_ERROR(visit(key, item));
  }
  return absl::OkStatus();
}

// The same for a value that should be an object.
template <typename Visit>
absl::Status ForEachMember(ondemand::value value, std::string_view name,
                           Visit visit) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return WrongMember(name, "an object");
  }
  return ForEachMember(object, visit);
}

// Calls `visit(element)` for each element of the array `value`.
template <typename Visit>
absl::Status ForEachElement(ondemand::value value, std::string_view name,
                            Visit visit) {
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) {
    return WrongMember(name, "a list");
  }
  for (auto element : array) {
    ondemand::value item;
    if (const auto error = element.get(item); error != simdjson::SUCCESS) {
      return BadJson(error);
    }
    RETURN_IF_ERROR(visit(item));
  }
  return absl::OkStatus();
}

absl::Status ReadText(ondemand::value value, std::string_view name,
                      std::string& text) {
  std::string_view view;
  if (value.get_string().get(view) != simdjson::SUCCESS) {
    return WrongMember(name, "a string");
  }
  text = view;
  return absl::OkStatus();
}

absl::Status ReadFlag(ondemand::value value, std::string_view name,
                      bool& flag) {
  return value.get_bool().get(flag) == simdjson::SUCCESS
             ? absl::OkStatus()
             : WrongMember(name, "true or false");
}

// --- Parameters ---

absl::Status ReadParameter(std::string_view key, ondemand::value value,
                           Room& room, TensorParameters& parameters) {
  RETURN_IF_ERROR(TakeItem(room));
  InferParameter parameter;
  std::int64_t integer = 0;
  std::uint64_t natural = 0;
  double real = 0;
  bool flag = false;
  std::string_view text;
  if (value.get_int64().get(integer) == simdjson::SUCCESS) {
    parameter.set_int64_param(integer);
  } else if (value.get_uint64().get(natural) == simdjson::SUCCESS) {
    parameter.set_uint64_param(natural);
  } else if (value.get_double().get(real) == simdjson::SUCCESS) {
    parameter.set_double_param(real);
  } else if (value.get_bool().get(flag) == simdjson::SUCCESS) {
    parameter.set_bool_param(flag);
  } else if (value.get_string().get(text) == simdjson::SUCCESS) {
    parameter.set_string_param(std::string(text));
  } else {
    return WrongMember(Printable(key), "a number, a boolean or a string");
  }
  parameters[std::string(key)] = std::move(parameter);
  return absl::OkStatus();
}

// --- Inputs ---

// What an input says besides the fields of its message.
struct InputForm {
  bool has_data = false;
  std::optional<std::size_t> binary_bytes;
};

absl::Status ReadShape(ondemand::value value, InputTensor& input) {
  return ForEachElement(
      value, "shape", [&](ondemand::value item) -> absl::Status {
        if (input.shape_size() == kMaxDimensions) {
          return WrongMember(
              "shape", fmt::format("at most {} dimensions", kMaxDimensions));
        }
        std::int64_t size = 0;
        if (item.get_int64().get(size) != simdjson::SUCCESS) {
          return WrongMember("shape", "a list of integers");
        }
        input.add_shape(size);
        return absl::OkStatus();
      });
}

absl::Status ReadInputParameter(std::string_view key, ondemand::value value,
                                Room& room, InputTensor& input,
                                InputForm& form) {
  if (key != "binary_data_size") {
    return ReadParameter(key, value, room, *input.mutable_parameters());
  }
  std::uint64_t bytes = 0;
  if (value.get_uint64().get(bytes) != simdjson::SUCCESS) {
    return WrongMember("binary_data_size", "a number of bytes");
  }
  form.binary_bytes = bytes;
  return absl::OkStatus();
}

// Everything but the data, which may come before what it takes to read it.
absl::StatusOr<InputForm> ReadInputFields(ondemand::object& object, Room& room,
                                          InputTensor& input) {
  InputForm form;
  RETURN_IF_ERROR(ForEachMember(
      object, [&](std::string_view key, ondemand::value value) -> absl::Status {
        if (key == "name") {
          return ReadText(value, "name", *input.mutable_name());
        }
        if (key == "datatype") {
          return ReadText(value, "datatype", *input.mutable_datatype());
        }
        if (key == "shape") {
          return ReadShape(value, input);
        }
        if (key == "parameters") {
          return ForEachMember(
              value, "parameters",
              [&](std::string_view name, ondemand::value item) {
                return ReadInputParameter(name, item, room, input, form);
              });
        }
        form.has_data |= key == "data";
        return absl::OkStatus();
      }));
  return form;
}

absl::Status TakeBinary(std::size_t bytes, Room& room, std::string& values) {
  if (bytes > room.binary.size()) {
    return BadRequest(fmt::format(
        "\"binary_data_size\" is {}, the body has {} bytes left behind its "
        "JSON (Inference-Header-Content-Length says where that ends)",
        bytes, room.binary.size()));
  }
  values.assign(room.binary.substr(0, bytes));
  room.binary.remove_prefix(bytes);
  return absl::OkStatus();
}

absl::Status ReadInputValues(ondemand::object& object, const InputForm& form,
                             const InputTensor& input, Room& room,
                             std::string& values) {
  if (form.has_data == form.binary_bytes.has_value()) {
    return BadRequest(form.has_data
                          ? "\"data\" and \"binary_data_size\", expected one"
                          : "no values, expected \"data\" or the parameter "
                            "\"binary_data_size\"");
  }
  if (form.binary_bytes.has_value()) {
    return TakeBinary(*form.binary_bytes, room, values);
  }
  ondemand::value data;
  simdjson::error_code error = object.reset().error();
  if (error == simdjson::SUCCESS) {
    error = object.find_field_unordered("data").get(data);
  }
  if (error != simdjson::SUCCESS) {
    return BadJson(error);
  }
  return JsonToTensor(
      data, input.datatype(),
      {input.shape().data(), static_cast<std::size_t>(input.shape_size())},
      room.bytes, values);
}

absl::Status ReadInput(ondemand::value value, Room& room,
                       ModelInferRequest& message) {
  ondemand::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) {
    return WrongMember("inputs", "a list of objects");
  }
  RETURN_IF_ERROR(TakeItem(room));
  InputTensor& input = *message.add_inputs();
  ASSIGN_OR_RETURN(const InputForm form, ReadInputFields(object, room, input));
  if (InSharedMemory(input.parameters())) {
    return form.has_data || form.binary_bytes.has_value()
               ? BadRequest(fmt::format(
                     "input '{}': values in the request and in shared memory, "
                     "expected neither \"data\" nor \"binary_data_size\" with "
                     "\"shared_memory_region\"",
                     Printable(input.name())))
               : absl::OkStatus();
  }
  std::string& values = *message.add_raw_input_contents();
  const absl::Status status =
      ReadInputValues(object, form, input, room, values);
  room.bytes -= std::min(room.bytes, values.size());
  return WithPrefix(fmt::format("input '{}': ", Printable(input.name())),
                    status);
}

// --- Outputs ---

absl::Status ReadOutput(ondemand::value value, Room& room,
                        ModelInferRequest& message,
                        std::vector<std::optional<bool>>& binary) {
  RETURN_IF_ERROR(TakeItem(room));
  auto& output = *message.add_outputs();
  std::optional<bool>& form = binary.emplace_back();
  const auto read_parameter = [&](std::string_view key, ondemand::value item) {
    if (key != "binary_data") {
      return ReadParameter(key, item, room, *output.mutable_parameters());
    }
    return ReadFlag(item, key, form.emplace());
  };
  return ForEachMember(
      value, "outputs",
      [&](std::string_view key, ondemand::value item) -> absl::Status {
        if (key == "name") {
          return ReadText(item, "name", *output.mutable_name());
        }
        return key == "parameters"
                   ? ForEachMember(item, "parameters", read_parameter)
                   : absl::OkStatus();
      });
}

}  // namespace

struct RestInferReader::Parser {
  ondemand::parser parser;
};

RestInferReader::RestInferReader() : parser_(std::make_unique<Parser>()) {}
RestInferReader::~RestInferReader() = default;

absl::Status RestInferReader::Read(std::string& body, std::size_t json_bytes,
                                   std::size_t max_bytes,
                                   ModelInferRequest& message,
                                   OutputForms& forms) {
  // The parser reads past the end, in vectors.
  body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  Room room = {.binary = std::string_view(body).substr(json_bytes),
               .bytes = max_bytes};
  std::vector<std::optional<bool>> binary;
  bool binary_usual = false;
  const auto read_parameter = [&](std::string_view key, ondemand::value value) {
    return key == "binary_data_output"
               ? ReadFlag(value, key, binary_usual)
               : ReadParameter(key, value, room, *message.mutable_parameters());
  };
  const auto read_member = [&](std::string_view key,
                               ondemand::value value) -> absl::Status {
    if (key == "id") {
      return ReadText(value, "id", *message.mutable_id());
    }
    if (key == "parameters") {
      return ForEachMember(value, key, read_parameter);
    }
    if (key == "inputs") {
      return ForEachElement(value, key, [&](ondemand::value item) {
        return ReadInput(item, room, message);
      });
    }
    return key == "outputs" ? ForEachElement(value, key,
                                             [&](ondemand::value item) {
                                               return ReadOutput(
                                                   item, room, message, binary);
                                             })
                            : absl::OkStatus();
  };
  std::optional<Parser> large;
  if (json_bytes > kMaxKeptJsonBytes) {
    large.emplace();
  }
  Parser& parser = large.has_value() ? *large : *parser_;
  ondemand::document document;
  if (const auto error =
          parser.parser.iterate(body.data(), json_bytes, body.capacity())
              .get(document);
      error != simdjson::SUCCESS) {
    return BadJson(error);
  }
  ondemand::object root;
  if (const auto error = document.get_object().get(root);
      error != simdjson::SUCCESS) {
    return error == simdjson::INCORRECT_TYPE
               ? BadRequest("the body: expected a JSON object")
               : BadJson(error);
  }
  RETURN_IF_ERROR(ForEachMember(root, read_member));
  if (document.current_location().error() == simdjson::SUCCESS) {
    return BadRequest("the body is no JSON: more follows its object");
  }
  if (!room.binary.empty()) {
    return BadRequest(
        fmt::format("{} bytes follow the values of the last input with a "
                    "\"binary_data_size\", expected none",
                    room.binary.size()));
  }
  const auto form_of = [](bool as_bytes) {
    return as_bytes ? OutputForm::kBytes : OutputForm::kJson;
  };
  forms.usual = form_of(binary_usual);
  forms.outputs.clear();
  for (int i = 0; i < message.outputs_size(); ++i) {
    const auto& wanted = binary[static_cast<std::size_t>(i)];
    forms.outputs.push_back(InSharedMemory(message.outputs(i).parameters())
                                ? OutputForm::kSharedMemory
                                : form_of(wanted.value_or(binary_usual)));
  }
  return absl::OkStatus();
}

}  // namespace relu
