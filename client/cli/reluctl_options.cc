#include "client/cli/reluctl_options.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "client/cli/infer_command.h"
#include "client/cli/inspect_command.h"
#include "client/cli/load_options.h"
#include "client/cli/outcome.h"
#include "fmt/format.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

constexpr double kMinTimeoutSeconds = 0.001;
constexpr double kMaxTimeoutSeconds = 86'400;
constexpr std::int64_t kMaxRows = 1'000'000'000'000;

// What CLI11 writes into, beside the options themselves.
struct Parsed {
  ReluctlOptions options;
  double timeout_seconds = 10;
  std::string infer_output = "table";
  std::string inspect_output = "table";
  std::string metadata_output = "table";
};

CLI::Option* AddOutput(CLI::App& command, std::string& output) {
  return command.add_option("--output,-o", output, "How to print: table, json")
      ->check(CLI::IsMember({"table", "json"}))
      ->option_text("FORM [table]");
}

void AddInfer(CLI::App& app, Parsed& parsed) {
  InferOptions& infer = parsed.options.infer;
  CLI::App& command =
      *app.add_subcommand("infer", "Send rows to a model and show its answers");
  command.add_option("model", infer.model, "The model's name")->required();
  command
      .add_option("--version", infer.version,
                  "The model's version (default: the latest)")
      ->option_text("VERSION");
  auto* const input =
      command
          .add_option("--input,-i", infer.input,
                      "The rows: a CSV, JSON or .npy file; - is standard input")
          ->option_text("FILE [-]");
  command
      .add_option("--format,-f", infer.format,
                  "csv, json or npy (default: by the file's name; csv for "
                  "standard input)")
      ->check(CLI::IsMember({"csv", "json", "npy"}))
      ->option_text("FORMAT");
  command
      .add_option("--input-name", infer.named_inputs,
                  "The rows of one input as a .npy file; once for each input")
      ->option_text("NAME=FILE ...")
      ->excludes(input)
      ->allow_extra_args(false);
  command
      .add_option("--label", infer.label,
                  "The CSV column with the true label, by its name or 'last': "
                  "not sent, compared with the predictions")
      ->option_text("COLUMN");
  command.add_option("--limit", infer.max_rows, "Send the first N rows only")
      ->check(CLI::Range(std::int64_t{1}, kMaxRows))
      ->option_text("N");
  command
      .add_option("--show", infer.show_rows,
                  "Print the first N rows of the table only; the accuracy is "
                  "that of all")
      ->check(CLI::Range(std::int64_t{0}, kMaxRows))
      ->option_text("N");
  command
      .add_option("--batch", infer.batch_rows, "Rows in one request, at most")
      ->check(CLI::Range(std::int64_t{1}, kMaxRows))
      ->option_text("ROWS [64]");
  command
      .add_option("--outputs", infer.outputs,
                  "The outputs to ask for (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("NAME,...");
  AddOutput(command, parsed.infer_output);
}

void AddLoadWhat(CLI::App& command, LoadOptions& load) {
  command
      .add_option("models", load.models,
                  "The models to call; with weights, calls are shared out by "
                  "them")
      ->required()
      ->option_text("MODEL[=WEIGHT] ...");
  command
      .add_option("--version", load.version,
                  "The models' version (default: the latest)")
      ->option_text("VERSION");
  command
      .add_option("--input,-i", load.input,
                  "The rows: a CSV, JSON or .npy file; - is standard input "
                  "(default: random rows)")
      ->option_text("FILE");
  command.add_option("--format,-f", load.format, "csv, json or npy")
      ->check(CLI::IsMember({"csv", "json", "npy"}))
      ->option_text("FORMAT");
  command
      .add_option("--input-name", load.named_inputs,
                  "The rows of one input as a .npy file; once for each input")
      ->option_text("NAME=FILE ...")
      ->allow_extra_args(false);
  command
      .add_option("--label", load.label,
                  "The CSV column that is not sent, by its name or 'last'")
      ->option_text("COLUMN");
  command.add_option("--rows", load.made_up_rows, "How many random rows")
      ->check(CLI::Range(1, 1'000'000))
      ->option_text("N [64]");
  command.add_option("--seed", load.seed, "Of all that is random")
      ->option_text("N [1]");
  command.add_option("--batch", load.batch_rows, "Rows in one request")
      ->check(CLI::Range(std::int64_t{1}, kMaxRows))
      ->option_text("ROWS [1]");
  command
      .add_option("--outputs", load.outputs,
                  "The outputs to ask for (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("NAME,...");
  command.add_flag("--typed", load.typed,
                   "Send typed contents (fp32_contents, ...), not raw ones");
  command
      .add_option("--streams", load.streams,
                  "Call through that many ModelStreamInfer streams a "
                  "connection (default: unary calls)")
      ->check(CLI::Range(0, 10'000))
      ->option_text("N");
}

void AddLoadPace(CLI::App& command, LoadOptions& load) {
  command
      .add_option("--concurrency,-c", load.concurrency,
                  "Closed loop: keep N calls in flight; a list is a sweep")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 1'000'000))
      ->option_text("N,... [1]");
  command
      .add_option("--rate,-r", load.rates,
                  "Open loop: start R calls a second, whatever the answers "
                  "take; a list is a sweep")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1e-3, 1e8))
      ->option_text("R,...");
  command
      .add_option("--arrivals", load.arrivals,
                  "How the calls of --rate come: evenly, or as from many "
                  "independent clients")
      ->check(CLI::IsMember({"constant", "poisson"}))
      ->option_text("constant|poisson [constant]");
  command
      .add_option("--replay", load.replay,
                  "Open loop: start calls at the times of a file, one a line, "
                  "in seconds")
      ->option_text("FILE");
  command
      .add_option("--find-peak", load.peak_target_ms,
                  "Search the highest rate whose p99 is at most MS ms")
      ->check(CLI::Range(1e-3, 1e6))
      ->option_text("MS");
  command
      .add_option("--percentile", load.peak_percentile,
                  "The percentile that --find-peak looks at")
      ->check(CLI::Range(0.0, 100.0))
      ->option_text("P [99]");
  command
      .add_option("--allow-failed", load.peak_failed_percent,
                  "How many percent of the calls may fail for --find-peak")
      ->check(CLI::Range(0.0, 100.0))
      ->option_text("PERCENT [0]");
  command
      .add_option("--max-in-flight", load.max_in_flight,
                  "Of an open loop: calls wait while so many are in flight")
      ->check(CLI::Range(1, 10'000'000))
      ->option_text("N [4096]");
  command.add_option("--connections", load.connections, "Connections in all")
      ->check(CLI::Range(1, 10'000))
      ->option_text("N [1]");
  command.add_option("--threads", load.threads, "Threads of the client")
      ->check(CLI::Range(1, 256))
      ->option_text("N [1]");
}

void AddLoadRest(CLI::App& command, LoadOptions& load) {
  command
      .add_option("--warmup", load.warm_up_seconds,
                  "Load that is not measured, before")
      ->option_text("SECONDS [1]");
  command
      .add_option("--duration,-d", load.duration_seconds,
                  "How long to measure, each step; 3 s with --find-peak")
      ->option_text("SECONDS [10]");
  command.add_option("--count,-n", load.calls, "Measure N calls, not a time")
      ->check(CLI::Range(std::int64_t{1}, kMaxRows))
      ->option_text("N");
  command
      .add_option("--stable", load.stable_percent,
                  "End once throughput and p99 of three windows are within P "
                  "percent, after --duration (60 s) at the latest")
      ->check(CLI::Range(0.1, 100.0))
      ->option_text("P");
  command
      .add_option("--window", load.window_seconds,
                  "The time that each point of the progress stands for")
      ->option_text("SECONDS [1]");
  command.add_flag("--check", load.check,
                   "Compare each answer with the one to the same request "
                   "before the load");
  command
      .add_option("--expect", load.expect,
                  "Compare an output with the rows of a .npy file; once for "
                  "each output")
      ->option_text("NAME=FILE ...")
      ->allow_extra_args(false);
  command
      .add_option("--tolerance", load.tolerance,
                  "How far floats may be off, relatively; 0: the same bits")
      ->check(CLI::Range(0.0, 1.0))
      ->option_text("X [0]");
  command
      .add_option("--report", load.report_file,
                  "Also write an HTML page with charts")
      ->option_text("FILE");
  command.add_flag("--quiet,-q", load.quiet, "Show no progress");
  command.add_option("--output,-o", load.output, "How to print")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->option_text("table|json|csv [table]");
}

void AddLoad(CLI::App& app, LoadOptions& load) {
  CLI::App& command = *app.add_subcommand(
      "load",
      "Put load on a server and measure it, at a pace or up to a limit");
  AddLoadWhat(command, load);
  AddLoadPace(command, load);
  AddLoadRest(command, load);
}

void AddOthers(CLI::App& app, Parsed& parsed) {
  ReluctlOptions& options = parsed.options;
  app.add_subcommand("health", "Ask whether the server, or a model, can serve")
      ->add_option("model", options.model,
                   "The model's name (default: the whole server)");
  CLI::App& metadata = *app.add_subcommand(
      "metadata", "Show what the server, or a model, says of itself");
  metadata.add_option("model", options.model,
                      "The model's name (default: the server)");
  metadata
      .add_option("--version", options.version,
                  "The model's version (default: the latest)")
      ->option_text("VERSION");
  AddOutput(metadata, parsed.metadata_output);
  app.add_subcommand("models", "List the models of the server");
  CLI::App& inspect = *app.add_subcommand(
      "inspect",
      "Show what is in an ONNX file and what a server would run for it; needs "
      "no server");
  inspect.add_option("file", options.inspect.file, "The ONNX file")->required();
  AddOutput(inspect, parsed.inspect_output);
}

void AddGlobal(CLI::App& app, Parsed& parsed) {
  app.add_option("--server,-s", parsed.options.server,
                 "The server's gRPC address")
      ->envname("RELUCTL_SERVER")
      ->option_text("ADDRESS [localhost:8001] (Env:RELUCTL_SERVER)");
  app.add_option("--timeout", parsed.timeout_seconds,
                 "How long each call may take, in seconds")
      ->option_text("SECONDS [10]");
  app.set_version_flag("--version", "reluctl " RELU_VERSION);
  app.require_subcommand(0, 1);  // That there is one is checked later.
  // So that "reluctl models --timeout 1" works too.
  app.fallthrough();
  app.footer(std::string(kExitCodeHelp));
}

Command CommandOf(const CLI::App& app) {
  for (const auto& [name, command] :
       {std::pair("infer", Command::kInfer),
        std::pair("health", Command::kHealth),
        std::pair("inspect", Command::kInspect),
        std::pair("load", Command::kLoad),
        std::pair("metadata", Command::kMetadata)}) {
    if (app.got_subcommand(name)) {
      return command;
    }
  }
  return Command::kModels;
}

Outcome WrongUsage(std::string_view what) {
  Outcome outcome = WrongInput(absl::InvalidArgumentError(std::string(what)));
  outcome.err += "Run \"reluctl --help\" for what is possible.\n";
  return outcome;
}

}  // namespace

std::variant<ReluctlOptions, Outcome> ParseArguments(
    std::span<const char* const> arguments) {
  Parsed parsed;
  CLI::App app(
      "reluctl: calls an inference server that speaks the KServe V2 "
      "protocol over gRPC",
      "reluctl");
  AddGlobal(app, parsed);
  AddInfer(app, parsed);
  AddLoad(app, parsed.options.load);
  AddOthers(app, parsed);
  std::vector<std::string> reversed(arguments.begin(), arguments.end());
  std::ranges::reverse(reversed);  // As CLI11 wants them.
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    return Outcome{.code = ExitCode::kOk, .out = app.help(), .err = {}};
  } catch (const CLI::CallForVersion& version) {
    return Outcome{.code = ExitCode::kOk,
                   .out = fmt::format("{}\n", version.what()),
                   .err = {}};
  } catch (const CLI::ParseError& error) {
    return WrongUsage(error.what());
  }
  if (app.get_subcommands().empty()) {
    return WrongUsage(
        "there is no command: infer, health, inspect, load, metadata or models "
        "is "
        "wanted");
  }
  // CLI11's own check of a range lets NaN pass.
  if (!(parsed.timeout_seconds >= kMinTimeoutSeconds &&
        parsed.timeout_seconds <= kMaxTimeoutSeconds)) {
    return WrongUsage(fmt::format("--timeout: {} is not from {} to {} seconds",
                                  parsed.timeout_seconds, kMinTimeoutSeconds,
                                  kMaxTimeoutSeconds));
  }
  ReluctlOptions& options = parsed.options;
  options.command = CommandOf(app);
  options.timeout = std::chrono::milliseconds(
      static_cast<std::int64_t>(parsed.timeout_seconds * 1'000));
  options.infer.json = parsed.infer_output == "json";
  options.inspect.json = parsed.inspect_output == "json";
  options.json = parsed.metadata_output == "json";
  return options;
}

}  // namespace relu
