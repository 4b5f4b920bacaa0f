#include "core/repository/model_versions.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/repository/model_catalog.h"
#include "core/repository/model_config.h"
#include "core/repository/repository_scan.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr int kMaxDoublings = 6;

// True if the same files can only fail in the same way again.
bool IsFinal(const absl::Status& failure) {
  return absl::IsInvalidArgument(failure) || absl::IsUnimplemented(failure) ||
         absl::IsNotFound(failure);
}

// Why a version that is served is not what the repository holds.
std::string StaleReason(const absl::Status& failure) {
  return failure.ok() ? std::string()
                      : fmt::format("serving what was loaded before: {}",
                                    std::string(failure.message()));
}

}  // namespace

absl::Status ModelVersions::Update(const ModelSource& source, Retry retry,
                                   Loader& loader) {
  wanted_ = true;
  unloaded_.clear();
  if (!source.status.ok()) {
    return RefuseSource(source, loader);
  }
  if (!source_status_.ok()) {
    source_status_ = absl::OkStatus();
    DropFailed();
  }
  const std::string settings = LoadKey(source.config);
  absl::Status result;
  for (const VersionSource& version : source.versions) {
    result.Update(UpdateVersion(source, version,
                                {.files = version.stamp, .settings = settings},
                                retry, loader));
  }
  const bool all_served = result.ok();
  std::erase_if(versions_, [&](const auto& item) {
    const bool selected =
        std::ranges::find(source.versions, item.first,
                          &VersionSource::version) != source.versions.end();
    return !selected && (all_served || item.second.model == nullptr);
  });
  if (all_served || labels_.empty()) {
    labels_ = source.config.version_labels;
  }
  loader.OnChange();
  return result;
}

absl::Status ModelVersions::RefuseSource(const ModelSource& source,
                                         Loader& loader) {
  if (source_status_ != source.status) {
    source_status_ = source.status;
    DropFailed();
    // The numbers at least are known.
    for (const VersionSource& version : source.versions) {
      Version& known = versions_[version.version];
      if (known.model == nullptr) {
        known.failure = source.status;
      }
    }
    loader.OnBadSource(source);
    loader.OnChange();
  }
  return source.status;
}

void ModelVersions::DropFailed() {
  std::erase_if(versions_,
                [](const auto& item) { return item.second.model == nullptr; });
}

bool ModelVersions::ShouldLoad(Version& version, const Origin& origin,
                               Retry retry) {
  if (version.model != nullptr && version.model_origin == origin) {
    version.failure = absl::OkStatus();  // It is as it was again.
    return false;
  }
  if (version.failure.ok() || version.failure_origin != origin) {
    version.failures = 0;
    return true;
  }
  if (retry == Retry::kNow) {
    return true;
  }
  return !IsFinal(version.failure) && --version.updates_to_skip < 0;
}

absl::Status ModelVersions::UpdateVersion(const ModelSource& source,
                                          const VersionSource& version_source,
                                          const Origin& origin, Retry retry,
                                          Loader& loader) {
  Version& version = versions_[version_source.version];
  if (!ShouldLoad(version, origin, retry)) {
    return version.failure;
  }
  version.loading = true;
  loader.OnChange();
  absl::StatusOr<std::shared_ptr<Model>> model =
      loader.Load(source, version_source);
  version.loading = false;
  if (model.ok()) {
    version = {.model = *std::move(model),
               .model_origin = origin,
               .loading = false,
               .failure = absl::OkStatus(),
               .failure_origin = {},
               .failures = 0,
               .updates_to_skip = 0};
  } else {
    version.failure = model.status();
    version.failure_origin = origin;
    version.failures = std::min(version.failures + 1, kMaxDoublings + 1);
    version.updates_to_skip = (1 << (version.failures - 1)) - 1;
  }
  loader.OnChange();
  return version.failure;
}

void ModelVersions::Unload() {
  wanted_ = false;
  for (const auto& [number, version] : versions_) {
    if (version.model != nullptr) {
      unloaded_.push_back(number);
    }
  }
  versions_.clear();
  labels_.clear();
  source_status_ = absl::OkStatus();
}

CatalogEntry ModelVersions::entry() const {
  CatalogEntry entry;
  entry.labels = labels_;
  entry.wanted = wanted_;
  for (const auto& [number, version] : versions_) {
    ModelState state = {.name = name_,
                        .version = number,
                        .state = VersionState::kUnavailable,
                        .reason = std::string(version.failure.message())};
    if (version.model != nullptr) {
      entry.served.push_back(version.model);
      state.state = VersionState::kReady;
      state.reason =
          StaleReason(version.failure.ok() ? source_status_ : version.failure);
    } else if (version.loading) {
      state.state = VersionState::kLoading;
      state.reason.clear();
    }
    entry.states.push_back(std::move(state));
  }
  for (const std::int64_t number : unloaded_) {
    entry.states.push_back({.name = name_,
                            .version = number,
                            .state = VersionState::kUnloaded,
                            .reason = "unloaded"});
  }
  if (entry.states.empty()) {
    entry.states.push_back({.name = name_,
                            .version = 0,
                            .state = source_status_.ok()
                                         ? VersionState::kNotLoaded
                                         : VersionState::kUnavailable,
                            .reason = std::string(source_status_.message())});
  }
  return entry;
}

}  // namespace relu
