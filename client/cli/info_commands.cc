#include "client/cli/info_commands.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "client/cli/display_text.h"
#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/cli/table.h"
#include "client/inference_client.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace relu {
namespace {

Outcome Printed(std::string text) {
  return {.code = ExitCode::kOk, .out = std::move(text), .err = {}};
}

std::string JsonStrings(const std::vector<std::string>& texts) {
  std::vector<std::string> strings;
  strings.reserve(texts.size());
  for (const std::string& text : texts) {
    strings.push_back(JsonString(text));
  }
  return fmt::format("[{}]", fmt::join(strings, ","));
}

std::string JsonTensors(const std::vector<TensorMetadata>& tensors) {
  std::vector<std::string> objects;
  objects.reserve(tensors.size());
  for (const TensorMetadata& tensor : tensors) {
    objects.push_back(fmt::format(
        R"({{"name":{},"datatype":{},"shape":{}}})", JsonString(tensor.name),
        JsonString(tensor.datatype), ShapeText(tensor.shape)));
  }
  return fmt::format("[{}]", fmt::join(objects, ","));
}

void AddTensors(std::string_view kind,
                const std::vector<TensorMetadata>& tensors,
                std::vector<TableRow>& rows) {
  for (const TensorMetadata& tensor : tensors) {
    rows.push_back({std::string(kind), tensor.name, tensor.datatype,
                    ShapeText(tensor.shape)});
  }
}

}  // namespace

Outcome RunHealth(InferenceClient& client, std::string_view service,
                  const OutputStyle& style) {
  const auto serving = client.Health(service);
  if (!serving.ok() && !absl::IsNotFound(serving.status())) {
    return CallFailed(serving.status());
  }
  const std::string status = !serving.ok() ? "SERVICE_UNKNOWN"
                             : *serving    ? "SERVING"
                                           : "NOT_SERVING";
  const Listing listing{.names = {"service", "status"},
                        .rows = {{std::string(service), status}}};
  return {.code = status == "SERVING" ? ExitCode::kOk : ExitCode::kNotServing,
          // For people the word alone.
          .out = style.form == OutputForm::kTable
                     ? FormatWord(status, style)
                     : FormatListing(listing, style),
          .err = {}};
}

Outcome RunServerMetadata(InferenceClient& client, const OutputStyle& style) {
  const auto metadata = client.ServerMetadata();
  if (!metadata.ok()) {
    return CallFailed(metadata.status());
  }
  if (style.form == OutputForm::kJson) {
    return Printed(fmt::format(R"({{"name":{},"version":{},"extensions":{}}})"
                               "\n",
                               JsonString(metadata->name),
                               JsonString(metadata->version),
                               JsonStrings(metadata->extensions)));
  }
  const std::string extensions =
      fmt::format("{}", fmt::join(metadata->extensions, " "));
  if (style.form == OutputForm::kCsv) {
    return Printed(CsvLine({"name", "version", "extensions"}) +
                   CsvLine({metadata->name, metadata->version, extensions}));
  }
  return Printed(FormatTable(
      {"name", metadata->name},
      {{"version", metadata->version}, {"extensions", extensions}}));
}

Outcome RunModelMetadata(InferenceClient& client, std::string_view model,
                         std::string_view version, const OutputStyle& style) {
  const auto metadata = client.ModelMetadata(model, version);
  if (!metadata.ok()) {
    return CallFailed(metadata.status());
  }
  if (style.form == OutputForm::kJson) {
    return Printed(fmt::format(
        R"({{"name":{},"versions":{},"platform":{},"inputs":{},"outputs":{}}})"
        "\n",
        JsonString(metadata->name), JsonStrings(metadata->versions),
        JsonString(metadata->platform), JsonTensors(metadata->inputs),
        JsonTensors(metadata->outputs)));
  }
  Listing tensors{.names = {"tensor", "name", "datatype", "shape"}, .rows = {}};
  AddTensors("input", metadata->inputs, tensors.rows);
  AddTensors("output", metadata->outputs, tensors.rows);
  if (style.form == OutputForm::kCsv) {
    return Printed(FormatListing(tensors, style));
  }
  return Printed(fmt::format(
      "{}\n{}",
      FormatTable(
          {"name", metadata->name},
          {{"versions", fmt::format("{}", fmt::join(metadata->versions, " "))},
           {"platform", metadata->platform}}),
      FormatListing(tensors, style)));
}

}  // namespace relu
