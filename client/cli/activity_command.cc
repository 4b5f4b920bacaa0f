#include "client/cli/activity_command.h"

#include <algorithm>
#include <fstream>
#include <string>

#include "absl/status/status.h"

#include "client/activity.h"
#include "client/cli/activity_picture.h"
#include "client/cli/activity_text.h"
#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"
#include "fmt/format.h"

namespace relu {
namespace {

absl::Status WritePicture(const std::string& path, const std::string& svg) {
  std::ofstream file(path, std::ios::binary);
  file << svg;
  file.close();
  return file ? absl::OkStatus()
              : absl::InvalidArgumentError(
                    fmt::format("{}: cannot be written", path));
}

absl::Status CheckLayer(const ActivityResult& result,
                        const std::string& layer) {
  std::string names;
  for (const LayerActivity& known : result.layers) {
    if (known.name == layer) {
      return absl::OkStatus();
    }
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", known.name);
  }
  return absl::InvalidArgumentError(
      fmt::format("--layer: no layer \"{}\", the model has {}", layer, names));
}

}  // namespace

Outcome RunActivity(InferenceClient& client,
                    const ActivityCommandOptions& options,
                    const OutputStyle& style) {
  const auto result = client.GetActivity({.model = options.model,
                                          .version = options.version,
                                          .top_k = options.top_k});
  if (!result.ok()) {
    return CallFailed(result.status());
  }
  if (!options.layer.empty()) {
    const absl::Status status = CheckLayer(*result, options.layer);
    if (!status.ok()) {
      return WrongInput(status);
    }
  }
  if (!options.picture.empty()) {
    const absl::Status status =
        WritePicture(options.picture, ActivityPicture(*result));
    if (!status.ok()) {
      return WrongInput(status);
    }
  }
  Outcome outcome;
  if (!options.layer.empty() || style.form == OutputForm::kCsv) {
    outcome.out = NeuronListing(*result, options.layer, style);
  } else if (style.form == OutputForm::kJson) {
    outcome.out = ActivityJson(*result);
  } else {
    outcome.out = ActivityOverview(*result, options.top_k);
  }
  return outcome;
}

}  // namespace relu
