#include "client/cli/json_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/number.h"
#include "client/cli/rows.h"
#include "core/base/status_macros.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace relu {
namespace {

using Json = nlohmann::json;

// Arrays in arrays: more than any tensor has dimensions.
constexpr int kMaxDepth = 32;

// Finds the place of the first error in a text that is not JSON: the parser
// tells it only to such a listener.
class ErrorFinder final : public nlohmann::json_sax<Json> {
 public:
  std::size_t position() const { return position_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    position_ = position;
    return false;
  }

 private:
  std::size_t position_ = 0;  // Counts from 1.
};

absl::Status NotJson(std::string_view text) {
  ErrorFinder finder;
  Json::sax_parse(text, &finder);
  const std::string_view before =
      text.substr(0, std::max<std::size_t>(finder.position(), 1) - 1);
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0.
  return absl::InvalidArgumentError(fmt::format(
      "line {}, column {}: this is not JSON",
      std::ranges::count(before, '\n') + 1, before.size() - line_begin + 1));
}

absl::StatusOr<Number> ToNumber(const Json& value) {
  if (value.is_number_unsigned()) {
    return Number(value.get<std::uint64_t>());
  }
  if (value.is_number_integer()) {
    return Number(value.get<std::int64_t>());
  }
  if (value.is_number_float()) {
    return Number(value.get<double>());
  }
  if (value.is_boolean()) {
    return Number(std::int64_t{value.get<bool>() ? 1 : 0});
  }
  return absl::InvalidArgumentError(
      fmt::format("{} where a number is wanted", value.type_name()));
}

// Calls `take` with each number of `value`, arrays in arrays, in their order.
template <typename Take>
absl::Status ForEachNumber(const Json& value, const Take& take, int depth = 0) {
  if (!value.is_array()) {
    ASSIGN_OR_RETURN(const Number number, ToNumber(value));
    return take(number);
  }
  if (depth == kMaxDepth) {
    return absl::InvalidArgumentError(
        fmt::format("arrays nest deeper than {}", kMaxDepth));
  }
  for (const Json& element : value) {
    RETURN_IF_ERROR(ForEachNumber(element, take, depth + 1));
  }
  return absl::OkStatus();
}

absl::Status At(std::string_view place, const absl::Status& status) {
  return status.ok() ? status
                     : absl::InvalidArgumentError(fmt::format(
                           "{}: {}", place, std::string(status.message())));
}

// `status`, of a text that is in none of the forms that are taken.
absl::Status OtherForm(const absl::Status& status) {
  return absl::InvalidArgumentError(fmt::format(
      R"({}; wanted is [[...], ...], {{"INPUT": [[...], ...], ...}} or a V2 )"
      R"(request body, {{"inputs": [{{"name": ...}}, ...]}})",
      std::string(status.message())));
}

// Appends all numbers of `value` to `tensor`; there must be `want` of them.
absl::Status AppendElements(const Json& value, std::int64_t want,
                            RowTensor& tensor) {
  std::int64_t count = 0;
  RETURN_IF_ERROR(ForEachNumber(value, [&](const Number& number) {
    ++count;
    return count > want ? absl::OkStatus()
                        : AppendElement(number, tensor.type, tensor.bytes);
  }));
  if (count != want) {
    return absl::InvalidArgumentError(
        fmt::format("{} numbers, {} are wanted", count, want));
  }
  return absl::OkStatus();
}

// One row for all inputs: the elements of the first come first.
absl::Status AppendRow(const Json& row, const ModelInputs& inputs, Rows& rows) {
  std::int64_t want = 0;
  for (const ModelInput& input : inputs.inputs) {
    want += *input.row_elements;
  }
  std::size_t i = 0;
  std::int64_t count = 0;
  std::int64_t count_in_input = 0;
  RETURN_IF_ERROR(ForEachNumber(row, [&](const Number& number) {
    if (++count > want) {
      return absl::OkStatus();
    }
    while (count_in_input == *inputs.inputs[i].row_elements) {
      ++i;
      count_in_input = 0;
    }
    ++count_in_input;
    RowTensor& tensor = rows.inputs[i];
    absl::Status status = AppendElement(number, tensor.type, tensor.bytes);
    return status.ok() ? status
                       : At(fmt::format("input \"{}\"", tensor.name), status);
  }));
  if (count != want) {
    return absl::InvalidArgumentError(
        fmt::format("{} numbers, the model wants {}", count, want));
  }
  return absl::OkStatus();
}

absl::StatusOr<Rows> ReadPlainRows(const Json& json,
                                   const ModelInputs& inputs) {
  ASSIGN_OR_RETURN(Rows rows, EmptyRows(inputs));
  for (const Json& row : json) {
    const absl::Status status =
        At(fmt::format("row {}", rows.count), AppendRow(row, inputs, rows));
    if (!status.ok()) {
      return row.is_array() ? status : OtherForm(status);
    }
    ++rows.count;
  }
  return rows;
}

// The rows of one input.
absl::Status AppendRows(const Json& rows, std::int64_t row_elements,
                        RowTensor& tensor) {
  std::int64_t row_index = 0;
  for (const Json& row : rows) {
    RETURN_IF_ERROR(
        At(fmt::format("input \"{}\", row {}", tensor.name, row_index),
           AppendElements(row, row_elements, tensor)));
    ++row_index;
  }
  return absl::OkStatus();
}

// {"name": [row, row], ...}
absl::StatusOr<Rows> ReadNamedRows(const Json& json,
                                   const ModelInputs& inputs) {
  for (const auto& [name, value] : json.items()) {
    if (const auto input = FindInput(inputs, name); !input.ok()) {
      return OtherForm(input.status());
    }
  }
  ASSIGN_OR_RETURN(Rows rows, EmptyRows(inputs));
  for (std::size_t i = 0; i < rows.inputs.size(); ++i) {
    RowTensor& tensor = rows.inputs[i];
    const auto found = json.find(tensor.name);
    if (found == json.end() || !found->is_array()) {
      return OtherForm(absl::InvalidArgumentError(
          fmt::format("input \"{}\": there is no array of rows", tensor.name)));
    }
    const auto count = static_cast<std::int64_t>(found->size());
    if (i > 0 && count != rows.count) {
      return absl::InvalidArgumentError(
          fmt::format("input \"{}\": {} rows, input \"{}\" has {}", tensor.name,
                      count, rows.inputs[0].name, rows.count));
    }
    rows.count = count;
    RETURN_IF_ERROR(AppendRows(*found, *inputs.inputs[i].row_elements, tensor));
  }
  return rows;
}

std::optional<std::string> Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string()
             ? std::optional(found->get<std::string>())
             : std::nullopt;
}

absl::StatusOr<Shape> ReadShape(const Json& tensor) {
  const auto found = tensor.find("shape");
  Shape shape;
  if (found != tensor.end() && found->is_array()) {
    for (const Json& size : *found) {
      if (!size.is_number_integer()) {
        return absl::InvalidArgumentError("\"shape\" must hold integers");
      }
      shape.push_back(size.get<std::int64_t>());
    }
  }
  if (shape.empty()) {
    return absl::InvalidArgumentError(
        "\"shape\" must be an array that begins with the number of rows");
  }
  return shape;
}

// One element of "inputs" in a V2 request.
absl::StatusOr<RowTensor> ReadTensor(const Json& json, const Shape& shape) {
  const auto datatype = Text(json, "datatype");
  const auto type = ParseDataType(datatype.value_or(""));
  if (!type.has_value()) {
    return absl::InvalidArgumentError(
        fmt::format("datatype \"{}\": that of numbers is wanted, such as FP32",
                    datatype.value_or("")));
  }
  const auto count = ElementCount(shape);
  const auto data = json.find("data");
  if (!count.has_value() || data == json.end()) {
    return absl::InvalidArgumentError(
        "\"data\" with an element for each place of \"shape\" is wanted");
  }
  RowTensor tensor{.name = Text(json, "name").value_or(""),
                   .type = *type,
                   .row_shape = {shape.begin() + 1, shape.end()},
                   .bytes = {}};
  RETURN_IF_ERROR(AppendElements(*data, *count, tensor));
  return tensor;
}

absl::StatusOr<Rows> ReadRequest(const Json& tensors) {
  Rows rows;
  for (const Json& json : tensors) {
    const auto name = Text(json, "name");
    if (!name.has_value()) {
      return absl::InvalidArgumentError(
          fmt::format("\"inputs\", entry {}: an object with a \"name\" is "
                      "wanted",
                      rows.inputs.size()));
    }
    const std::string place = fmt::format("input \"{}\"", *name);
    const auto shape = ReadShape(json);
    RETURN_IF_ERROR(At(place, shape.status()));
    if (!rows.inputs.empty() && shape->front() != rows.count) {
      return absl::InvalidArgumentError(
          fmt::format("{}: {} rows, input \"{}\" has {}", place, shape->front(),
                      rows.inputs[0].name, rows.count));
    }
    auto tensor = ReadTensor(json, *shape);
    RETURN_IF_ERROR(At(place, tensor.status()));
    rows.count = shape->front();
    rows.inputs.push_back(*std::move(tensor));
  }
  return rows;
}

}  // namespace

absl::StatusOr<Rows> ReadJson(std::string_view text,
                              const ModelInputs& inputs) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return NotJson(text);
  }
  if (json.is_array()) {
    return ReadPlainRows(json, inputs);
  }
  if (!json.is_object()) {
    return OtherForm(absl::InvalidArgumentError(
        fmt::format("{} instead of rows", json.type_name())));
  }
  // A model may have an input of this name; its rows are not objects.
  const auto request = json.find("inputs");
  if (request != json.end() && request->is_array() &&
      (request->empty() || request->front().is_object())) {
    return ReadRequest(*request);
  }
  return ReadNamedRows(json, inputs);
}

}  // namespace relu
