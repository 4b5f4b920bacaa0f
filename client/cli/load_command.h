// `reluctl load`: puts load on a server and measures it.

#ifndef CLIENT_CLI_LOAD_COMMAND_H_
#define CLIENT_CLI_LOAD_COMMAND_H_

#include "client/cli/connection_options.h"
#include "client/cli/console.h"
#include "client/cli/load_options.h"
#include "client/cli/outcome.h"
#include "client/inference_client.h"

namespace relu {

// kFailedCalls if a call failed, an answer was wrong, or no rate meets the
// target of a search.
Outcome RunLoadCommand(InferenceClient& client,
                       const ConnectionOptions& connection,
                       const LoadOptions& options, Console& console);

}  // namespace relu

#endif  // CLIENT_CLI_LOAD_COMMAND_H_
