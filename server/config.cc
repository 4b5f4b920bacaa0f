#include "server/config.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "server/access_log.h"
#include "server/edge_flags.h"
#include "server/flags.h"
#include "server/limit_flags.h"
#include "server/log.h"
#include "server/repository_flags.h"
#include "server/version.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

constexpr std::string_view kAbout =
    "relud: an inference server for ReLU networks on CPUs.\n"
    "\n"
    "Speaks the KServe V2 / Open Inference Protocol over gRPC, with health\n"
    "checks and server reflection on the same port, and over HTTP (REST).\n"
    "\n"
    "Usage: relud --model-repository=DIR [OPTIONS]\n"
    "\n"
    "A flag wins over its environment variable.\n";

constexpr std::string_view kExitCodes =
    "Exit codes:\n"
    "  0  stopped by SIGTERM, SIGINT or SIGHUP, and every request was "
    "answered\n"
    "  1  could not start, lost requests to --drain-timeout, or was stopped "
    "by\n"
    "     a second signal\n"
    "  2  wrong settings\n";

// What CLI11 fills in a form of its own.
struct Flags {
  double drain_timeout = 30;
  double lame_duck = 5;
  LogLevel log_level = LogLevel::kInfo;
};

std::chrono::milliseconds ToMilliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

void AddModelSettings(CLI::App& app, ServerOptions& options) {
  Add(app, "--model-repository", options.model_repository, "DIR",
      "Folder of the models: DIR/<model>/<version>/model.onnx, or "
      "DIR/<model>.onnx for version 1.")
      ->required();
  AddRepositoryFlags(app, options.repository);
  AddSwitch(
      app, "--exit-on-error", options.exit_on_error,
      "Do not start if a model cannot be loaded. Else the others are served.");
  AddSwitch(
      app, "--strict-readiness", options.strict_readiness,
      "ServerReady and the health of \"\" say ready only if every model of the "
      "repository is. Else as soon as the server listens.");
  Add(app, "--instance-count", options.instance_count, "COUNT",
      "Batches of one model that may run at the same time. 0: as many as the "
      "CPU budget of the process (its cgroup limit and affinity).")
      ->check(CLI::Range(0, 1024));
  Add(app, "--max-batch-rows", options.max_batch_rows, "ROWS",
      "Rows of one batch. Larger requests are split and joined again.")
      ->check(CLI::Range(1, 65536));
  Add(app, "--intra-op-threads", options.intra_op_threads, "COUNT",
      "Threads that one large batch may be shared among while the model has "
      "nothing else to do; at most the CPU budget. 1: none are shared.")
      ->check(CLI::Range(1, 64));
}

void AddNetworkSettings(CLI::App& app, ServerOptions& options) {
  constexpr const char* kMetricsHelp =
      "Serve Prometheus metrics over HTTP at /metrics.";
  Add(app, "--grpc-address", options.grpc_address, "ADDRESS",
      "IP address or host name that gRPC listens on.");
  Add(app, "--grpc-port", options.grpc_port, "PORT",
      "TCP port of gRPC. 0: any free port, which the log names.")
      ->check(CLI::Range(0, 65535));
  AddSwitch(app, "--allow-metrics", options.allow_metrics, kMetricsHelp);
  AddSwitch(app, "--triton-metrics", options.triton_metrics,
            "Serve the metrics under Triton's names (nv_inference_*) too.");
  Add(app, "--metrics-address", options.metrics_address, "ADDRESS",
      "IP address that the metrics listen on.");
  Add(app, "--metrics-port", options.metrics_port, "PORT",
      "TCP port of the metrics. 0: any free port, which the log names.")
      ->check(CLI::Range(0, 65535));
  Add(app, "--threads", options.threads, "COUNT",
      "Threads that serve gRPC and compute. 0: as many as the CPU budget.")
      ->check(CLI::Range(0, 1024));
  Add(app, "--busy-poll", options.busy_poll_us, "MICROSECONDS",
      "How long a thread of --threads that has nothing to do looks for the "
      "next "
      "call before it sleeps. Calls are then answered without the time that a "
      "wake takes, and the CPU is busy meanwhile. 0: it sleeps at once.")
      ->check(CLI::Range(0, 1'000'000));
  AddChoice<PollStrategy>(
      app, "--grpc-poll-strategy", options.grpc_poll_strategy,
      {{"poll", PollStrategy::kPoll}, {"epoll1", PollStrategy::kEpoll1}},
      "How gRPC waits for its connections. poll: each of --threads for its "
      "own, and calls seldom go from thread to thread; with more than some 250 "
      "connections for each thread a look at all of them may take longer than "
      "that saves. epoll1: all together, however many. (GRPC_POLL_STRATEGY has "
      "no effect.)");
}

void AddOperationSettings(CLI::App& app, ServerOptions& options, Flags& flags) {
  Add(app, "--drain-timeout", flags.drain_timeout, "SECONDS",
      "After SIGTERM, SIGINT or SIGHUP, how long requests in flight may take "
      "before "
      "they are cancelled.")
      ->check(CLI::Range(0.0, 86400.0));
  Add(app, "--lame-duck", flags.lame_duck, "SECONDS",
      "After SIGTERM, how long to go on serving while health checks say "
      "NOT_SERVING, so that clients can turn away. SIGINT and SIGHUP leave it "
      "out.")
      ->check(CLI::Range(0.0, 86400.0));
  AddChoice<LogFormat>(app, "--log-format", options.log.format,
                       {{"text", LogFormat::kText},
                        {"json", LogFormat::kJson},
                        {"triton", LogFormat::kTriton}},
                       "Form of the lines of the log.");
  Add(app, "--log-file", options.log.file, "FILE",
      "File that the log is appended to. Empty: standard error.");
  AddChoice<LogLevel>(app, "--log-level", flags.log_level,
                      {{"trace", LogLevel::kTrace},
                       {"debug", LogLevel::kDebug},
                       {"info", LogLevel::kInfo},
                       {"warning", LogLevel::kWarning},
                       {"error", LogLevel::kError},
                       {"off", LogLevel::kOff}},
                      "The least severe lines to log.");
}

void AddAccessLogSettings(CLI::App& app, AccessLogOptions& options) {
  Add(app, "--access-log", options.share, "SHARE",
      "Share of the inferences that get a line in the log with their model, "
      "status, times, request id and trace: 0 (none) to 1 (each).")
      ->check(CLI::Range(0.0, 1.0));
  Add(app, "--access-log-errors", options.errors_per_second, "COUNT",
      "Failed inferences a second that get such a line whatever the share.")
      ->check(CLI::Range(0, 1'000'000));
}

void Refuse(std::string_view reason, CommandLine& command_line) {
  command_line.exit_code = kExitUsage;
  command_line.text =
      fmt::format("relud: {}\nrelud --help lists the settings.\n", reason);
}

// Breaks `text` into indented lines of at most 80 characters.
std::string Wrap(std::string_view text) {
  constexpr std::string_view kIndent = "      ";
  std::string result;
  std::string line;
  for (const std::string& word : CLI::detail::split(std::string(text), ' ')) {
    if (!line.empty() && kIndent.size() + line.size() + 1 + word.size() > 80) {
      result += fmt::format("{}{}\n", kIndent, line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return result + fmt::format("{}{}\n", kIndent, line);
}

// Name, unit, help, default and variable of each setting, in their order.
std::string HelpText(const CLI::App& app) {
  std::string text = fmt::format("{}\nOptions:\n", kAbout);
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_envname().empty()) {
      text += fmt::format("  {}\n{}", option->get_name(),
                          Wrap(option->get_description()));
      continue;
    }
    const std::string value =
        option->get_required() ? "Required."
                               : "Default: " + option->get_default_str() + ".";
    text += fmt::format(
        "  {}={}\n{}", option->get_name(), option->get_option_text(),
        Wrap(fmt::format("{} {} Environment: {}.", option->get_description(),
                         value, option->get_envname())));
  }
  return fmt::format("{}\n{}", text, kExitCodes);
}

}  // namespace

CommandLine ParseCommandLine(int argc, const char* const* argv) {
  CommandLine command_line;
  ServerOptions& options = command_line.options;
  Flags flags;
  CLI::App app;
  app.set_version_flag("--version", fmt::format("relud {}", kServerVersion),
                       "Print the version and exit.");
  app.set_help_flag("--help,-h", "Print this help and exit.");
  AddModelSettings(app, options);
  AddNetworkSettings(app, options);
  AddLimitFlags(app, options.limits);
  AddEdgeFlags(app, options.edge);
  AddOperationSettings(app, options, flags);
  AddAccessLogSettings(app, options.access_log);
  // CLI11 reports everything, the good and the bad, by exceptions.
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    command_line.exit_code = 0;
    command_line.text = HelpText(app);
  } catch (const CLI::CallForVersion& version) {
    command_line.exit_code = 0;
    command_line.text = fmt::format("{}\n", version.what());
  } catch (const CLI::Error& error) {
    // A flag that does not exist explains one that seems to be missing.
    const std::vector<std::string> unknown = app.remaining();
    const std::string reason =
        unknown.empty() ? error.what() : CLI::ExtrasError(unknown).what();
    Refuse(reason, command_line);
  }
  for (const std::string& contradiction :
       {Contradiction(options.edge), Contradiction(options.repository)}) {
    if (!command_line.exit_code.has_value() && !contradiction.empty()) {
      Refuse(contradiction, command_line);
    }
  }
  options.drain_timeout = ToMilliseconds(flags.drain_timeout);
  options.lame_duck = ToMilliseconds(flags.lame_duck);
  const LogSettings levels = LogFrom(flags.log_level);
  options.log.info = levels.info;
  options.log.warning = levels.warning;
  options.log.error = levels.error;
  options.log.verbose_level = levels.verbose_level;
  return command_line;
}

}  // namespace relu
