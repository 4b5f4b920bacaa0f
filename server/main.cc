// relud: see server/config.cc for its settings and exit codes.

#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"

#include "core/base/check.h"
#include "server/config.h"
#include "server/log.h"
#include "server/server.h"
#include "server/termination_signal.h"

namespace {

// gRPC reads it once, when its first object is made.
void SetPollStrategy(relu::PollStrategy strategy) {
  CHECK(setenv("GRPC_POLL_STRATEGY",
               strategy == relu::PollStrategy::kPoll ? "poll" : "epoll1",
               /*overwrite=*/1) == 0);
}

}  // namespace

int main(int argc, char** argv) {
  // Debian's Abseil is compiled to look for deadlocks among gRPC's locks at
  // each of them.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const relu::CommandLine command_line = relu::ParseCommandLine(argc, argv);
  if (command_line.exit_code.has_value()) {
    std::FILE* out = *command_line.exit_code == 0 ? stdout : stderr;
    std::fputs(command_line.text.c_str(), out);
    return *command_line.exit_code;
  }
  SetPollStrategy(command_line.options.grpc_poll_strategy);
  const absl::Status log_status =
      relu::SetLogSettings(command_line.options.log);
  if (!log_status.ok()) {
    relu::Log(relu::LogLevel::kError, std::string(log_status.message()));
    return relu::kExitFailure;
  }
  // Whoever read the log from a pipe may be gone.
  signal(SIGPIPE, SIG_IGN);
  relu::TerminationSignal signal;  // Before any other thread.
  const absl::StatusOr<std::unique_ptr<relu::Server>> server =
      relu::Server::Start(command_line.options);
  if (!server.ok()) {
    relu::Log(relu::LogLevel::kError, std::string(server.status().message()));
    return relu::kExitFailure;
  }
  // The others come from a terminal, where somebody waits for the end.
  const std::chrono::milliseconds lame_duck =
      signal.Wait() == SIGTERM ? command_line.options.lame_duck
                               : std::chrono::milliseconds(0);
  return (*server)->Shutdown(lame_duck) == 0 ? 0 : relu::kExitFailure;
}
