#include "core/repository/model_repository.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "core/batching/dispatcher.h"
#include "core/metrics/metrics.h"
#include "core/repository/model.h"
#include "core/repository/repository_scan.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Of texts that clients sent, in messages: gRPC bounds the size of an error.
constexpr std::size_t kMaxQuotedBytes = 256;

// The words with which Triton says that a request cannot be served.
std::string UnknownModel(std::string_view name) {
  return fmt::format("Request for unknown model: '{}'",
                     ClipUtf8(name, kMaxQuotedBytes));
}

absl::StatusOr<std::int64_t> ParseVersion(std::string_view name,
                                          std::string_view text) {
  std::int64_t version = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, version);
  if (error != std::errc() || rest != end || version <= 0) {
    return absl::InvalidArgumentError(fmt::format(
        "model '{}': version '{}' is not a positive integer below 2^63",
        ClipUtf8(name, kMaxQuotedBytes), ClipUtf8(text, kMaxQuotedBytes)));
  }
  return version;
}

absl::StatusOr<std::shared_ptr<Model>> LoadModel(
    const ModelSource& source, const RepositoryOptions& options,
    const std::shared_ptr<Dispatcher>& dispatcher, Metrics& metrics) {
  RETURN_IF_ERROR(source.status);
  return Model::Load({.name = source.name,
                      .version = source.version,
                      .file = source.file,
                      .config = source.config,
                      .slots = options.slots,
                      .max_batch_rows = options.max_batch_rows,
                      .queue_limits = options.queue_limits,
                      .max_queue_time = options.max_queue_time,
                      .dispatcher = dispatcher,
                      .team = options.team},
                     metrics);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ModelRepository>> ModelRepository::Load(
    const RepositoryOptions& options, Metrics& metrics) {
  ASSIGN_OR_RETURN(const std::vector<ModelSource> sources,
                   ScanRepository(options.folder));
  auto repository = std::make_unique<ModelRepository>();
  repository->dispatcher_ = options.dispatcher != nullptr
                                ? options.dispatcher
                                : std::make_shared<Dispatcher>();
  for (const ModelSource& source : sources) {
    absl::StatusOr<std::shared_ptr<Model>> model =
        LoadModel(source, options, repository->dispatcher_, metrics);
    Entry entry{.state = {.name = source.name,
                          .version = source.version,
                          .ready = model.ok(),
                          .reason = std::string(model.status().message())},
                .model = nullptr};
    if (model.ok()) {
      entry.model = *std::move(model);
    }
    metrics.SetModelReady(source.name, fmt::format("{}", source.version),
                          entry.state.ready);
    repository->entries_.emplace(source.name, std::move(entry));
  }
  return repository;
}

absl::StatusOr<std::shared_ptr<Model>> ModelRepository::Find(
    std::string_view name, std::string_view version) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    return absl::NotFoundError(UnknownModel(name) + " is not found");
  }
  const Entry& entry = found->second;
  if (!version.empty()) {
    ASSIGN_OR_RETURN(const std::int64_t wanted, ParseVersion(name, version));
    if (wanted != entry.state.version && entry.state.version != 0) {
      return absl::NotFoundError(
          fmt::format("{} version {} is not found: version {} is served",
                      UnknownModel(name), wanted, entry.state.version));
    }
  }
  if (entry.model == nullptr) {
    return absl::UnavailableError(fmt::format(
        "{} is not ready: {}", UnknownModel(name), entry.state.reason));
  }
  return entry.model;
}

std::vector<ModelState> ModelRepository::Index() const {
  std::vector<ModelState> states;
  states.reserve(entries_.size());
  for (const auto& [name, entry] : entries_) {
    states.push_back(entry.state);
  }
  return states;
}

bool ModelRepository::ready() const {
  return std::ranges::all_of(
      entries_, [](const auto& item) { return item.second.state.ready; });
}

void ModelRepository::Drain() {
  for (const auto& [name, entry] : entries_) {
    if (entry.model != nullptr) {
      entry.model->scheduler().Close();
    }
  }
  for (const auto& [name, entry] : entries_) {
    if (entry.model != nullptr) {
      entry.model->scheduler().Drain();
    }
  }
}

}  // namespace relu
