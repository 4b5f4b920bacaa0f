// The commands of reluctl that ask for and change what a server serves.

#ifndef CLIENT_CLI_REPOSITORY_COMMANDS_H_
#define CLIENT_CLI_REPOSITORY_COMMANDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"

namespace relu {

struct RepositoryLoadOptions {
  std::string model = {};
  std::string config_file = {};         // JSON; empty: the repository's.
  std::vector<std::string> files = {};  // "1/model.onnx=FILE"; empty: the same.
};

// `reluctl models` and `reluctl repository index`.
Outcome RunModels(InferenceClient& client, const OutputStyle& style);

// `reluctl repository load`: returns when the model is served.
Outcome RunRepositoryLoad(InferenceClient& client,
                          const RepositoryLoadOptions& options);

// `reluctl repository unload`.
Outcome RunRepositoryUnload(InferenceClient& client, std::string_view model);

// `reluctl config`: the configuration that a model runs with, as in
// config.pbtxt or as JSON.
Outcome RunModelConfig(InferenceClient& client, std::string_view model,
                       std::string_view version, const OutputStyle& style);

}  // namespace relu

#endif  // CLIENT_CLI_REPOSITORY_COMMANDS_H_
