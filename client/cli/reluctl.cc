#include "client/cli/reluctl.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>

#include "client/cli/activity_command.h"
#include "client/cli/calibrate_command.h"
#include "client/cli/completion.h"
#include "client/cli/connection_options.h"
#include "client/cli/console.h"
#include "client/cli/explain_command.h"
#include "client/cli/infer_command.h"
#include "client/cli/info_commands.h"
#include "client/cli/inspect_command.h"
#include "client/cli/load_command.h"
#include "client/cli/outcome.h"
#include "client/cli/rank_command.h"
#include "client/cli/reluctl_options.h"
#include "client/cli/repository_commands.h"
#include "client/cli/stats_command.h"
#include "client/inference_client.h"
#include "fmt/format.h"

namespace relu {
namespace {

// A shell that completes a name does not wait long for a server.
constexpr std::chrono::milliseconds kCompletionTimeout(500);

// Returns 0, or errno.
int WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return errno;
    }
    text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
  return 0;
}

Outcome RunCommand(InferenceClient& client, const ReluctlOptions& options,
                   Console& console) {
  switch (options.command) {
    case Command::kActivity:
      return RunActivity(client, options.activity, options.style);
    case Command::kConfig:
      return RunModelConfig(client, options.model, options.version,
                            options.style);
    case Command::kExplain:
      return RunExplain(client, options.explain, console.in);
    case Command::kRank:
      return RunRank(client, options.rank, console.in);
    case Command::kHealth:
      return RunHealth(client, options.model, options.style);
    case Command::kInfer:
      return RunInfer(client, options.infer, console.in);
    case Command::kLoad:
      return RunLoadCommand(client, options.connection, options.load, console);
    case Command::kMetadata:
      return options.model.empty()
                 ? RunServerMetadata(client, options.style)
                 : RunModelMetadata(client, options.model, options.version,
                                    options.style);
    case Command::kRepositoryLoad:
      return RunRepositoryLoad(client, options.repository_load);
    case Command::kRepositoryUnload:
      return RunRepositoryUnload(client, options.model);
    case Command::kStats:
      return RunStats(client, options.connection.server, options.stats,
                      options.style, console);
    case Command::kCalibrate:  // These need no client.
    case Command::kCompletion:
    case Command::kInspect:
    case Command::kModels:
      break;
  }
  return RunModels(client, options.style);
}

// The names of the server's models that begin with `prefix`, a line each;
// nothing if there is no server.
std::string ModelNames(std::string_view prefix, const Console& console) {
  // As the environment and the config file say.
  const char* const arguments[] = {"models"};
  const auto parsed = ParseArguments(arguments, console);
  const auto* const options = std::get_if<ReluctlOptions>(&parsed);
  if (options == nullptr) {
    return {};
  }
  ConnectionOptions connection = options->connection;
  connection.timeout = kCompletionTimeout;
  const auto client_options = ClientOptionsOf(connection);
  if (!client_options.ok()) {
    return {};
  }
  const auto client =
      InferenceClient::Create(connection.server, *client_options);
  std::string names;
  if (client.ok()) {
    const auto index = (*client)->RepositoryIndex();
    for (const ModelIndexEntry& entry :
         index.ok() ? *index : std::vector<ModelIndexEntry>()) {
      if (entry.name.starts_with(prefix)) {
        names += entry.name + '\n';
      }
    }
  }
  return names;
}

Outcome RunComplete(std::span<const char* const> words,
                    const Console& console) {
  const Completion completion = Complete(words);
  Outcome outcome;
  for (const std::string& candidate : completion.candidates) {
    outcome.out += candidate + '\n';
  }
  if (completion.wants_model) {
    outcome.out += ModelNames(words.empty() ? "" : words.back(), console);
  }
  return outcome;
}

}  // namespace

Outcome RunReluctl(std::span<const char* const> arguments, Console& console) {
  if (!arguments.empty() && arguments[0] == kCompleteCommand) {
    return RunComplete(arguments.subspan(1), console);
  }
  const auto parsed = ParseArguments(arguments, console);
  if (const Outcome* const outcome = std::get_if<Outcome>(&parsed)) {
    return *outcome;
  }
  const auto& options = std::get<ReluctlOptions>(parsed);
  if (options.command == Command::kInspect) {
    return RunInspect(options.inspect);
  }
  if (options.command == Command::kCalibrate) {
    return RunCalibrate(options.calibrate);
  }
  if (options.command == Command::kCompletion) {
    return {.code = ExitCode::kOk,
            .out = CompletionScript(options.shell),
            .err = {}};
  }
  const auto client_options = ClientOptionsOf(options.connection);
  if (!client_options.ok()) {
    return WrongInput(client_options.status());
  }
  const auto client =
      InferenceClient::Create(options.connection.server, *client_options);
  if (!client.ok()) {
    return absl::IsInvalidArgument(client.status())
               ? WrongInput(client.status())
               : CallFailed(client.status());
  }
  return RunCommand(**client, options, console);
}

int PrintOutcome(const Outcome& outcome, int out_descriptor,
                 int err_descriptor) {
  const int error = WriteAll(out_descriptor, outcome.out);
  // Nobody is left to tell if this fails.
  WriteAll(err_descriptor, outcome.err);
  if (error != 0 && error != EPIPE) {
    WriteAll(err_descriptor,
             ErrorLine(fmt::format("standard output: {}",
                                   std::generic_category().message(error))));
    return static_cast<int>(ExitCode::kWrongInput);
  }
  return static_cast<int>(outcome.code);
}

}  // namespace relu
