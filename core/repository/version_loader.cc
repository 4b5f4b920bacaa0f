#include "core/repository/version_loader.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/metrics/repository_metrics.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::size_t kNoBudget = std::numeric_limits<std::size_t>::max();

absl::Status CheckFileSize(const VersionSource& version, std::size_t left) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(version.file, error);
  if (error || bytes <= left) {
    return absl::OkStatus();  // Reading a file that is not there says it best.
  }
  return absl::ResourceExhaustedError(fmt::format(
      "{}: {} bytes; {} are left", version.file.string(), bytes, left));
}

// What was read may be half of one file and half of another.
absl::Status CheckUnchanged(const ModelSource& source,
                            const VersionSource& version) {
  ASSIGN_OR_RETURN(const ModelSource now,
                   ScanModel(source.repository, source.name, source.config));
  const auto same =
      std::ranges::find(now.versions, version.version, &VersionSource::version);
  if (same != now.versions.end() && same->stamp == version.stamp) {
    return absl::OkStatus();
  }
  return absl::UnavailableError(
      fmt::format("model \"{}\": {}: the files have changed while they were "
                  "read; the next load may succeed",
                  source.name, version.file.string()));
}

}  // namespace

VersionLoader::VersionLoader(const RepositoryOptions& options, Metrics& metrics,
                             std::shared_ptr<LoaderQueue> queue)
    : options_(options), metrics_(metrics), queue_(std::move(queue)) {}

absl::StatusOr<std::shared_ptr<Model>> VersionLoader::Load(
    const ModelSource& source, const VersionSource& version) {
  Free(queue_->TakeRetired());
  const auto start = std::chrono::steady_clock::now();
  absl::StatusOr<std::unique_ptr<Model>> model =
      LoadWithinBudget(source, version);
  metrics_.repository().CountLoad(
      source.name, std::chrono::steady_clock::now() - start, model.ok());
  if (!model.ok()) {
    return model.status();
  }
  used_bytes_ += (*model)->bytes();
  // A request may hold the last pointer and drop it from within the model's own
  // scheduler: the end of the model is left to the loader thread.
  const auto retire = [queue = queue_](Model* last) {
    queue->Retire(std::unique_ptr<Model>(last));
  };
  return std::shared_ptr<Model>(model->release(), retire);
}

absl::StatusOr<std::unique_ptr<Model>> VersionLoader::LoadWithinBudget(
    const ModelSource& source, const VersionSource& version) {
  RETURN_IF_ERROR(version.status);
  const std::size_t budget = options_.memory_budget_bytes;
  const std::size_t left = budget - std::min(budget, used_bytes_);
  absl::Status status = CheckFileSize(version, left);
  if (status.ok()) {
    absl::StatusOr<std::unique_ptr<Model>> model = Model::Load(
        {.name = source.name,
         .version = version.version,
         .file = version.file,
         .config = source.config,
         .slots = options_.slots,
         .max_batch_rows = options_.max_batch_rows,
         .queue_limits = options_.queue_limits,
         .max_queue_time = options_.max_queue_time,
         .dispatcher = options_.dispatcher,
         .team = options_.team,
         .costs = &costs_,
         .folder = source.folder,
         .warmup_folder = source.warmup_folder,
         .activity_sample_every = options_.activity_sample_every,
         .memory_limit_bytes = budget == kNoBudget ? kNoBudget : left},
        metrics_);
    status = model.status();
    if (status.ok()) {
      RETURN_IF_ERROR(CheckUnchanged(source, version));
      return model;
    }
  }
  if (absl::IsResourceExhausted(status)) {
    return absl::ResourceExhaustedError(fmt::format(
        "{} of the memory budget of {} (--model-memory-budget-bytes)",
        std::string(status.message()), budget));
  }
  return status;
}

void VersionLoader::Free(std::vector<std::unique_ptr<Model>> retired) {
  if (retired.empty()) {
    return;
  }
  for (std::unique_ptr<Model>& model : retired) {
    // The thread that ran the last request may still be on its way out.
    model->scheduler().Drain();
    used_bytes_ -= std::min(used_bytes_, model->bytes());
    model = nullptr;
  }
  // Else the allocator keeps the pages, and reloads make the process grow.
  malloc_trim(0);
}

}  // namespace relu
