#include "core/repository/model_loader.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/repository/file_stamp.h"
#include "core/repository/model_config.h"
#include "core/repository/model_versions.h"
#include "core/repository/repository_scan.h"
#include "core/repository/safe_path.h"
#include "fmt/format.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

// At the start, models whose files still change hold up the others this long.
constexpr int kMaxLooksAtStart = 10;

constexpr std::string_view kAllModels = "*";

absl::Status StillChanging(int looks, milliseconds settle_time) {
  return absl::UnavailableError(
      fmt::format("its files have changed at each of {} looks, {} ms apart",
                  looks, settle_time.count()));
}

RepositoryEvent Unloaded(const std::string& name) {
  return {.kind = RepositoryEvent::Kind::kUnloaded,
          .model = name,
          .version = 0,
          .took = {},
          .reason = {}};
}

absl::Status LoadFailed(const std::string& name, const absl::Status& status) {
  return WithPrefix(fmt::format("load failed for model '{}': ", name), status);
}

}  // namespace

ModelLoader::ModelLoader(const RepositoryOptions& options, Metrics& metrics,
                         Published<ModelCatalog>& catalog,
                         std::shared_ptr<LoaderQueue> queue)
    : options_(options),
      versions_(options, metrics, std::move(queue)),
      models_(versions_, metrics, catalog),
      settle_watch_(options.settle_time) {}

void ModelLoader::Listen(RepositoryListener listener) {
  models_.Listen(std::move(listener));
}

absl::Status ModelLoader::Start() {
  std::set<std::string> done;
  milliseconds wait(0);
  int looks = 0;
  do {
    std::this_thread::sleep_for(std::exchange(wait, milliseconds(0)));
    ++looks;
    ASSIGN_OR_RETURN(std::vector<ModelSource> sources, ScanAtStart());
    for (ModelSource& source : sources) {
      if (done.contains(source.name)) {
        continue;
      }
      const milliseconds left = Look(source.name, source.stamp());
      if (left.count() > 0 && looks < kMaxLooksAtStart) {
        wait = std::max(wait, left);
        continue;
      }
      if (left.count() > 0) {
        source.status = StillChanging(looks, options_.settle_time);
      }
      done.insert(source.name);
      // The catalog says what failed.
      models_.Update(source, ModelVersions::Retry::kNow).IgnoreError();
    }
  } while (wait.count() > 0);
  if (options_.control == ControlMode::kExplicit) {
    ListModels();
  }
  models_.Publish();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ModelSource>> ModelLoader::ScanAtStart() const {
  const std::vector<std::string>& names = options_.load_at_start;
  if (options_.control != ControlMode::kExplicit ||
      std::ranges::find(names, kAllModels) != names.end()) {
    return ScanRepository(options_.folder);
  }
  // Also for the error if the folder cannot be read.
  RETURN_IF_ERROR(ScanRepository(options_.folder).status());
  std::vector<ModelSource> sources;
  for (const std::string& name : names) {
    absl::StatusOr<ModelSource> source = ScanModel(options_.folder, name);
    if (source.ok()) {
      sources.push_back(*std::move(source));
    } else {
      sources.emplace_back();
      sources.back().name = name;
      sources.back().status = source.status();
    }
  }
  return sources;
}

milliseconds ModelLoader::Poll() {
  if (options_.control == ControlMode::kExplicit) {
    ListModels();
    return options_.poll_interval;
  }
  const absl::StatusOr<std::vector<ModelSource>> sources =
      ScanRepository(options_.folder);
  if (!NoteLook(sources.status())) {
    return options_.poll_interval;  // What is served goes on.
  }
  milliseconds wait = options_.poll_interval;
  std::set<std::string> found;
  for (const ModelSource& source : *sources) {
    found.insert(source.name);
    const milliseconds left = Look(source.name, source.stamp());
    if (left.count() == 0) {
      models_.Update(source, ModelVersions::Retry::kSeldom).IgnoreError();
    } else {
      wait = std::min(wait, left);
    }
  }
  return std::min(wait, UnloadOthers(found));
}

// Unloads what the folder has no more. Not at the first look: a folder that is
// replaced is gone for a moment.
milliseconds ModelLoader::UnloadOthers(const std::set<std::string>& found) {
  milliseconds wait = options_.poll_interval;
  for (const std::string& name : models_.names()) {
    if (found.contains(name)) {
      continue;
    }
    const milliseconds left = Look(name, FileStamp());
    if (left.count() == 0) {
      models_.Forget(name);
      models_.Tell(Unloaded(name));
    } else {
      wait = std::min(wait, left);
    }
  }
  return wait;
}

// Makes known what the folder has, and forgets what it has not.
void ModelLoader::ListModels() {
  const absl::StatusOr<std::vector<ModelSource>> sources =
      ScanRepository(options_.folder);
  if (!NoteLook(sources.status())) {
    return;
  }
  std::set<std::string> found;
  for (const ModelSource& source : *sources) {
    found.insert(source.name);
    if (models_.Find(source.name) == nullptr) {
      models_.Unload(source.name);
    }
  }
  for (const std::string& name : models_.names()) {
    if (!found.contains(name) && !models_.Find(name)->wanted) {
      models_.Forget(name);
    }
  }
}

std::optional<absl::Status> ModelLoader::Load(const std::string& name,
                                              const ModelOverride& change,
                                              milliseconds& retry_after) {
  if (!change.files.empty()) {
    return LoadFiles(name, change);
  }
  std::optional<ModelConfig> config;
  if (change.config_json.has_value()) {
    absl::StatusOr<ModelConfig> parsed =
        ParseModelConfigJson(*change.config_json, name);
    if (!parsed.ok()) {
      return LoadFailed(name, parsed.status());
    }
    config = *std::move(parsed);
  }
  const absl::StatusOr<ModelSource> source =
      ScanModel(options_.folder, name, config);
  if (!source.ok()) {
    return WithPrefix(fmt::format("failed to load '{}', failed to poll from "
                                  "model repository: ",
                                  name),
                      source.status());
  }
  retry_after = Look(name, source->stamp());
  if (retry_after.count() > 0) {
    return std::nullopt;
  }
  return LoadFailed(name, models_.Update(*source, ModelVersions::Retry::kNow));
}

absl::Status ModelLoader::LoadFiles(const std::string& name,
                                    const ModelOverride& change) {
  RETURN_IF_ERROR(CheckModelName(name));
  if (!change.config_json.has_value()) {
    return absl::InvalidArgumentError(fmt::format(
        "load failed for model '{}': with files wanted the parameter 'config', "
        "too; '{{}}' for no settings",
        name));
  }
  if (change.file_bytes() > options_.max_override_bytes) {
    return absl::ResourceExhaustedError(fmt::format(
        "load failed for model '{}': files of {} bytes, the most is {}", name,
        change.file_bytes(), options_.max_override_bytes));
  }
  const auto update = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(ModelConfig config,
                     ParseModelConfigJson(*change.config_json, name));
    ASSIGN_OR_RETURN(const OverrideFolder folder,
                     OverrideFolder::Write(name, change));
    ASSIGN_OR_RETURN(const ModelSource source,
                     ScanModel(folder.path(), name, std::move(config)));
    return models_.Update(source, ModelVersions::Retry::kNow);
  };
  const absl::Status status = update();
  if (!status.ok()) {
    ForgetIfUnknown(name);
  }
  return LoadFailed(name, status);
}

void ModelLoader::Unload(const std::string& name) {
  const CatalogEntry* const entry = models_.Find(name);
  if (entry == nullptr || !entry->wanted) {
    return;
  }
  models_.Unload(name);
  ForgetIfUnknown(name);
  models_.Tell(Unloaded(name));
}

void ModelLoader::Free(std::vector<std::unique_ptr<Model>> retired) {
  versions_.Free(std::move(retired));
}

// Forgets a model that is not served and that the folder does not have: it came
// with the files of a request, or its folder has gone.
void ModelLoader::ForgetIfUnknown(const std::string& name) {
  const CatalogEntry* const entry = models_.Find(name);
  if (entry != nullptr && entry->served.empty() &&
      absl::IsNotFound(ScanModel(options_.folder, name).status())) {
    models_.Forget(name);
  }
}

milliseconds ModelLoader::Look(const std::string& name,
                               const FileStamp& stamp) {
  return settle_watch_.Look(name, stamp,
                            {.steady = std::chrono::steady_clock::now(),
                             .system = std::chrono::system_clock::now()});
}

// Tells of a folder that cannot be read once, not at every look. True if it
// can.
bool ModelLoader::NoteLook(const absl::Status& status) {
  if (!status.ok() && status != last_look_) {
    models_.Tell({.kind = RepositoryEvent::Kind::kNoLook,
                  .model = {},
                  .version = 0,
                  .took = {},
                  .reason = std::string(status.message())});
  }
  last_look_ = status;
  return status.ok();
}

}  // namespace relu
