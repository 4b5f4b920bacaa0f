#include "server/server.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/cpu_budget.h"
#include "core/base/status_macros.h"
#include "core/base/thread_team.h"
#include "core/metrics/metrics.h"
#include "core/metrics/model_metrics.h"
#include "core/relu/overflow_certificate.h"
#include "core/repository/model.h"
#include "core/repository/model_repository.h"
#include "fmt/format.h"
#include "server/config.h"
#include "server/grpc_server.h"
#include "server/http/http_server.h"
#include "server/infer_exchange.h"
#include "server/log.h"
#include "server/rest_handler.h"
#include "server/security.h"
#include "server/text.h"
#include "server/tls_credentials.h"
#include "server/unix_socket.h"
#include "server/version.h"

namespace relu {
namespace {

using Clock = std::chrono::steady_clock;

// Always SERVING while the process lives: for liveness probes, which must not
// kill a server that drains or that waits for a model.
constexpr char kLivenessService[] = "liveness";
constexpr char kInferenceService[] = "inference.GRPCInferenceService";

std::chrono::milliseconds FromSeconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

StreamLimits StreamLimitsOf(const ServerOptions& options) {
  const LimitSettings& limits = options.limits;
  return {.max_requests = static_cast<std::size_t>(limits.max_stream_requests),
          .max_bytes = static_cast<std::size_t>(limits.max_stream_bytes)};
}

// What serves inference comes first.
int BackgroundThreads(const ServerOptions& options) {
  return std::max(1, options.threads / 2);
}

// Where poll() may begin to take longer than epoll and calls that go from
// thread to thread: it did not with 200 connections for each thread, and did
// with 500 (docs/operations.md).
constexpr std::size_t kPolledConnections = 250;

std::size_t ManyConnections(const ServerOptions& options) {
  return options.grpc_poll_strategy == PollStrategy::kPoll
             ? kPolledConnections * static_cast<std::size_t>(options.threads)
             : std::numeric_limits<std::size_t>::max();
}

// Without credentials and access.
GrpcServerOptions ToGrpcOptions(const ServerOptions& options) {
  const LimitSettings& limits = options.limits;
  return {
      .address = options.grpc_address,
      .port = options.grpc_port,
      .threads = options.threads,
      .busy_poll = std::chrono::microseconds(options.busy_poll_us),
      .max_message_bytes = limits.max_message_bytes,
      .stream_limits = StreamLimitsOf(options),
      .buffer_bytes = static_cast<std::size_t>(limits.grpc_buffer_bytes),
      .max_connections = static_cast<std::size_t>(limits.grpc_max_connections),
      .many_connections = ManyConnections(options),
      .max_streams = limits.grpc_max_streams,
      .answer_timeout = FromSeconds(limits.grpc_answer_timeout_seconds),
      .keepalive_time = FromSeconds(limits.grpc_keepalive_seconds),
      .keepalive_timeout = FromSeconds(limits.grpc_keepalive_timeout_seconds),
      .max_connection_age = FromSeconds(limits.grpc_max_connection_age_seconds),
      .max_connection_idle =
          FromSeconds(limits.grpc_max_connection_idle_seconds),
      .unix_path = options.edge.grpc_unix_socket};
}

// How many models are to be served, and how many of them cannot be.
struct ModelCount {
  int wanted = 0;
  int failed = 0;
};

// Logs what is proven of a version that is served, if that was wanted.
void LogCertificate(const ModelRepository& repository,
                    const ModelState& state) {
  const absl::StatusOr<std::shared_ptr<Model>> model =
      repository.Find(state.name, std::to_string(state.version));
  if (model.ok() && (*model)->guarantees().certificate().has_value()) {
    const OverflowCertificate& proven = *(*model)->guarantees().certificate();
    Log(proven.certified ? LogLevel::kInfo : LogLevel::kWarning,
        fmt::format("model '{}' version {}: {}", Printable(state.name),
                    state.version, Printable(CertificateText(proven), 2000)));
  }
}

// Counts the models, and logs what could not be loaded and what is proven.
ModelCount CountModels(const ModelRepository& repository) {
  std::map<std::string, bool> ready;  // By name.
  for (const ModelState& model : repository.Index()) {
    if (!model.wanted()) {
      continue;
    }
    const bool others = ready.try_emplace(model.name, true).first->second;
    ready[model.name] = others && model.ready();
    if (model.ready()) {
      LogCertificate(repository, model);
    } else {
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
      Log(event.warns ? LogLevel::kWarning : LogLevel::kInfo,
          fmt::format("model '{}' version {} loaded in {:.0f} ms{}{}", name,
                      event.version, took.count(),
                      event.certificate.empty() ? "" : "; ",
                      Printable(event.certificate, 2000)));
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

void RefreshModels(const ModelRepository& repository) {
  for (const ModelState& state : repository.Index()) {
    const auto model =
        repository.Find(state.name, fmt::format("{}", state.version));
    if (model.ok()) {
      (*model)->metrics().SetQueuedRequests((*model)->scheduler().queue_size());
      (*model)->metrics().SetActivity((*model)->activity().Figures());
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
  resolved.edge.http_threads =
      options.edge.http_threads > 0 ? options.edge.http_threads : cpus;
  ASSIGN_OR_RETURN(auto security,
                   Security::Load(resolved.edge.tls, resolved.edge.tokens));
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
      static_cast<std::size_t>(resolved.limits.max_message_bytes);
  ASSIGN_OR_RETURN(auto repository,
                   ModelRepository::Load(repository_options, *metrics));
  const ModelCount models = CountModels(*repository);
  if (models.failed > 0 && resolved.exit_on_error) {
    return absl::FailedPreconditionError(fmt::format(
        "{} models of {} cannot be loaded, and --exit-on-error is set",
        models.failed, resolved.model_repository.string()));
  }
  auto server =
      std::make_unique<Server>(resolved, std::move(metrics), std::move(team),
                               std::move(repository), std::move(security));
  RETURN_IF_ERROR(server->Listen());
  const std::chrono::duration<double, std::milli> took = Clock::now() - begin;
  Log(LogLevel::kInfo,
      fmt::format(
          "relud {} ready in {:.0f} ms: {} of {} models, {}, {} threads",
          kServerVersion, took.count(), models.wanted - models.failed,
          models.wanted, server->ListenersText(), resolved.threads));
  return server;
}

Server::Server(const ServerOptions& options, std::unique_ptr<Metrics> metrics,
               std::unique_ptr<ThreadTeam> team,
               std::unique_ptr<ModelRepository> repository,
               std::unique_ptr<Security> security)
    : options_(options),
      metrics_(std::move(metrics)),
      team_(std::move(team)),
      repository_(std::move(repository)),
      timekeeper_(repository_->dispatcher()),
      handlers_(*repository_, options.strict_readiness,
                options.edge.allow_shared_memory),
      rpcs_(handlers_, health_),
      security_(std::move(security)),
      access_(security_->tokens(), options.edge.open_groups,
              options.edge.allow_control),
      control_access_(security_->tokens(), options.edge.open_groups,
                      /*allow_control=*/true),
      in_flight_bytes_(
          static_cast<std::size_t>(options.limits.max_in_flight_bytes)),
      background_(BackgroundThreads(options), &in_flight_bytes_),
      access_log_(options.access_log),
      environment_{
          .repository = *repository_,
          .metrics = *metrics_,
          .in_flight_bytes = &in_flight_bytes_,
          .access_log = &access_log_,
          .max_message_bytes =
              static_cast<std::size_t>(options.limits.max_message_bytes),
          .shared_memory =
              options.edge.allow_shared_memory ? &shared_memory_ : nullptr},
      rest_{.rpcs = rpcs_,
            .inference = environment_,
            .access = access_,
            .control_access = control_access_} {
  rpcs_.AddTraceSetting(access_log_);
  rpcs_.AddRank(environment_);
  rpcs_.ExplainInBackground(background_, *metrics_);
  if (options.edge.allow_shared_memory) {
    rpcs_.AddSharedMemory(shared_memory_);
  }
  metrics_->OnCollect([this] {
    RefreshModels(*repository_);
    metrics_->SetInFlightBytes(in_flight_bytes_.bytes());
  });
}

Server::~Server() {
  // Before what it tells of changes.
  repository_->StopLoading();
  http_ = nullptr;
  control_grpc_ = nullptr;
  grpc_ = nullptr;
  repository_->Drain();
}

int Server::Shutdown(std::chrono::milliseconds lame_duck) {
  Log(LogLevel::kInfo, "shutting down: not ready any more");
  repository_->StopLoading();
  handlers_.BeginShutdown();
  health_.SetAllNotServing(kLivenessService);
  if (http_ != nullptr) {
    http_->BeginDrain();
  }
  if (lame_duck.count() > 0) {
    Log(LogLevel::kInfo, fmt::format("serving on for {} ms, so that clients "
                                     "can turn away",
                                     lame_duck.count()));
    std::this_thread::sleep_for(lame_duck);
  }
  // Under a load that never pauses a second must do.
  grpc_->WaitUntilQuiet(
      std::min(options_.drain_timeout, std::chrono::milliseconds(1000)));
  const int lost = Drain();
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

// All at the same time, and until the same end.
int Server::Drain() {
  const Clock::time_point end = Clock::now() + options_.drain_timeout;
  const auto left = [&] {
    return std::max(
        std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()),
        std::chrono::milliseconds(0));
  };
  if (http_ != nullptr) {
    http_->StopAccepting();
  }
  std::future<int> lost_control;
  if (control_grpc_ != nullptr) {
    lost_control = std::async(std::launch::async,
                              [&] { return control_grpc_->Shutdown(left()); });
  }
  int lost = grpc_->Shutdown(left());
  lost += lost_control.valid() ? lost_control.get() : 0;
  lost += http_ == nullptr ? 0 : http_->Shutdown(left());
  return lost;
}

int Server::control_grpc_port() const {
  return control_grpc_ == nullptr ? 0 : control_grpc_->port();
}

absl::Status Server::Listen() {
  SetHealth();
  RETURN_IF_ERROR(ListenHttp());
  RETURN_IF_ERROR(ListenGrpc());
  repository_->Start(
      {.on_event = LogEvent, .on_change = [this] { SetHealth(); }});
  return absl::OkStatus();
}

absl::Status Server::ListenGrpc() {
  GrpcServerOptions options = ToGrpcOptions(options_);
  options.access = &access_;
  const auto credentials = [this] {
    return security_->tls() == nullptr ? nullptr
                                       : TlsCredentials(*security_->tls());
  };
  options.credentials = credentials();
  const auto listen = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(grpc_,
                     GrpcServer::Start(options, environment_, rpcs_, health_));
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(ListenOnUnixSocket(options_.edge.grpc_unix_socket, listen));
  if (options_.edge.control_grpc_port.has_value()) {
    options.address = options_.edge.control_address;
    options.port = *options_.edge.control_grpc_port;
    options.threads = 1;
    options.busy_poll = std::chrono::microseconds(0);
    options.unix_path.clear();
    options.credentials = credentials();
    options.access = &control_access_;
    ASSIGN_OR_RETURN(control_grpc_,
                     GrpcServer::Start(options, environment_, rpcs_, health_));
  }
  return absl::OkStatus();
}

std::vector<HttpListener> Server::HttpListeners() const {
  std::vector<HttpListener> listeners;
  const auto add = [&](RestRole role, const std::string& address, int port,
                       bool tls) {
    listeners.push_back({.address = address,
                         .port = port,
                         .tls = tls ? security_->tls() : nullptr,
                         .role = static_cast<int>(role)});
  };
  if (options_.edge.allow_http) {
    add(RestRole::kMain, options_.edge.http_address, options_.edge.http_port,
        true);
  }
  if (options_.edge.control_http_port.has_value()) {
    add(RestRole::kControl, options_.edge.control_address,
        *options_.edge.control_http_port, true);
  }
  if (options_.allow_metrics) {
    add(RestRole::kMetrics, options_.metrics_address, options_.metrics_port,
        options_.edge.metrics_tls);
  }
  if (!options_.edge.http_unix_socket.empty()) {
    add(RestRole::kMain, {}, 0, false);
    listeners.back().unix_path = options_.edge.http_unix_socket;
  }
  return listeners;
}

absl::Status Server::ListenHttp() {
  HttpServerOptions options = {
      .listeners = HttpListeners(),
      .threads = options_.edge.http_threads,
      .max_connections =
          static_cast<std::size_t>(options_.edge.http_max_connections),
      .max_bodies_bytes =
          2 * static_cast<std::size_t>(options_.limits.max_message_bytes),
      .answers = environment_.in_flight_bytes};
  options.limits.max_body_bytes =
      static_cast<std::size_t>(options_.limits.max_message_bytes);
  options.limits.transfer_timeout =
      FromSeconds(options_.edge.http_timeout_seconds);
  options.limits.idle_timeout = FromSeconds(options_.edge.http_idle_seconds);
  if (options.listeners.empty()) {
    return absl::OkStatus();
  }
  return ListenOnUnixSocket(
      options_.edge.http_unix_socket, [&]() -> absl::Status {
        ASSIGN_OR_RETURN(http_, HttpServer::Start(options, [this] {
                           return std::make_unique<RestHandler>(rest_);
                         }));
        return absl::OkStatus();
      });
}

absl::Status Server::ListenOnUnixSocket(
    const std::string& path, const std::function<absl::Status()>& listen) {
  if (path.empty()) {
    return listen();
  }
  ASSIGN_OR_RETURN(
      auto socket,
      UnixSocket::Listen(
          path, static_cast<mode_t>(options_.edge.unix_socket_mode), listen));
  unix_sockets_.push_back(std::move(socket));
  return absl::OkStatus();
}

int Server::HttpPort(RestRole role) const {
  const std::vector<HttpListener> listeners = HttpListeners();
  for (std::size_t i = 0; http_ != nullptr && i < listeners.size(); ++i) {
    if (listeners[i].role == static_cast<int>(role) &&
        listeners[i].unix_path.empty()) {
      return http_->port(i);
    }
  }
  return 0;
}

std::string Server::ListenersText() const {
  std::string text =
      fmt::format("gRPC on {}:{}", options_.grpc_address, grpc_port());
  const auto add = [&](std::string_view name, const std::string& address,
                       int port) {
    text += port > 0 ? fmt::format(", {} on {}:{}", name, address, port)
                     : fmt::format(", {} off", name);
  };
  add("HTTP", options_.edge.http_address, http_port());
  add("metrics", options_.metrics_address, metrics_port());
  if (options_.edge.control_grpc_port.has_value()) {
    add("control gRPC", options_.edge.control_address, control_grpc_port());
  }
  if (options_.edge.control_http_port.has_value()) {
    add("control HTTP", options_.edge.control_address, control_http_port());
  }
  for (const std::string& path :
       {options_.edge.grpc_unix_socket, options_.edge.http_unix_socket}) {
    text += path.empty() ? "" : ", " + path;
  }
  return text + (security_->tls() == nullptr ? "" : ", with TLS");
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
