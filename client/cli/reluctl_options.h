// The command line of reluctl, its config file and its environment.

#ifndef CLIENT_CLI_RELUCTL_OPTIONS_H_
#define CLIENT_CLI_RELUCTL_OPTIONS_H_

#include <span>
#include <string>
#include <variant>

#include "client/cli/activity_command.h"
#include "client/cli/calibrate_command.h"
#include "client/cli/connection_options.h"
#include "client/cli/console.h"
#include "client/cli/explain_command.h"
#include "client/cli/infer_command.h"
#include "client/cli/inspect_command.h"
#include "client/cli/load_options.h"
#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/cli/rank_command.h"
#include "client/cli/repository_commands.h"
#include "client/cli/stats_command.h"

namespace relu {

enum class Command {
  kActivity,
  kCalibrate,
  kCompletion,
  kConfig,
  kExplain,
  kHealth,
  kInfer,
  kInspect,
  kLoad,
  kMetadata,
  kModels,
  kRank,
  kRepositoryLoad,
  kRepositoryUnload,
  kStats
};

struct ReluctlOptions {
  Command command = Command::kHealth;
  ConnectionOptions connection;
  OutputStyle style;
  std::string model;    // For kConfig, kHealth, kMetadata, kRepositoryUnload.
  std::string version;  // For kConfig and kMetadata; may be empty.
  std::string shell;    // For kCompletion: "bash" or "zsh".
  ActivityCommandOptions activity;
  CalibrateOptions calibrate;
  ExplainCommandOptions explain;
  InferOptions infer;
  InspectOptions inspect;
  LoadOptions load;
  RankCommandOptions rank;
  RepositoryLoadOptions repository_load;
  StatsOptions stats;
};

// `arguments` are those after the program's name. Returns an Outcome if there
// is nothing to run: with the help, the version, or what is wrong.
std::variant<ReluctlOptions, Outcome> ParseArguments(
    std::span<const char* const> arguments, const Console& console);

}  // namespace relu

#endif  // CLIENT_CLI_RELUCTL_OPTIONS_H_
