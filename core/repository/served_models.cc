#include "core/repository/served_models.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/metrics/repository_metrics.h"
#include "core/relu/overflow_certificate.h"
#include "core/repository/model_catalog.h"
#include "core/repository/model_versions.h"

namespace relu {

ServedModels::ServedModels(VersionLoader& loader, Metrics& metrics,
                           Published<ModelCatalog>& catalog)
    : loader_(loader), metrics_(metrics), catalog_(catalog) {}

void ServedModels::Publish() {
  publishes_ = true;
  catalog_.Replace(std::make_shared<const ModelCatalog>(entries_));
  if (listener_.on_change) {
    listener_.on_change();
  }
}

absl::Status ServedModels::Update(const ModelSource& source,
                                  ModelVersions::Retry retry) {
  updating_ = source.name;
  return models_.try_emplace(source.name, source.name)
      .first->second.Update(source, retry, *this);
}

void ServedModels::Unload(const std::string& name) {
  updating_ = name;
  models_.try_emplace(name, name).first->second.Unload();
  OnChange();
}

void ServedModels::Forget(const std::string& name) {
  models_.erase(name);
  SetEntry(name, nullptr);
  if (publishes_) {
    Publish();
  }
}

const CatalogEntry* ServedModels::Find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.get();
}

std::vector<std::string> ServedModels::names() const {
  std::vector<std::string> names;
  for (const auto& [name, versions] : models_) {
    names.push_back(name);
  }
  return names;
}

void ServedModels::Tell(const RepositoryEvent& event) const {
  if (listener_.on_event) {
    listener_.on_event(event);
  }
}

absl::StatusOr<std::shared_ptr<Model>> ServedModels::Load(
    const ModelSource& source, const VersionSource& version) {
  const auto start = std::chrono::steady_clock::now();
  absl::StatusOr<std::shared_ptr<Model>> model = loader_.Load(source, version);
  RepositoryEvent event{.kind = model.ok() ? RepositoryEvent::Kind::kLoaded
                                           : RepositoryEvent::Kind::kNotLoaded,
                        .model = source.name,
                        .version = version.version,
                        .took = std::chrono::steady_clock::now() - start,
                        .reason = std::string(model.status().message())};
  if (model.ok() && (*model)->guarantees().certificate().has_value()) {
    const OverflowCertificate& proven = *(*model)->guarantees().certificate();
    event.certificate = CertificateText(proven);
    event.warns = !proven.certified;
  }
  Tell(event);
  return model;
}

void ServedModels::OnBadSource(const ModelSource& source) {
  metrics_.repository().CountLoad(source.name, std::chrono::seconds(0), false);
  Tell({.kind = RepositoryEvent::Kind::kNotLoaded,
        .model = source.name,
        .version = 0,
        .took = {},
        .reason = std::string(source.status.message())});
}

void ServedModels::OnChange() {
  SetEntry(updating_, std::make_shared<const CatalogEntry>(
                          models_.find(updating_)->second.entry()));
  if (publishes_) {
    Publish();
  }
}

void ServedModels::SetEntry(const std::string& name,
                            std::shared_ptr<const CatalogEntry> entry) {
  RepositoryMetrics& metrics = metrics_.repository();
  std::set<std::int64_t> exported;
  if (entry != nullptr) {
    auto served = entry->served.begin();
    for (const ModelState& state : entry->states) {
      if (state.wanted()) {
        const std::size_t bytes = state.ready() ? (*served++)->bytes() : 0;
        metrics.SetVersion(name, state.version, state.ready(), bytes);
        exported.insert(state.version);
      }
    }
  }
  if (const CatalogEntry* before = Find(name); before != nullptr) {
    for (const ModelState& state : before->states) {
      if (!exported.contains(state.version)) {
        metrics.ForgetVersion(name, state.version);
      }
    }
  }
  if (entry != nullptr) {
    entries_[name] = std::move(entry);
  } else {
    entries_.erase(name);
  }
}

}  // namespace relu
