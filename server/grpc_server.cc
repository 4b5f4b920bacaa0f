#include "server/grpc_server.h"

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpc/impl/codegen/grpc_types.h"
#include "grpc/support/log.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/channel_arguments.h"

#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "server/completion_worker.h"
#include "server/health.h"
#include "server/log.h"
#include "server/rpc_table.h"

namespace relu {
namespace {

// gRPC writes to standard error by itself; its lines go to our log.
void LogForGrpc(gpr_log_func_args* args) {
  const LogLevel level = args->severity == GPR_LOG_SEVERITY_ERROR
                             ? LogLevel::kWarning
                             : LogLevel::kDebug;
  Log(level, fmt::format("gRPC: {}", args->message));
}

// "::1" to "[::1]:8001"
std::string Endpoint(std::string_view address, int port) {
  const bool bare_ipv6 =
      address.find(':') != std::string_view::npos && !address.starts_with('[');
  return bare_ipv6 ? fmt::format("[{}]:{}", address, port)
                   : fmt::format("{}:{}", address, port);
}

// gRPC 1.51 first gives back the calls that wait for clients and then notes
// that it shuts down. Between the two a client's call finds nobody that waits
// for it and is queued; nobody will ask for it any more, and while it is there
// its connection, and so the server, does not end. gRPC looks into that queue,
// and ends what is there, whenever a connection ends: so one is opened within
// the process, which a server that shuts down closes at once.
void EndQueuedCalls(grpc::Server& server) {
  server.InProcessChannel(grpc::ChannelArguments());
}

// How long a call may be in that queue.
constexpr std::chrono::milliseconds kQueuedCallsPeriod{20};

// For gRPC, 0 would be at once.
void SetTime(const char* argument, std::chrono::milliseconds time,
             grpc::ServerBuilder& builder) {
  if (time.count() > 0) {
    builder.AddChannelArgument(argument, static_cast<int>(time.count()));
  }
}

// What clients can take of connections, and gRPC of memory for them.
void SetLimits(const GrpcServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(options.max_message_bytes);
  builder.SetMaxSendMessageSize(options.max_message_bytes);
  builder.SetResourceQuota(
      grpc::ResourceQuota("relud").Resize(options.buffer_bytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             options.max_streams);
  SetTime(GRPC_ARG_KEEPALIVE_TIME_MS, options.keepalive_time, builder);
  SetTime(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options.keepalive_timeout, builder);
  SetTime(GRPC_ARG_MAX_CONNECTION_AGE_MS, options.max_connection_age, builder);
  SetTime(GRPC_ARG_MAX_CONNECTION_IDLE_MS, options.max_connection_idle,
          builder);
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(
    const GrpcServerOptions& options, const InferEnvironment& environment,
    const RpcTable& rpcs, Health& health) {
  gpr_set_log_function(LogForGrpc);
  auto server =
      std::make_unique<GrpcServer>(options, environment, rpcs, health);
  RETURN_IF_ERROR(server->Listen(options));
  return server;
}

GrpcServer::GrpcServer(const GrpcServerOptions& options,
                       const InferEnvironment& environment,
                       const RpcTable& rpcs, Health& health)
    : environment_(environment),
      health_(health),
      services_{.infer = infer_service_,
                .generic = generic_service_,
                .environment = environment_,
                .rpcs = rpcs,
                .health = health,
                .lost = lost_,
                .stream_limits = options.stream_limits,
                .access = options.access},
      credentials_(options.credentials != nullptr
                       ? options.credentials
                       : grpc::InsecureServerCredentials()) {}

GrpcServer::~GrpcServer() { Shutdown(std::chrono::milliseconds(0)); }

absl::Status GrpcServer::Listen(const GrpcServerOptions& options) {
  const std::string endpoint = Endpoint(options.address, options.port);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(endpoint, credentials_, &port_);
  int unix_port = 1;  // gRPC's name for "yes".
  if (!options.unix_path.empty()) {
    builder.AddListeningPort(fmt::format("unix:{}", options.unix_path),
                             grpc::InsecureServerCredentials(), &unix_port);
  }
  builder.RegisterService(&infer_service_);
  builder.RegisterAsyncGenericService(&generic_service_);
  SetLimits(options, builder);
  // Two servers on one port by mistake must not share its clients.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  for (int i = 0; i < options.threads; ++i) {
    workers_.push_back(std::make_unique<CompletionWorker>(
        services_, builder.AddCompletionQueue()));
  }
  server_ = builder.BuildAndStart();
  if (server_ == nullptr || port_ == 0 || unix_port == 0) {
    server_ = nullptr;
    return absl::UnavailableError(fmt::format(
        "gRPC cannot listen on {}: expected an address of this host and a port "
        "that no other program uses",
        options.unix_path.empty()
            ? endpoint
            : fmt::format("{} and {}", endpoint, options.unix_path)));
  }
  for (const auto& worker : workers_) {
    worker->Start();
  }
  return absl::OkStatus();
}

void GrpcServer::WaitUntilQuiet(std::chrono::milliseconds limit) const {
  constexpr std::chrono::milliseconds kQuiet{50};
  const auto arrivals = [this] {
    std::uint64_t count = 0;
    for (const auto& worker : workers_) {
      count += worker->arrivals();
    }
    return count;
  };
  const auto end = std::chrono::steady_clock::now() + limit;
  std::uint64_t before = arrivals();
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kQuiet);
    const std::uint64_t now = arrivals();
    if (now == before) {
      return;
    }
    before = now;
  }
}

int GrpcServer::Shutdown(std::chrono::milliseconds timeout) {
  if (server_ == nullptr) {
    return 0;
  }
  lost_.CancelAt(LostRequests::Clock::now() + timeout);
  health_.Close();
  const std::future<void> over = std::async(std::launch::async, [&] {
    server_->Shutdown(std::chrono::system_clock::now() + timeout);
  });
  while (over.wait_for(kQueuedCallsPeriod) != std::future_status::ready) {
    EndQueuedCalls(*server_);
  }
  for (const auto& worker : workers_) {
    worker->Join();
  }
  server_ = nullptr;
  return lost_.count();
}

}  // namespace relu
