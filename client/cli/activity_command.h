// `reluctl activity`: what the neurons of a model that is served do, how far
// that is from its calibration, and which inputs moved them.

#ifndef CLIENT_CLI_ACTIVITY_COMMAND_H_
#define CLIENT_CLI_ACTIVITY_COMMAND_H_

#include <cstdint>
#include <string>

#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"

namespace relu {

struct ActivityCommandOptions {
  std::string model;
  std::string version;  // Empty: the latest.
  std::string layer;    // Show its neurons, each; empty: all layers in short.
  std::string picture;  // An SVG file to write; empty: none.
  std::uint32_t top_k = 5;  // Inputs and neurons to name.
};

// kWrongInput if the model has no such layer, or the picture cannot be written.
Outcome RunActivity(InferenceClient& client,
                    const ActivityCommandOptions& options,
                    const OutputStyle& style);

}  // namespace relu

#endif  // CLIENT_CLI_ACTIVITY_COMMAND_H_
