// The commands of reluctl that ask what a server is and has.

#ifndef CLIENT_CLI_INFO_COMMANDS_H_
#define CLIENT_CLI_INFO_COMMANDS_H_

#include <string_view>

#include "client/cli/outcome.h"
#include "client/inference_client.h"

namespace relu {

// `reluctl health`: prints SERVING, NOT_SERVING or SERVICE_UNKNOWN. An empty
// `service` is the whole server, else it is a model.
Outcome RunHealth(InferenceClient& client, std::string_view service);

// `reluctl metadata`: what the server, or the model, says of itself.
Outcome RunServerMetadata(InferenceClient& client, bool json);
Outcome RunModelMetadata(InferenceClient& client, std::string_view model,
                         std::string_view version, bool json);

// `reluctl models`: the models of the server's repository.
Outcome RunModels(InferenceClient& client);

}  // namespace relu

#endif  // CLIENT_CLI_INFO_COMMANDS_H_
