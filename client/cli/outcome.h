// Outcome: what a command of reluctl prints, and its exit code. All exit codes
// are here.

#ifndef CLIENT_CLI_OUTCOME_H_
#define CLIENT_CLI_OUTCOME_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace relu {

// Scripts rely on these numbers: never change one.
enum class ExitCode : int {
  kOk = 0,
  kNotServing = 1,
  kWrongInput = 2,
  kUnreachable = 3,
  kRefused = 4,
  kFailedCalls = 5,
};

// For the end of --help.
inline constexpr std::string_view kExitCodeHelp =
    "Exit codes:\n"
    "  0  done; for 'health': serving\n"
    "  1  'health': the server is there, but not serving or not knowing it\n"
    "  2  wrong usage, rows or a model that cannot be read, or output that "
    "cannot be written\n"
    "  3  the server cannot be reached, or did not answer in time\n"
    "  4  the server refused or failed the request\n"
    "  5  'load': calls failed or got wrong answers, or no rate meets the "
    "target\n";

struct Outcome {
  ExitCode code = ExitCode::kOk;
  std::string out;
  std::string err;  // Whole lines.
};

// "reluctl: <message>" and kWrongInput.
Outcome WrongInput(const absl::Status& status);

// "reluctl: <code>: <message>" and kUnreachable if the caller may find the
// server there another time (UNAVAILABLE, DEADLINE_EXCEEDED), else kRefused.
Outcome CallFailed(const absl::Status& status);

// "reluctl: <message>", as one line for stderr.
std::string ErrorLine(std::string_view message);

}  // namespace relu

#endif  // CLIENT_CLI_OUTCOME_H_
