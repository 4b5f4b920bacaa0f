// Server: relud as a whole, from its settings to its shutdown.

#ifndef SERVER_SERVER_H_
#define SERVER_SERVER_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/in_flight_bytes.h"
#include "core/base/thread_team.h"
#include "core/batching/timekeeper.h"
#include "core/metrics/metrics.h"
#include "core/repository/model_repository.h"
#include "server/access.h"
#include "server/access_log.h"
#include "server/background_calls.h"
#include "server/config.h"
#include "server/grpc_server.h"
#include "server/health.h"
#include "server/http/http_server.h"
#include "server/infer_exchange.h"
#include "server/inference_handlers.h"
#include "server/rest_handler.h"
#include "server/rpc_table.h"
#include "server/security.h"
#include "server/shared_memory.h"
#include "server/unix_socket.h"

namespace relu {

// The public functions are for one thread.
//
// Threads: --threads of them serve gRPC and compute (CompletionWorker),
// --http-threads serve HTTP and compute (HttpServer), --intra-op-threads less
// one help with large batches (ThreadTeam), half as many as --threads explain
// (BackgroundCalls), one ends requests whose time is
// over (Timekeeper), one loads and frees models (ModelRepository), one looks
// whether certificates or tokens have changed (FileWatch), if there are any,
// and gRPC has a few of its own for timers and name resolution. Nothing else
// starts one, but TerminationSignal.
class Server {
 public:
  // Loads the models, then listens: a server that listens is ready. Models that
  // cannot be loaded are logged. Errors: those of ModelRepository::Load;
  // FAILED_PRECONDITION if a model cannot be loaded and `exit_on_error` is set;
  // UNAVAILABLE if a port cannot be listened on.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      const ServerOptions& options);

  // For Start(): does not listen yet.
  Server(const ServerOptions& options, std::unique_ptr<Metrics> metrics,
         std::unique_ptr<ThreadTeam> team,
         std::unique_ptr<ModelRepository> repository,
         std::unique_ptr<Security> security);

  // Shuts down at once, if that was not done.
  ~Server();

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The whole of the shutdown, in this order: no model is loaded any more;
  // health and readiness say no; the lame-duck time passes, in which requests
  // are served as before, and then until none arrives for a moment; clients are
  // told to go (GOAWAY), and no new calls are taken; those in flight are
  // answered, or cancelled after the drain timeout; the models are drained.
  // Returns how many requests were cancelled.
  int Shutdown(std::chrono::milliseconds lame_duck);

  int grpc_port() const { return grpc_->port(); }
  // 0 if there is no such listener.
  int http_port() const { return HttpPort(RestRole::kMain); }
  int metrics_port() const { return HttpPort(RestRole::kMetrics); }
  int control_http_port() const { return HttpPort(RestRole::kControl); }
  int control_grpc_port() const;

 private:
  absl::Status Listen();
  absl::Status ListenGrpc();
  absl::Status ListenHttp();
  // What HTTP listens on: each in its own role.
  std::vector<HttpListener> HttpListeners() const;
  int HttpPort(RestRole role) const;
  // Listens by `listen`, which creates the socket at `path` if there is one.
  absl::Status ListenOnUnixSocket(const std::string& path,
                                  const std::function<absl::Status()>& listen);
  std::string ListenersText() const;
  // Ends the listeners; returns how many requests were cancelled.
  int Drain();
  // Tells the health of what is served now.
  void SetHealth();

  const ServerOptions options_;
  // Destroyed from the last to the first: those below use those above.
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<ThreadTeam> team_;  // nullptr: batches are not shared.
  std::unique_ptr<ModelRepository> repository_;
  Timekeeper timekeeper_;
  InferenceHandlers handlers_;
  Health health_;
  SharedMemoryRegions shared_memory_;
  RpcTable rpcs_;
  const std::unique_ptr<Security> security_;
  const Access access_;
  const Access control_access_;  // Of the control ports.
  InFlightBytes in_flight_bytes_;
  BackgroundCalls background_;  // Its threads use the table.
  AccessLog access_log_;
  const InferEnvironment environment_;
  const RestEnvironment rest_;
  std::vector<std::unique_ptr<UnixSocket>> unix_sockets_;
  std::unique_ptr<HttpServer> http_;          // nullptr: nothing over HTTP.
  std::unique_ptr<GrpcServer> control_grpc_;  // nullptr: no such port.
  std::unique_ptr<GrpcServer> grpc_;
};

}  // namespace relu

#endif  // SERVER_SERVER_H_
