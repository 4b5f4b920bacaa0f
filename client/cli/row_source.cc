#include "client/cli/row_source.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/csv_reader.h"
#include "client/cli/json_reader.h"
#include "client/cli/npy_reader.h"
#include "client/cli/rows.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Far above what fits one request (2 GB).
constexpr std::size_t kMaxFileBytes = std::size_t{16} << 30;

bool IsStandardInput(std::string_view file) { return file == "-"; }

std::string DisplayName(std::string_view file) {
  return IsStandardInput(file) ? "standard input" : std::string(file);
}

absl::Status In(std::string_view file, const absl::Status& status) {
  return absl::InvalidArgumentError(
      fmt::format("{}: {}", DisplayName(file), std::string(status.message())));
}

absl::StatusOr<std::string> ReadAll(const std::string& file,
                                    std::istream& standard_input) {
  if (!IsStandardInput(file)) {
    return ReadFile(file, kMaxFileBytes);
  }
  return std::string(std::istreambuf_iterator<char>(standard_input),
                     std::istreambuf_iterator<char>());
}

// The format by the option, or by the end of the file's name.
absl::StatusOr<std::string> FormatOf(const RowOptions& options) {
  if (!options.format.empty()) {
    return options.format;
  }
  if (IsStandardInput(options.input)) {
    return "csv";
  }
  for (const char* format : {"csv", "json", "npy"}) {
    if (options.input.ends_with(fmt::format(".{}", format))) {
      return format;
    }
  }
  return absl::InvalidArgumentError(
      fmt::format("{}: the name does not tell the format; add --format csv, "
                  "json or npy",
                  options.input));
}

absl::StatusOr<Rows> ReadFormat(std::string_view format, std::string_view text,
                                const ModelInputs& inputs,
                                std::string_view label) {
  if (format == "csv") {
    return ReadCsv(text, inputs, label);
  }
  if (format == "json") {
    return ReadJson(text, inputs);
  }
  if (inputs.inputs.size() != 1) {
    return absl::InvalidArgumentError(
        fmt::format("a .npy file holds one input, the model has {}; use "
                    "--input-name NAME=FILE for each",
                    inputs.inputs.size()));
  }
  Rows rows;
  ASSIGN_OR_RETURN(const NpyArray array, ReadNpy(text));
  ASSIGN_OR_RETURN(RowTensor tensor,
                   ToRows(array, inputs.inputs[0], rows.notes));
  rows.count = array.shape[0];
  rows.inputs.push_back(std::move(tensor));
  return rows;
}

// Adds the rows of one input. `text` is "NAME=FILE".
absl::Status AddNamedInput(std::string_view text, const ModelInputs& inputs,
                           Rows& rows) {
  const std::size_t split = text.find('=');
  if (split == std::string_view::npos) {
    return absl::InvalidArgumentError(
        fmt::format("--input-name \"{}\": NAME=FILE is wanted", text));
  }
  ASSIGN_OR_RETURN(const ModelInput* const input,
                   FindInput(inputs, text.substr(0, split)));
  const std::string file(text.substr(split + 1));
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(file, kMaxFileBytes));
  const auto array = ReadNpy(bytes);
  if (!array.ok()) {
    return In(file, array.status());
  }
  auto tensor = ToRows(*array, *input, rows.notes);
  if (!tensor.ok()) {
    return In(file, tensor.status());
  }
  if (!rows.inputs.empty() && array->shape[0] != rows.count) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} rows, input \"{}\" has {}", file, array->shape[0],
                    rows.inputs[0].name, rows.count));
  }
  rows.count = array->shape[0];
  rows.inputs.push_back(*std::move(tensor));
  return absl::OkStatus();
}

absl::StatusOr<Rows> ReadNamedInputs(const std::vector<std::string>& texts,
                                     const ModelInputs& inputs) {
  Rows rows;
  for (const std::string& text : texts) {
    RETURN_IF_ERROR(AddNamedInput(text, inputs, rows));
  }
  return rows;
}

absl::StatusOr<Rows> ReadAnyRows(const RowOptions& options,
                                 const ModelInputs& inputs,
                                 std::istream& standard_input) {
  std::string format = "npy";
  if (options.named_inputs.empty()) {
    ASSIGN_OR_RETURN(format, FormatOf(options));
  }
  if (!options.label.empty() && format != "csv") {
    return absl::InvalidArgumentError(fmt::format(
        "--label \"{}\": only CSV rows have columns", options.label));
  }
  if (!options.named_inputs.empty()) {
    return ReadNamedInputs(options.named_inputs, inputs);
  }
  ASSIGN_OR_RETURN(const std::string text,
                   ReadAll(options.input, standard_input));
  auto rows = ReadFormat(format, text, inputs, options.label);
  if (!rows.ok()) {
    return In(options.input, rows.status());
  }
  return rows;
}

}  // namespace

absl::StatusOr<Rows> ReadRows(const RowOptions& options,
                              const ModelInputs& inputs,
                              std::istream& standard_input) {
  ASSIGN_OR_RETURN(Rows rows, ReadAnyRows(options, inputs, standard_input));
  if (rows.count == 0) {
    return In(
        options.named_inputs.empty() ? options.input : options.named_inputs[0],
        absl::InvalidArgumentError("there are no rows"));
  }
  rows.count = std::min(rows.count, options.max_rows.value_or(rows.count));
  if (!rows.labels.empty()) {
    rows.labels.resize(static_cast<std::size_t>(rows.count));
  }
  return rows;
}

}  // namespace relu
