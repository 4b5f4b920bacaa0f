// What a server says of the inputs of a model, for the commands that send rows.

#ifndef CLIENT_CLI_SERVED_INPUTS_H_
#define CLIENT_CLI_SERVED_INPUTS_H_

#include <optional>
#include <string>

#include "client/cli/outcome.h"
#include "client/cli/rows.h"
#include "client/inference_client.h"

namespace relu {

// Asks for the inputs of a model. What to end the command with, if they are not
// known: CallFailed(), or WrongInput() of inputs that reluctl cannot send.
std::optional<Outcome> AskInputs(InferenceClient& client,
                                 const std::string& model,
                                 const std::string& version,
                                 ModelInputs& inputs);

}  // namespace relu

#endif  // CLIENT_CLI_SERVED_INPUTS_H_
