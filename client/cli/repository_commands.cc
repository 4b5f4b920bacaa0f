#include "client/cli/repository_commands.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/display_text.h"
#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

// A message of gRPC cannot be larger.
constexpr std::size_t kMaxModelBytes = (std::size_t{1} << 31) - 1;

absl::StatusOr<LoadModelOptions> ReadLoad(
    const RepositoryLoadOptions& options) {
  LoadModelOptions load;
  if (!options.config_file.empty()) {
    ASSIGN_OR_RETURN(load.config_json,
                     ReadFile(options.config_file, kMaxModelBytes));
  }
  for (const std::string& text : options.files) {
    const std::size_t split = text.find('=');
    if (split == std::string::npos || split == 0) {
      return absl::InvalidArgumentError(
          fmt::format("--file \"{}\": VERSION/NAME=FILE is wanted, such as "
                      "1/model.onnx=new.onnx",
                      text));
    }
    ASSIGN_OR_RETURN(load.files[text.substr(0, split)],
                     ReadFile(text.substr(split + 1), kMaxModelBytes));
  }
  return load;
}

Outcome Done(std::string_view what, std::string_view model) {
  return {.code = ExitCode::kOk,
          .out = fmt::format("{} {}\n", what, EscapeControl(model)),
          .err = {}};
}

}  // namespace

Outcome RunModels(InferenceClient& client, const OutputStyle& style) {
  const auto index = client.RepositoryIndex();
  if (!index.ok()) {
    return CallFailed(index.status());
  }
  Listing listing{.names = {"name", "version", "state", "reason"}, .rows = {}};
  for (const ModelIndexEntry& entry : *index) {
    listing.rows.push_back(
        {entry.name, entry.version, entry.state, entry.reason});
  }
  return {
      .code = ExitCode::kOk, .out = FormatListing(listing, style), .err = {}};
}

Outcome RunRepositoryLoad(InferenceClient& client,
                          const RepositoryLoadOptions& options) {
  const auto load = ReadLoad(options);
  if (!load.ok()) {
    return WrongInput(load.status());
  }
  const absl::Status status = client.LoadModel(options.model, *load);
  return status.ok() ? Done("loaded", options.model) : CallFailed(status);
}

Outcome RunRepositoryUnload(InferenceClient& client, std::string_view model) {
  const absl::Status status = client.UnloadModel(model);
  return status.ok() ? Done("unloaded", model) : CallFailed(status);
}

Outcome RunModelConfig(InferenceClient& client, std::string_view model,
                       std::string_view version, const OutputStyle& style) {
  auto config = client.ModelConfig(model, version);
  if (!config.ok()) {
    return CallFailed(config.status());
  }
  return {.code = ExitCode::kOk,
          .out = style.form == OutputForm::kJson ? config->json + '\n'
                                                 : std::move(config->text),
          .err = {}};
}

}  // namespace relu
