#include "client/cli/reluctl.h"

#include <unistd.h>

#include <cerrno>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <variant>

#include "client/cli/console.h"
#include "client/cli/infer_command.h"
#include "client/cli/info_commands.h"
#include "client/cli/inspect_command.h"
#include "client/cli/load_command.h"
#include "client/cli/outcome.h"
#include "client/cli/reluctl_options.h"
#include "client/inference_client.h"
#include "fmt/format.h"

namespace relu {
namespace {

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
    case Command::kInfer:
      return RunInfer(client, options.infer, console.in);
    case Command::kHealth:
      return RunHealth(client, options.model);
    case Command::kMetadata:
      return options.model.empty()
                 ? RunServerMetadata(client, options.json)
                 : RunModelMetadata(client, options.model, options.version,
                                    options.json);
    case Command::kLoad:
      return RunLoadCommand(
          client, {.address = options.server, .timeout = options.timeout},
          options.load, console);
    case Command::kInspect:  // Needs no client.
    case Command::kModels:
      break;
  }
  return RunModels(client);
}

}  // namespace

Outcome RunReluctl(std::span<const char* const> arguments, Console& console) {
  const auto parsed = ParseArguments(arguments);
  if (const Outcome* const outcome = std::get_if<Outcome>(&parsed)) {
    return *outcome;
  }
  const auto& options = std::get<ReluctlOptions>(parsed);
  if (options.command == Command::kInspect) {
    return RunInspect(options.inspect);
  }
  const auto client = InferenceClient::Create(
      options.server, {.default_timeout = options.timeout});
  if (!client.ok()) {
    return WrongInput(client.status());
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
