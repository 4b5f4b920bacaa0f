#include "core/repository/model_repository.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/batching/dispatcher.h"
#include "core/batching/scheduler.h"
#include "fmt/format.h"

namespace relu {
namespace {

using Clock = std::chrono::steady_clock;

// How often a client's load looks at files that go on changing.
constexpr int kPatience = 20;

// Far enough to be never, near enough for any clock.
constexpr std::chrono::hours kNever{1};

RepositoryOptions WithDispatcher(RepositoryOptions options) {
  if (options.dispatcher == nullptr) {
    options.dispatcher = std::make_shared<Dispatcher>();
  }
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ModelRepository>> ModelRepository::Load(
    const RepositoryOptions& options, Metrics& metrics) {
  auto repository = std::make_unique<ModelRepository>(options, metrics);
  RETURN_IF_ERROR(repository->loader_.Start());
  return repository;
}

ModelRepository::ModelRepository(const RepositoryOptions& options,
                                 Metrics& metrics)
    : options_(WithDispatcher(options)),
      catalog_(std::make_shared<const ModelCatalog>()),
      queue_(std::make_shared<LoaderQueue>()),
      loader_(options_, metrics, catalog_, queue_) {}

ModelRepository::~ModelRepository() {
  Join();
  loader_.Free(queue_->Finish());
}

void ModelRepository::Start(RepositoryListener listener) {
  loader_.Listen(std::move(listener));
  next_poll_ = Clock::now() + options_.poll_interval;
  thread_ = std::thread([this] { Loop(); });
}

// --- What is served ---

absl::StatusOr<std::shared_ptr<Model>> ModelRepository::Find(
    std::string_view name, std::string_view version) const {
  std::shared_ptr<Model> model = catalog_.With(
      [&](const ModelCatalog& catalog) { return catalog.Find(name, version); });
  if (model != nullptr) {
    return model;
  }
  return catalog_.Get()->WhyNot(name, version);
}

std::vector<ModelState> ModelRepository::Index() const {
  std::vector<ModelState> states;
  const std::shared_ptr<const ModelCatalog> catalog = catalog_.Get();
  for (const auto& [name, entry] : catalog->entries()) {
    states.insert(states.end(), entry->states.begin(), entry->states.end());
  }
  return states;
}

std::vector<std::int64_t> ModelRepository::ServedVersions(
    std::string_view name) const {
  std::vector<std::int64_t> versions;
  const std::shared_ptr<const ModelCatalog> catalog = catalog_.Get();
  const auto found = catalog->entries().find(name);
  if (found != catalog->entries().end()) {
    for (const std::shared_ptr<Model>& model : found->second->served) {
      versions.push_back(model->version());
    }
  }
  return versions;
}

bool ModelRepository::ready() const { return catalog_.Get()->ready(); }

void ModelRepository::Drain() {
  Join();
  const std::shared_ptr<const ModelCatalog> catalog = catalog_.Get();
  const auto each_scheduler = [&](void (Scheduler::*call)()) {
    for (const auto& [name, entry] : catalog->entries()) {
      for (const std::shared_ptr<Model>& model : entry->served) {
        (model->scheduler().*call)();
      }
    }
  };
  each_scheduler(&Scheduler::Close);
  each_scheduler(&Scheduler::Drain);
}

// --- What clients ask for ---

void ModelRepository::LoadModel(std::string name, ModelOverride change,
                                Done done) {
  Push({.kind = ControlCommand::Kind::kLoad,
        .model = std::move(name),
        .change = std::move(change),
        .done = std::move(done)});
}

void ModelRepository::UnloadModel(std::string name, Done done) {
  Push({.kind = ControlCommand::Kind::kUnload,
        .model = std::move(name),
        .change = {},
        .done = std::move(done)});
}

void ModelRepository::StopLoading() { queue_->Close(); }

void ModelRepository::Join() {
  StopLoading();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void ModelRepository::Push(ControlCommand command) {
  if (options_.control != ControlMode::kExplicit) {
    command.done(absl::UnavailableError(
        "explicit model load / unload is not allowed if polling is enabled, "
        "nor without --model-control-mode=explicit"));
    return;
  }
  queue_->Push(std::move(command));
}

// --- The loader thread ---

void ModelRepository::Loop() {
  bool closed = false;
  while (!closed) {
    LoaderQueue::Work work = queue_->Wait(NextLook());
    loader_.Free(std::move(work.retired));
    closed = work.closed;
    if (work.command.has_value()) {
      Run(*std::move(work.command));
    }
    std::erase_if(waiting_, [this](Waiting& waiting) {
      return waiting.look_at <= Clock::now() && TryLoad(waiting);
    });
    if (!closed && options_.control != ControlMode::kNone &&
        next_poll_ <= Clock::now()) {
      next_poll_ = Clock::now() + loader_.Poll();
    }
  }
  for (Waiting& waiting : waiting_) {
    waiting.command.done(absl::UnavailableError("server is shutting down"));
  }
  waiting_.clear();
}

Clock::time_point ModelRepository::NextLook() const {
  Clock::time_point next = Clock::now() + kNever;
  if (options_.control != ControlMode::kNone) {
    next = std::min(next, next_poll_);
  }
  for (const Waiting& waiting : waiting_) {
    next = std::min(next, waiting.look_at);
  }
  return next;
}

void ModelRepository::Run(ControlCommand command) {
  if (command.kind == ControlCommand::Kind::kUnload) {
    loader_.Unload(command.model);
    EndWaiting(command.model, "it was unloaded meanwhile");
    command.done(absl::OkStatus());
    return;
  }
  // The newest load of a model is the one that counts.
  EndWaiting(command.model, "another load of it came meanwhile");
  Waiting waiting = {
      .command = std::move(command), .since = Clock::now(), .look_at = {}};
  if (!TryLoad(waiting)) {
    waiting_.push_back(std::move(waiting));
  }
}

void ModelRepository::EndWaiting(std::string_view model,
                                 std::string_view reason) {
  std::erase_if(waiting_, [&](Waiting& waiting) {
    const bool ends = waiting.command.model == model;
    if (ends) {
      waiting.command.done(absl::UnavailableError(
          fmt::format("load failed for model '{}': {}", model, reason)));
    }
    return ends;
  });
}

bool ModelRepository::TryLoad(Waiting& waiting) {
  ControlCommand& command = waiting.command;
  std::chrono::milliseconds retry_after(0);
  std::optional<absl::Status> result =
      loader_.Load(command.model, command.change, retry_after);
  const auto waited = Clock::now() - waiting.since;
  if (!result.has_value() && waited > kPatience * options_.settle_time) {
    result = absl::UnavailableError(fmt::format(
        "load failed for model '{}': its files have been changing for {} ms; "
        "load it when they are complete",
        command.model,
        std::chrono::duration_cast<std::chrono::milliseconds>(waited).count()));
  }
  waiting.look_at = Clock::now() + retry_after;
  if (result.has_value()) {
    command.done(*result);
  }
  return result.has_value();
}

}  // namespace relu
