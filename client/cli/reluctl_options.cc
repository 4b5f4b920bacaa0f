#include "client/cli/reluctl_options.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "client/cli/command_line.h"
#include "client/cli/connection_options.h"
#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "fmt/format.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

constexpr double kMinTimeoutSeconds = 0.001;
constexpr double kMaxTimeoutSeconds = 86'400;

Command CommandOf(const CLI::App& app) {
  for (const auto& [name, command] :
       {std::pair("activity", Command::kActivity),
        std::pair("calibrate", Command::kCalibrate),
        std::pair("completion", Command::kCompletion),
        std::pair("config", Command::kConfig),
        std::pair("explain", Command::kExplain),
        std::pair("health", Command::kHealth),
        std::pair("infer", Command::kInfer),
        std::pair("inspect", Command::kInspect),
        std::pair("load", Command::kLoad),
        std::pair("metadata", Command::kMetadata),
        std::pair("rank", Command::kRank),
        std::pair("stats", Command::kStats)}) {
    if (app.got_subcommand(name)) {
      return command;
    }
  }
  if (app.got_subcommand("repository")) {
    const CLI::App& repository = *app.get_subcommand("repository");
    if (repository.got_subcommand("load")) {
      return Command::kRepositoryLoad;
    }
    if (repository.got_subcommand("unload")) {
      return Command::kRepositoryUnload;
    }
  }
  return Command::kModels;
}

// "reluctl repository load": what was given, as far as it is known.
std::string GivenCommand(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app.get_name()
                          : fmt::format("{} {}", app.get_name(),
                                        GivenCommand(*commands.front()));
}

Outcome WrongUsage(const CLI::App& app, std::string_view what) {
  Outcome outcome = WrongInput(absl::InvalidArgumentError(std::string(what)));
  outcome.err += fmt::format("Run \"{} --help\" for what is possible{}.\n",
                             GivenCommand(app),
                             app.get_subcommands().empty()
                                 ? ""
                                 : ", \"reluctl --help\" for what all commands "
                                   "take");
  return outcome;
}

// For a file that stands after the model, without the option that names it.
std::string InputHint(const CLI::App& app) {
  const auto extras = app.remaining(/*recurse=*/true);
  const auto commands = app.get_subcommands();
  const bool file = extras.size() == 1 && !extras[0].starts_with('-');
  return file && !commands.empty() &&
                 commands[0]->get_option_no_throw("--input") != nullptr
             ? fmt::format("; is --input {} meant?", extras[0])
             : "";
}

std::string Environment(const char* name) {
  // Read before any thread is started.
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The environment as options, which stand before the user's own. (CLI11 reads
// it by itself, but lets the config file win over it.)
std::vector<std::string> EnvironmentArguments(CLI::App& app) {
  std::vector<std::string> arguments;
  for (CLI::Option* const option : app.get_options()) {
    const std::string value = Environment(option->get_envname().c_str());
    if (!value.empty()) {
      option->take_last();  // The user's own, if there is one.
      arguments.push_back(
          fmt::format("--{}={}", option->get_lnames()[0], value));
    }
  }
  return arguments;
}

bool WantsColours(const std::string& option, const Console& console) {
  return option == "always" || (option == "auto" && console.out_is_terminal &&
                                Environment("NO_COLOR").empty());
}

// What the options mean together.
std::variant<ReluctlOptions, Outcome> Finish(const CLI::App& app,
                                             ParsedOptions& parsed,
                                             const Console& console) {
  if (app.get_subcommands().empty()) {
    return WrongUsage(
        app,
        "there is no command: activity, calibrate, completion, config, "
        "explain, health, infer, inspect, load, metadata, models, rank, "
        "repository or stats is wanted");
  }
  // CLI11's own check of a range lets NaN pass.
  if (!(parsed.timeout_seconds >= kMinTimeoutSeconds &&
        parsed.timeout_seconds <= kMaxTimeoutSeconds)) {
    return WrongUsage(app,
                      fmt::format("--timeout: {} is not from {} to {} seconds",
                                  parsed.timeout_seconds, kMinTimeoutSeconds,
                                  kMaxTimeoutSeconds));
  }
  ReluctlOptions& options = parsed.options;
  options.command = CommandOf(app);
  options.connection.timeout = std::chrono::milliseconds(
      static_cast<std::int64_t>(parsed.timeout_seconds * 1'000));
  options.connection.server = WithDefaultPort(options.connection.server);
  options.connection.token = Environment("RELUCTL_TOKEN");
  options.style = {.form = ParseOutputForm(parsed.output),
                   .colours = WantsColours(parsed.colour, console)};
  if (options.style.form == OutputForm::kCsv &&
      (options.command == Command::kCalibrate ||
       options.command == Command::kConfig ||
       options.command == Command::kExplain ||
       options.command == Command::kInspect)) {
    return WrongUsage(app, "--output csv: this command prints a text or JSON");
  }
  options.explain.json = options.style.form == OutputForm::kJson;
  options.infer.form = options.style.form;
  options.rank.form = options.style.form;
  options.load.form = options.style.form;
  options.inspect.json = options.style.form == OutputForm::kJson;
  return std::move(options);
}

}  // namespace

std::variant<ReluctlOptions, Outcome> ParseArguments(
    std::span<const char* const> arguments, const Console& console) {
  ParsedOptions parsed;
  CLI::App app(
      "reluctl: calls an inference server that speaks the KServe V2 "
      "protocol over gRPC",
      "reluctl");
  BuildCommandLine(app, parsed);
  std::vector<std::string> reversed = EnvironmentArguments(app);
  reversed.insert(reversed.end(), arguments.begin(), arguments.end());
  std::ranges::reverse(reversed);  // As CLI11 wants them.
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    return Outcome{.code = ExitCode::kOk, .out = app.help(), .err = {}};
  } catch (const CLI::CallForVersion& version) {
    return Outcome{.code = ExitCode::kOk,
                   .out = fmt::format("{}\n", version.what()),
                   .err = {}};
  } catch (const CLI::ExtrasError& error) {
    return WrongUsage(app, error.what() + InputHint(app));
  } catch (const CLI::ParseError& error) {
    return WrongUsage(app, error.what());
  }
  return Finish(app, parsed, console);
}

}  // namespace relu
