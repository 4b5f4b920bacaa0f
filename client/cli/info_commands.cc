#include "client/cli/info_commands.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "client/cli/display_text.h"
#include "client/cli/outcome.h"
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

Outcome RunHealth(InferenceClient& client, std::string_view service) {
  const auto serving = client.Health(service);
  if (absl::IsNotFound(serving.status())) {
    return {
        .code = ExitCode::kNotServing, .out = "SERVICE_UNKNOWN\n", .err = {}};
  }
  if (!serving.ok()) {
    return CallFailed(serving.status());
  }
  if (!*serving) {
    return {.code = ExitCode::kNotServing, .out = "NOT_SERVING\n", .err = {}};
  }
  return Printed("SERVING\n");
}

Outcome RunServerMetadata(InferenceClient& client, bool json) {
  const auto metadata = client.ServerMetadata();
  if (!metadata.ok()) {
    return CallFailed(metadata.status());
  }
  if (json) {
    return Printed(fmt::format(R"({{"name":{},"version":{},"extensions":{}}})"
                               "\n",
                               JsonString(metadata->name),
                               JsonString(metadata->version),
                               JsonStrings(metadata->extensions)));
  }
  return Printed(
      FormatTable({"name", metadata->name},
                  {{"version", metadata->version},
                   {"extensions",
                    fmt::format("{}", fmt::join(metadata->extensions, " "))}}));
}

Outcome RunModelMetadata(InferenceClient& client, std::string_view model,
                         std::string_view version, bool json) {
  const auto metadata = client.ModelMetadata(model, version);
  if (!metadata.ok()) {
    return CallFailed(metadata.status());
  }
  if (json) {
    return Printed(fmt::format(
        R"({{"name":{},"versions":{},"platform":{},"inputs":{},"outputs":{}}})"
        "\n",
        JsonString(metadata->name), JsonStrings(metadata->versions),
        JsonString(metadata->platform), JsonTensors(metadata->inputs),
        JsonTensors(metadata->outputs)));
  }
  std::vector<TableRow> tensors;
  AddTensors("input", metadata->inputs, tensors);
  AddTensors("output", metadata->outputs, tensors);
  return Printed(
      FormatTable(
          {"name", metadata->name},
          {{"versions", fmt::format("{}", fmt::join(metadata->versions, " "))},
           {"platform", metadata->platform}}) +
      "\n" + FormatTable({"tensor", "name", "datatype", "shape"}, tensors));
}

Outcome RunModels(InferenceClient& client) {
  const auto index = client.RepositoryIndex();
  if (!index.ok()) {
    return CallFailed(index.status());
  }
  std::vector<TableRow> rows;
  for (const ModelIndexEntry& entry : *index) {
    rows.push_back({entry.name, entry.version, entry.state, entry.reason});
  }
  return Printed(FormatTable({"name", "version", "state", "reason"}, rows));
}

}  // namespace relu
