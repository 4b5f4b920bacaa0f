#include "server/server.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/cpu_budget.h"
#include "core/base/status_macros.h"
#include "core/base/thread_team.h"
#include "core/metrics/metrics.h"
#include "core/metrics/model_metrics.h"
#include "core/repository/model.h"
#include "core/repository/model_repository.h"
#include "fmt/format.h"
#include "server/config.h"
#include "server/grpc_server.h"
#include "server/infer_exchange.h"
#include "server/log.h"
#include "server/metrics_endpoint.h"
#include "server/text.h"
#include "server/version.h"

namespace relu {
namespace {

using Clock = std::chrono::steady_clock;

// Always SERVING while the process lives: for liveness probes, which must not
// kill a server that drains or that waits for a model.
constexpr char kLivenessService[] = "liveness";
constexpr char kInferenceService[] = "inference.GRPCInferenceService";

// How many models are to be served, and how many of them cannot be.
struct ModelCount {
  int wanted = 0;
  int failed = 0;
};

// Counts the models, and logs what could not be loaded.
ModelCount CountModels(const ModelRepository& repository) {
  std::map<std::string, bool> ready;  // By name.
  for (const ModelState& model : repository.Index()) {
    if (model.state == VersionState::kNotLoaded) {
      continue;
    }
    const bool others = ready.try_emplace(model.name, true).first->second;
    ready[model.name] = others && model.ready();
    if (!model.ready()) {
      Log(LogLevel::kWarning, fmt::format("model '{}' is not served: {}",
                                          Printable(model.name), model.reason));
    }
  }
  ModelCount count;
  for (const auto& [name, is_ready] : ready) {
    ++count.wanted;
    count.failed += is_ready ? 0 : 1;
  }
  return count;
}

void LogEvent(const RepositoryEvent& event) {
  const std::string name = Printable(event.model);
  const std::chrono::duration<double, std::milli> took = event.took;
  switch (event.kind) {
    case RepositoryEvent::Kind::kLoaded:
      Log(LogLevel::kInfo, fmt::format("model '{}' version {} loaded in {:.0f} "
                                       "ms",
                                       name, event.version, took.count()));
      break;
    case RepositoryEvent::Kind::kNotLoaded:
      Log(LogLevel::kWarning,
          fmt::format("model '{}' is not loaded: {}", name, event.reason));
      break;
    case RepositoryEvent::Kind::kUnloaded:
      Log(LogLevel::kInfo, fmt::format("model '{}' unloaded", name));
      break;
    case RepositoryEvent::Kind::kNoLook:
      Log(LogLevel::kError, event.reason);
      break;
  }
}

// Two for each thread, so that few meet in one; a shard takes a few KiB for
// each model.
std::size_t MetricShards(int threads) {
  constexpr std::size_t kMost = 64;
  return std::min(kMost, std::bit_ceil(static_cast<std::size_t>(threads) * 2));
}

void RefreshQueues(const ModelRepository& repository) {
  for (const ModelState& state : repository.Index()) {
    const auto model =
        repository.Find(state.name, fmt::format("{}", state.version));
    if (model.ok()) {
      (*model)->metrics().SetQueuedRequests((*model)->scheduler().queue_size());
    }
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const ServerOptions& options) {
  const Clock::time_point begin = Clock::now();
  ServerOptions resolved = options;
  const int cpus = CpuBudget();
  resolved.threads = options.threads > 0 ? options.threads : cpus;
  resolved.instance_count =
      options.instance_count > 0 ? options.instance_count : cpus;
  resolved.intra_op_threads = std::min(options.intra_op_threads, cpus);
  auto metrics = std::make_unique<Metrics>(
      MetricsOptions{.version = std::string(kServerVersion),
                     .shards = MetricShards(resolved.threads),
                     .triton_names = resolved.triton_metrics});
  auto team = resolved.intra_op_threads > 1
                  ? std::make_unique<ThreadTeam>(resolved.intra_op_threads)
                  : nullptr;
  RepositoryOptions repository_options = ToOptions(resolved.repository);
  repository_options.folder = resolved.model_repository;
  repository_options.slots = resolved.instance_count;
  repository_options.max_batch_rows = resolved.max_batch_rows;
  repository_options.team = team.get();
  repository_options.max_override_bytes =
      static_cast<std::size_t>(resolved.max_message_bytes);
  ASSIGN_OR_RETURN(auto repository,
                   ModelRepository::Load(repository_options, *metrics));
  const ModelCount models = CountModels(*repository);
  if (models.failed > 0 && resolved.exit_on_error) {
    return absl::FailedPreconditionError(fmt::format(
        "{} models of {} cannot be loaded, and --exit-on-error is set",
        models.failed, resolved.model_repository.string()));
  }
  auto server = std::make_unique<Server>(
      resolved, std::move(metrics), std::move(team), std::move(repository));
  RETURN_IF_ERROR(server->Listen());
  const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
  const std::string metrics_text =
      resolved.allow_metrics
          ? fmt::format(" on {}:{}", resolved.metrics_address,
                        server->metrics_port())
          : " off";
  Log(LogLevel::kInfo,
      fmt::format(
          "relud {} ready in {:.0f} ms: {} of {} models, gRPC on {}:{}, "
          "metrics{}, {} threads",
          kServerVersion, took.count(), models.wanted - models.failed,
          models.wanted, resolved.grpc_address, server->grpc_port(),
          metrics_text, resolved.threads));
  return server;
}

Server::Server(const ServerOptions& options, std::unique_ptr<Metrics> metrics,
               std::unique_ptr<ThreadTeam> team,
               std::unique_ptr<ModelRepository> repository)
    : options_(options),
      metrics_(std::move(metrics)),
      team_(std::move(team)),
      repository_(std::move(repository)),
      timekeeper_(repository_->dispatcher()),
      handlers_(*repository_, options.strict_readiness),
      rpcs_(handlers_, health_) {
  metrics_->OnCollect([this] { RefreshQueues(*repository_); });
}

Server::~Server() {
  // Before what it tells of changes.
  repository_->StopLoading();
  grpc_ = nullptr;
  repository_->Drain();
}

int Server::Shutdown() {
  Log(LogLevel::kInfo, "shutting down: not ready any more");
  repository_->StopLoading();
  handlers_.BeginShutdown();
  health_.SetAllNotServing(kLivenessService);
  if (options_.lame_duck.count() > 0) {
    std::this_thread::sleep_for(options_.lame_duck);
  }
  // Under a load that never pauses a second must do.
  grpc_->WaitUntilQuiet(
      std::min(options_.drain_timeout, std::chrono::milliseconds(1000)));
  const int lost = grpc_->Shutdown(options_.drain_timeout);
  repository_->Drain();
  if (lost > 0) {
    Log(LogLevel::kWarning,
        fmt::format("shut down: {} requests were cancelled, because they took "
                    "longer than the drain timeout of {} ms",
                    lost, options_.drain_timeout.count()));
  } else {
    Log(LogLevel::kInfo, "shut down: every request was answered");
  }
  return lost;
}

int Server::metrics_port() const {
  return metrics_endpoint_ == nullptr ? 0 : metrics_endpoint_->port();
}

absl::Status Server::Listen() {
  if (options_.allow_metrics) {
    ASSIGN_OR_RETURN(metrics_endpoint_,
                     MetricsEndpoint::Start(options_.metrics_address,
                                            options_.metrics_port, *metrics_));
  }
  SetHealth();
  const InferEnvironment environment = {
      .repository = *repository_,
      .metrics = *metrics_,
      .max_response_bytes =
          static_cast<std::size_t>(options_.max_message_bytes)};
  ASSIGN_OR_RETURN(
      grpc_, GrpcServer::Start(
                 {.address = options_.grpc_address,
                  .port = options_.grpc_port,
                  .threads = options_.threads,
                  .max_message_bytes = options_.max_message_bytes,
                  .stream_limits = {.max_requests = static_cast<std::size_t>(
                                        options_.max_stream_requests),
                                    .max_bytes = static_cast<std::size_t>(
                                        options_.max_stream_bytes)}},
                 environment, rpcs_, health_));
  repository_->Start(
      {.on_event = LogEvent, .on_change = [this] { SetHealth(); }});
  return absl::OkStatus();
}

void Server::SetHealth() {
  std::map<std::string, bool> services;
  for (const ModelState& model : repository_->Index()) {
    services[model.name] |= model.ready();
  }
  // After the models: none may take these names.
  services[""] = handlers_.ready();
  services[kInferenceService] = handlers_.ready();
  services[kLivenessService] = true;
  health_.SetAll(services);
}

}  // namespace relu
