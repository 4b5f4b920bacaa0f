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
        "there is no command: infer, health, inspect, metadata or models is "
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
