#include "server/repository_flags.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include "core/repository/repository_options.h"
#include "server/flags.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

constexpr double kDay = 86400;

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace

void AddRepositoryFlags(CLI::App& app, RepositorySettings& settings) {
  AddChoice<ControlMode>(
      app, "--model-control-mode", settings.control,
      {{"none", ControlMode::kNone},
       {"poll", ControlMode::kPoll},
       {"explicit", ControlMode::kExplicit}},
      "Which models are served. none: those that the folder has at the start. "
      "poll: those that it has, new and changed ones without a restart. "
      "explicit: those of --load-model, and what clients load and unload.");
  app.add_option("--load-model", settings.load_models,
                 "Model to load at the start, with --model-control-mode="
                 "explicit; may be repeated, or be a list with commas. *: all.")
      ->envname(EnvironmentName("--load-model"))
      ->option_text("NAME")
      ->default_str("none")
      ->delimiter(',');
  Add(app, "--repository-poll-secs", settings.poll_seconds, "SECONDS",
      "Time between two looks at the folder, with --model-control-mode=poll.")
      ->check(CLI::Range(0.01, kDay));
  Add(app, "--repository-settle-secs", settings.settle_seconds, "SECONDS",
      "A model is loaded when its files have not changed for so long: one that "
      "is being copied is not served. 0: files are always complete.")
      ->check(CLI::Range(0.0, kDay));
  Add(app, "--activity-sample-every", settings.activity_sample_every, "ROWS",
      "Of so many rows of a model one is looked at for GetActivity and the "
      "drift "
      "of its neurons. 0: none. -1: chosen for each model, so that it takes "
      "less "
      "than 1 % of the network's time.")
      ->check(CLI::Range(std::int64_t{-1}, std::int64_t{1'000'000'000}));
  Add(app, "--model-memory-budget-bytes", settings.memory_budget_bytes, "BYTES",
      "What the weights and workspaces of all models may take. A load that "
      "would take more is refused. 0: no limit.")
      ->check(CLI::Range(std::size_t{0},
                         std::numeric_limits<std::size_t>::max() / 2));
}

std::string Contradiction(const RepositorySettings& settings) {
  return settings.load_models.empty() ||
                 settings.control == ControlMode::kExplicit
             ? ""
             : "--load-model is for --model-control-mode=explicit alone";
}

RepositoryOptions ToOptions(const RepositorySettings& settings) {
  return {.control = settings.control,
          .load_at_start = settings.load_models,
          .poll_interval = Milliseconds(settings.poll_seconds),
          .settle_time = Milliseconds(settings.settle_seconds),
          .activity_sample_every = settings.activity_sample_every,
          .memory_budget_bytes = settings.memory_budget_bytes == 0
                                     ? std::numeric_limits<std::size_t>::max()
                                     : settings.memory_budget_bytes};
}

}  // namespace relu
