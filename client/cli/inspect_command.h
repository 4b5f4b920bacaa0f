// `reluctl inspect`: what is in an ONNX file, and what relud would run for it.

#ifndef CLIENT_CLI_INSPECT_COMMAND_H_
#define CLIENT_CLI_INSPECT_COMMAND_H_

#include <string>

#include "client/cli/outcome.h"

namespace relu {

struct InspectOptions {
  std::string file;
  bool json = false;  // Print JSON, not tables.
};

// Loads the file as a server does, self-check included, and needs no server.
// kWrongInput, with the reason, if a server would refuse it.
Outcome RunInspect(const InspectOptions& options);

}  // namespace relu

#endif  // CLIENT_CLI_INSPECT_COMMAND_H_
