#include "client/cli/command_line.h"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "client/cli/activity_options.h"
#include "client/cli/explain_options.h"
#include "client/cli/infer_command.h"
#include "client/cli/model_flags.h"
#include "client/cli/outcome.h"
#include "client/cli/rank_options.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

void AddInfer(CLI::App& app, InferOptions& infer) {
  CLI::App& command =
      *app.add_subcommand("infer", "Send rows to a model and show its answers");
  AddServedModel(command, infer.model, infer.version);
  AddRows(command, infer,
          {.label = "The CSV column with the true label, by its name or "
                    "'last': not sent, compared with the predictions",
           .limit = "Send the first N rows only"});
  command
      .add_option("--show", infer.show_rows,
                  "Print the first N rows of the table only; the accuracy is "
                  "that of all")
      ->check(CLI::Range(std::int64_t{0}, kMostRows))
      ->option_text("N");
  AddBatchRows(command, infer.batch_rows);
  command
      .add_option("--outputs", infer.outputs,
                  "The outputs to ask for (default: all)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("NAME,...");
  command.footer(
      "Examples:\n"
      "  reluctl infer digits_mlp --input rows.csv --label last\n"
      "  reluctl infer digits_mlp --input rows.npy --output json\n"
      "  reluctl infer two_inputs --input-name a=a.npy --input-name b=b.npy\n");
}

void AddModel(CLI::App& command, ReluctlOptions& options, bool required,
              const std::string& text) {
  command.add_option("model", options.model, text)->required(required);
}

void AddQuestions(CLI::App& app, ReluctlOptions& options) {
  CLI::App& health = *app.add_subcommand(
      "health", "Ask whether the server, or a model, can serve");
  AddModel(health, options, false,
           "The model's name (default: the whole server)");
  CLI::App& metadata = *app.add_subcommand(
      "metadata", "Show what the server, or a model, says of itself");
  AddModel(metadata, options, false, "The model's name (default: the server)");
  AddVersion(metadata, options.version);
  CLI::App& config = *app.add_subcommand(
      "config", "Show the configuration that a model runs with");
  AddModel(config, options, true, "The model's name");
  AddVersion(config, options.version);
  config.footer(
      "Prints the text of config.pbtxt, or with --output json JSON.\n");
  app.add_subcommand("models", "List the models of the server");
}

void AddStats(CLI::App& app, StatsOptions& stats) {
  CLI::App& command = *app.add_subcommand(
      "stats", "Watch what the models are doing: rates, latencies, batches");
  command.add_option("model", stats.model, "The model's name (default: all)");
  command
      .add_option("--interval", stats.interval_seconds,
                  "The time that each look covers")
      ->check(CLI::Range(0.01, 3600.0))
      ->option_text("SECONDS [1]");
  command
      .add_option("--count,-n", stats.count,
                  "End after N looks (default: on a terminal never, else 1)")
      ->check(CLI::Range(std::int64_t{1}, kMostRows))
      ->option_text("N");
  command
      .add_option("--metrics", stats.metrics,
                  "Where the server's metrics are, for percentiles and queues "
                  "(default: port 8002 of its host)")
      ->option_text("HOST:PORT");
  command.footer(
      "Examples:\n"
      "  reluctl stats\n"
      "  reluctl stats digits_mlp --interval 10 --count 6 --output csv\n");
}

void AddRepository(CLI::App& app, ReluctlOptions& options) {
  CLI::App& repository = *app.add_subcommand(
      "repository", "List, load and unload models of the server's repository");
  repository.require_subcommand(1);
  repository.add_subcommand("index", "List the models, as \"models\" does");
  CLI::App& load = *repository.add_subcommand(
      "load", "Load or reload a model; returns when it is served");
  load.add_option("model", options.repository_load.model, "The model's name")
      ->required();
  load.add_option("--model-config", options.repository_load.config_file,
                  "Load it with this configuration, as JSON")
      ->option_text("FILE");
  load.add_option("--file", options.repository_load.files,
                  "Load this file in the place of the repository's; once for "
                  "each file")
      ->allow_extra_args(false)
      ->option_text("VERSION/NAME=FILE ...");
  load.footer(
      "Examples:\n"
      "  reluctl repository load digits_mlp\n"
      "  reluctl repository load digits_mlp --file 1/model.onnx=new.onnx\n");
  CLI::App& unload =
      *repository.add_subcommand("unload", "Take a model out of service");
  AddModel(unload, options, true, "The model's name");
}

void AddLocal(CLI::App& app, ReluctlOptions& options) {
  CLI::App& inspect = *app.add_subcommand(
      "inspect",
      "Show what is in an ONNX file and what a server would run for it; needs "
      "no server");
  inspect.add_option("file", options.inspect.file, "The ONNX file")->required();
  inspect
      .add_option("--rows", options.inspect.rows,
                  "Show what the network does on the rows of this CSV, JSON or "
                  ".npy file, and what is proven for their range")
      ->option_text("FILE");
  AddLabel(inspect, options.inspect.label,
           "The CSV column that is no input, by its name or 'last'");
  inspect
      .add_option("--domain", options.inspect.domain,
                  "What the elements of an input may be, as the parameter "
                  "input_domain.INPUT of config.pbtxt has it: what holds for "
                  "the domain is proven (may be repeated)")
      ->allow_extra_args(false)
      ->option_text("INPUT=RULES");
  inspect
      .add_option("--box", options.inspect.box,
                  "Show what is proven for all floats of this range")
      ->delimiter(',')
      ->expected(2)
      ->allow_extra_args(false)
      ->option_text("LOW,HIGH");
  inspect
      .add_option("--report", options.inspect.report,
                  "Write all of it to this file as a page with plots")
      ->option_text("FILE.html");
  inspect
      .add_option("--compact", options.inspect.compact,
                  "Write the model without the neurons that are proven to add "
                  "nothing (for the rows' range or the box, if given), once it "
                  "has given the same bits")
      ->option_text("FILE.onnx");
  inspect.add_flag("--drop-zero-inputs", options.inspect.drops_zero_inputs,
                   "Count inputs that are zero in every row among these");
  CLI::App& completion = *app.add_subcommand(
      "completion", "Print the script that completes reluctl's command lines");
  completion.add_option("shell", options.shell, "bash or zsh")
      ->check(CLI::IsMember({"bash", "zsh"}))
      ->required();
  completion.footer(
      "Examples:\n"
      "  source <(reluctl completion bash)\n"
      "  reluctl completion zsh > \"${fpath[1]}/_reluctl\"\n");
}

void AddConnection(CLI::App& app, ParsedOptions& parsed) {
  ConnectionOptions& connection = parsed.options.connection;
  app.add_option("--server,-s", connection.server,
                 "The server's gRPC address (without a port: 8001), or a "
                 "list of them")
      ->envname("RELUCTL_SERVER")
      ->option_text("ADDRESS [localhost:8001] (Env:RELUCTL_SERVER)");
  app.add_option("--timeout", parsed.timeout_seconds,
                 "How long each call may take, in seconds")
      ->envname("RELUCTL_TIMEOUT")
      ->option_text("SECONDS [10] (Env:RELUCTL_TIMEOUT)");
  app.add_flag("--tls", connection.tls,
               "Encrypt; trust the system's authorities");
  app.add_option("--ca-file", connection.ca_file,
                 "Encrypt; trust the authorities of this PEM file")
      ->envname("RELUCTL_CA_FILE")
      ->option_text("FILE (Env:RELUCTL_CA_FILE)");
  app.add_option("--cert-file", connection.cert_file,
                 "Show this certificate (PEM) to the server")
      ->envname("RELUCTL_CERT_FILE")
      ->option_text("FILE (Env:RELUCTL_CERT_FILE)");
  app.add_option("--key-file", connection.key_file, "Its private key (PEM)")
      ->envname("RELUCTL_KEY_FILE")
      ->option_text("FILE (Env:RELUCTL_KEY_FILE)");
  app.add_option("--server-name", connection.server_name,
                 "The name that the server's certificate must have")
      ->option_text("NAME");
  app.add_option("--token-file", connection.token_file,
                 "Send the token in this file with each call; or set "
                 "RELUCTL_TOKEN to the token itself")
      ->envname("RELUCTL_TOKEN_FILE")
      ->option_text("FILE (Env:RELUCTL_TOKEN_FILE)");
}

// Where the config file is looked for if none is named.
std::string DefaultConfigFile() {
  // Read once, before any thread is started.
  const char* const folder = std::getenv("XDG_CONFIG_HOME");
  if (folder != nullptr && *folder != '\0') {
    return std::string(folder) + "/reluctl.toml";
  }
  const char* const home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.config/reluctl.toml";
}

void AddGlobal(CLI::App& app, ParsedOptions& parsed) {
  AddConnection(app, parsed);
  app.add_option("--output,-o", parsed.output, "How to print")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->envname("RELUCTL_OUTPUT")
      ->option_text("table|json|csv [table] (Env:RELUCTL_OUTPUT)");
  app.add_option(
         "--colour,--color", parsed.colour,
         "Colours in tables; auto: on a terminal, if NO_COLOR is not set")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->option_text("auto|always|never [auto]");
  app.set_config("--config", DefaultConfigFile(),
                 "A file of options: names and values of this list, and in a "
                 "section [COMMAND] those of a command")
      ->envname("RELUCTL_CONFIG")
      ->option_text("FILE [~/.config/reluctl.toml] (Env:RELUCTL_CONFIG)");
  app.set_version_flag("--version", "reluctl " RELU_VERSION);
  app.require_subcommand(0, 1);  // That there is one is checked later.
  // So that "reluctl models --timeout 1" works too.
  app.fallthrough();
  app.footer(
      "Examples:\n"
      "  reluctl models\n"
      "  reluctl infer digits_mlp --input rows.csv\n"
      "  reluctl load digits_mlp --concurrency 64\n"
      "  reluctl COMMAND --help\n"
      "\n" +
      std::string(kExitCodeHelp));
}

}  // namespace

void BuildCommandLine(CLI::App& app, ParsedOptions& parsed) {
  // Of the config file: a name that is not known is an error.
  app.allow_config_extras(CLI::config_extras_mode::error);
  ReluctlOptions& options = parsed.options;
  AddGlobal(app, parsed);
  AddActivity(app, options.activity);
  AddCalibrate(app, options.calibrate);
  AddExplain(app, options.explain);
  AddRank(app, options.rank);
  AddInfer(app, options.infer);
  AddLoadFlags(*app.add_subcommand("load",
                                   "Put load on a server and measure it, at a "
                                   "pace or up to a limit"),
               options.load);
  AddStats(app, options.stats);
  AddQuestions(app, options);
  AddRepository(app, options);
  AddLocal(app, options);
}

}  // namespace relu
