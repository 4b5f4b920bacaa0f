// The flags of the model repository: what is served, and who says so.

#ifndef SERVER_REPOSITORY_FLAGS_H_
#define SERVER_REPOSITORY_FLAGS_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "core/repository/repository_options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace relu {

// Times are in seconds, as the flags have them.
struct RepositorySettings {
  ControlMode control = ControlMode::kNone;
  std::vector<std::string> load_models = {};
  double poll_seconds = 15;
  double settle_seconds = 1;
  std::int64_t activity_sample_every = -1;  // See ActivityOptions.
  std::size_t memory_budget_bytes = 0;      // 0: no limit.
};

// Adds the flags to `app`, which writes to `settings`.
void AddRepositoryFlags(CLI::App& app, RepositorySettings& settings);

// What settings say together that cannot be; empty if there is nothing.
std::string Contradiction(const RepositorySettings& settings);

// The same for the repository; folder, slots and batches are not among it.
RepositoryOptions ToOptions(const RepositorySettings& settings);

}  // namespace relu

#endif  // SERVER_REPOSITORY_FLAGS_H_
