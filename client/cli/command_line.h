// The commands and options of reluctl as CLI11 has them. (A header that
// includes CLI11 takes long to compile: this one does not.)

#ifndef CLIENT_CLI_COMMAND_LINE_H_
#define CLIENT_CLI_COMMAND_LINE_H_

#include <string>

#include "client/cli/reluctl_options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace relu {

// What CLI11 writes into.
struct ParsedOptions {
  ReluctlOptions options;
  double timeout_seconds = 10;
  std::string output = "table";
  std::string colour = "auto";
};

// Adds all commands and options to `app`. `parsed` outlives it.
void BuildCommandLine(CLI::App& app, ParsedOptions& parsed);

// Those of `reluctl load`, to its command.
void AddLoadFlags(CLI::App& command, LoadOptions& load);

}  // namespace relu

#endif  // CLIENT_CLI_COMMAND_LINE_H_
