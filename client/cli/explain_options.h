// The options of `reluctl explain`.

#ifndef CLIENT_CLI_EXPLAIN_OPTIONS_H_
#define CLIENT_CLI_EXPLAIN_OPTIONS_H_

#include "client/cli/explain_command.h"

namespace CLI {
class App;
}  // namespace CLI

namespace relu {

// Adds the command to `app`, which writes into `options` when it parses: both
// live until then.
void AddExplain(CLI::App& app, ExplainCommandOptions& options);

}  // namespace relu

#endif  // CLIENT_CLI_EXPLAIN_OPTIONS_H_
