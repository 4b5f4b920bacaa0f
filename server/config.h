// The settings of the server: the only place that reads the command line and
// the environment.

#ifndef SERVER_CONFIG_H_
#define SERVER_CONFIG_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "server/access_log.h"
#include "server/edge_flags.h"
#include "server/limit_flags.h"
#include "server/log.h"
#include "server/repository_flags.h"

namespace relu {

// How gRPC waits for its sockets. The names are gRPC's.
enum class PollStrategy : std::uint8_t { kPoll, kEpoll1 };

// What each means, its unit and its range stand in config.cc, where --help is
// made from them.
struct ServerOptions {
  std::filesystem::path model_repository;
  RepositorySettings repository;
  bool exit_on_error = false;
  bool strict_readiness = true;

  std::string grpc_address = "0.0.0.0";
  int grpc_port = 8001;
  bool allow_metrics = true;
  bool triton_metrics = true;
  std::string metrics_address = "0.0.0.0";
  int metrics_port = 8002;

  LimitSettings limits;
  EdgeSettings edge;

  int threads = 0;       // 0: the CPU budget.
  int busy_poll_us = 0;  // Of each of them, before it sleeps.
  PollStrategy grpc_poll_strategy = PollStrategy::kPoll;
  int instance_count = 0;  // 0: the CPU budget.
  std::int64_t max_batch_rows = 64;
  int intra_op_threads = 2;  // At most the CPU budget.

  std::chrono::milliseconds drain_timeout{30'000};
  std::chrono::milliseconds lame_duck{5'000};

  LogSettings log;
  AccessLogOptions access_log;
};

// What the command line asks for.
struct CommandLine {
  ServerOptions options;
  // Set if the program is to print `text` and stop with this code: 0 for --help
  // and --version (to standard output), 2 for a wrong setting (to standard
  // error). `options` means nothing then.
  std::optional<int> exit_code;
  std::string text;
};

// Exit codes of the program, besides 0.
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

// Reads the flags, and for those not given the environment variables
// RELUD_<FLAG>.
CommandLine ParseCommandLine(int argc, const char* const* argv);

}  // namespace relu

#endif  // SERVER_CONFIG_H_
