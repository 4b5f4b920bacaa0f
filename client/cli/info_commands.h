// The commands of reluctl that ask what a server is and has.

#ifndef CLIENT_CLI_INFO_COMMANDS_H_
#define CLIENT_CLI_INFO_COMMANDS_H_

#include <string_view>

#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"

namespace relu {

// `reluctl health`: prints SERVING, NOT_SERVING or SERVICE_UNKNOWN. An empty
// `service` is the whole server, else it is a model.
Outcome RunHealth(InferenceClient& client, std::string_view service,
                  const OutputStyle& style = {});

// `reluctl metadata`: what the server, or the model, says of itself.
Outcome RunServerMetadata(InferenceClient& client, const OutputStyle& style);
// CSV has the tensors alone.
Outcome RunModelMetadata(InferenceClient& client, std::string_view model,
                         std::string_view version, const OutputStyle& style);

}  // namespace relu

#endif  // CLIENT_CLI_INFO_COMMANDS_H_
