// reluctl without its main(): from arguments to what is printed.

#ifndef CLIENT_CLI_RELUCTL_H_
#define CLIENT_CLI_RELUCTL_H_

#include <span>

#include "client/cli/console.h"
#include "client/cli/outcome.h"

namespace relu {

// `arguments` are those after the program's name.
Outcome RunReluctl(std::span<const char* const> arguments, Console& console);

// Writes all of outcome.out and outcome.err to two file descriptors and returns
// the process's exit code. A reader that goes away before the end (`| head`) is
// no error; other failures are kWrongInput, as the output is the user's choice.
int PrintOutcome(const Outcome& outcome, int out_descriptor,
                 int err_descriptor);

}  // namespace relu

#endif  // CLIENT_CLI_RELUCTL_H_
