// The options of `reluctl activity` and `reluctl calibrate`.

#ifndef CLIENT_CLI_ACTIVITY_OPTIONS_H_
#define CLIENT_CLI_ACTIVITY_OPTIONS_H_

#include "client/cli/activity_command.h"
#include "client/cli/calibrate_command.h"

namespace CLI {
class App;
}  // namespace CLI

namespace relu {

// Add the commands to `app`, which writes into `options` when it parses: both
// live until then.
void AddActivity(CLI::App& app, ActivityCommandOptions& options);
void AddCalibrate(CLI::App& app, CalibrateOptions& options);

}  // namespace relu

#endif  // CLIENT_CLI_ACTIVITY_OPTIONS_H_
