// The command line of reluctl, and its help.

#ifndef CLIENT_CLI_RELUCTL_OPTIONS_H_
#define CLIENT_CLI_RELUCTL_OPTIONS_H_

#include <chrono>
#include <span>
#include <string>
#include <variant>

#include "client/cli/infer_command.h"
#include "client/cli/inspect_command.h"
#include "client/cli/load_options.h"
#include "client/cli/outcome.h"

namespace relu {

enum class Command { kInfer, kHealth, kInspect, kLoad, kMetadata, kModels };

struct ReluctlOptions {
  Command command = Command::kHealth;
  std::string server = "localhost:8001";
  std::chrono::milliseconds timeout{10'000};
  InferOptions infer;      // For kInfer.
  InspectOptions inspect;  // For kInspect.
  LoadOptions load;        // For kLoad.
  std::string model;       // For kHealth and kMetadata; may be empty.
  std::string version;     // For kMetadata; may be empty.
  bool json = false;       // For kMetadata.
};

// `arguments` are those after the program's name. Returns an Outcome if there
// is nothing to run: with the help, the version, or what is wrong.
std::variant<ReluctlOptions, Outcome> ParseArguments(
    std::span<const char* const> arguments);

}  // namespace relu

#endif  // CLIENT_CLI_RELUCTL_OPTIONS_H_
