// GrpcServer: the listening gRPC server with its threads.

#ifndef SERVER_GRPC_SERVER_H_
#define SERVER_GRPC_SERVER_H_

#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"

#include "server/access.h"
#include "server/completion_worker.h"
#include "server/connection_acceptor.h"
#include "server/grpc_services.h"
#include "server/health.h"
#include "server/infer_exchange.h"
#include "server/lost_requests.h"
#include "server/rpc_table.h"

namespace relu {

struct GrpcServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;  // 0: any free one.
  int threads = 1;
  // How long each thread looks for its next event before it sleeps.
  std::chrono::microseconds busy_poll{0};
  int max_message_bytes = 256 << 20;
  StreamLimits stream_limits = {};
  // What gRPC may hold of requests, complete or not, and of answers that
  // clients do not read.
  std::size_t buffer_bytes = 512 << 20;
  // To TCP, and as many to the Unix socket; more are closed at once.
  std::size_t max_connections = 10'000;
  // From so many on another way to wait for them is better: the log says so.
  std::size_t many_connections = std::numeric_limits<std::size_t>::max();
  // Calls at the same time on one connection.
  int max_streams = 1024;
  // An answer that is on its way for so long ends its call. 0: none does.
  std::chrono::milliseconds answer_timeout{60'000};
  // A connection that was silent for so long is asked for a sign of life, and
  // closed if there is none within the timeout. 0: it is not asked.
  std::chrono::milliseconds keepalive_time{60'000};
  std::chrono::milliseconds keepalive_timeout{20'000};
  // After which the client is told to connect anew, and after which one without
  // calls is closed. 0: never.
  std::chrono::milliseconds max_connection_age{0};
  std::chrono::milliseconds max_connection_idle{0};
  // A Unix socket to listen on too, in the clear. Empty: none.
  std::string unix_path = {};
  // Of this port alone. nullptr: in the clear.
  std::shared_ptr<grpc::ServerCredentials> credentials = nullptr;
  // Outlives the server. nullptr: everybody may call everything.
  const Access* access = nullptr;
};

// The public functions are for one thread.
class GrpcServer {
 public:
  // Listens and serves. The other arguments outlive the server. UNAVAILABLE if
  // an address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(
      const GrpcServerOptions& options, const InferEnvironment& environment,
      const RpcTable& rpcs, Health& health);

  // For Start(): does not listen yet.
  GrpcServer(const GrpcServerOptions& options,
             const InferEnvironment& environment, const RpcTable& rpcs,
             Health& health);

  // Shuts down, if that was not done, and waits for no call.
  ~GrpcServer();

  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  int port() const { return port_; }

  // Serves on until no inference call has arrived for 50 ms, or `limit` has
  // passed. For Shutdown() to follow: gRPC cancels the calls that it has read
  // but not handed over to us, where a client waits for an answer.
  void WaitUntilQuiet(std::chrono::milliseconds limit) const;

  // Takes no more calls and waits until those in flight are answered; those
  // that take longer than `timeout` are cancelled. Watches of health end at
  // once. Returns how many inferences were cancelled.
  int Shutdown(std::chrono::milliseconds timeout);

 private:
  absl::Status Listen(const GrpcServerOptions& options);

  const InferEnvironment environment_;
  Health& health_;
  LostRequests lost_;
  InferService infer_service_;
  grpc::AsyncGenericService generic_service_;
  const GrpcServices services_;
  const std::shared_ptr<grpc::ServerCredentials> credentials_;
  std::vector<std::unique_ptr<CompletionWorker>> workers_;
  // Destroyed first: it refers to the services, to the credentials and to the
  // workers' queues.
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<ConnectionAcceptor> acceptor_;  // Hands to server_.
  int port_ = 0;
};

}  // namespace relu

#endif  // SERVER_GRPC_SERVER_H_
