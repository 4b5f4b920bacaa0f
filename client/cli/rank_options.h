// The options of `reluctl rank`.

#ifndef CLIENT_CLI_RANK_OPTIONS_H_
#define CLIENT_CLI_RANK_OPTIONS_H_

#include "client/cli/rank_command.h"

namespace CLI {
class App;
}  // namespace CLI

namespace relu {

// Adds the command to `app`, which writes into `options` when it parses: both
// live until then.
void AddRank(CLI::App& app, RankCommandOptions& options);

}  // namespace relu

#endif  // CLIENT_CLI_RANK_OPTIONS_H_
