#include "server/grpc_server.h"

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

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
#include "core/metrics/metrics.h"
#include "fmt/format.h"
#include "server/completion_worker.h"
#include "server/connection_acceptor.h"
#include "server/health.h"
#include "server/listening_socket.h"
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

absl::Status CannotListen(const std::string& where,
                          const absl::Status& reason) {
  return absl::UnavailableError(fmt::format(
      "gRPC cannot listen on {}: {}: expected an address of this host and a "
      "port that no other program uses",
      where, std::string(reason.message())));
}

absl::StatusOr<std::vector<ListeningSocket>> ListenOnTcp(
    const GrpcServerOptions& options) {
  auto sockets = ListeningSocket::OnTcp(options.address, options.port,
                                        // As gRPC does with sockets of its own.
                                        options.keepalive_time.count() > 0
                                            ? options.keepalive_timeout
                                            : std::chrono::milliseconds(0));
  return sockets.ok() ? std::move(sockets)
                      : CannotListen(Endpoint(options.address, options.port),
                                     sockets.status());
}

absl::StatusOr<ListeningSocket> ListenOnPath(const std::string& path) {
  auto socket = ListeningSocket::OnPath(path);
  return socket.ok() ? std::move(socket) : CannotListen(path, socket.status());
}

// gRPC serves what `sockets` accept. It has no limit of connections, so it
// does not listen by itself.
ConnectionAcceptor::Listener AddListener(
    std::vector<ListeningSocket> sockets,
    const std::shared_ptr<grpc::ServerCredentials>& credentials,
    grpc::ServerBuilder& builder) {
  std::shared_ptr<grpc::experimental::ExternalConnectionAcceptor> connections =
      builder.experimental().AddExternalConnectionAcceptor(
          grpc::ServerBuilder::experimental_type::ExternalConnectionType::
              FROM_FD,
          credentials);
  return {
      .sockets = std::move(sockets),
      .take = [connections = std::move(connections)](int fd) {
        grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters
            connection;
        connection.fd = fd;
        connections->HandleNewConnection(&connection);
      }};
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
  // UnpackMessage() has a limit.
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
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
  ASSIGN_OR_RETURN(auto sockets, ListenOnTcp(options));
  port_ = sockets.front().port();
  grpc::ServerBuilder builder;
  std::vector<ConnectionAcceptor::Listener> listeners;
  listeners.push_back(AddListener(std::move(sockets), credentials_, builder));
  if (!options.unix_path.empty()) {
    ASSIGN_OR_RETURN(auto socket, ListenOnPath(options.unix_path));
    sockets.clear();
    sockets.push_back(std::move(socket));
    listeners.push_back(AddListener(
        std::move(sockets), grpc::InsecureServerCredentials(), builder));
  }
  builder.RegisterService(&infer_service_);
  builder.RegisterAsyncGenericService(&generic_service_);
  SetLimits(options, builder);
  for (int i = 0; i < options.threads; ++i) {
    workers_.push_back(std::make_unique<CompletionWorker>(
        services_, builder.AddCompletionQueue(), options.answer_timeout,
        options.busy_poll));
  }
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    return absl::InternalError("gRPC's server does not start");
  }
  for (const auto& worker : workers_) {
    worker->Start();
  }
  acceptor_ = std::make_unique<ConnectionAcceptor>(
      std::move(listeners),
      ConnectionAcceptor::Limits{.max_connections = options.max_connections,
                                 .many = options.many_connections},
      [this] { environment_.metrics.CountRefusedConnection(); });
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
  acceptor_ = nullptr;
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
