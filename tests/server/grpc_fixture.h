// GrpcFixture: the gRPC server of relud in this process, on any free port of
// the loopback address, and a connection to it.

#ifndef TESTS_SERVER_GRPC_FIXTURE_H_
#define TESTS_SERVER_GRPC_FIXTURE_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"

#include "core/batching/timekeeper.h"
#include "proto/inference.grpc.pb.h"
#include "server/grpc_server.h"
#include "server/grpc_services.h"
#include "server/health.h"
#include "server/infer_exchange.h"
#include "server/inference_handlers.h"
#include "server/rpc_table.h"
#include "tests/server/loaded_repository.h"

namespace relu {

// A connection to a port of the loopback address. For one thread.
class Connection {
 public:
  explicit Connection(int port);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // Calls any unary method with any bytes. Returns the bytes of the answer. The
  // deadline is far.
  std::pair<grpc::Status, std::string> Call(const std::string& method,
                                            const std::string& bytes);

 private:
  std::shared_ptr<grpc::Channel> channel_;
};

// For one thread, but for the stub.
class GrpcFixture {
 public:
  using Stub = inference::GRPCInferenceService::Stub;

  explicit GrpcFixture(const LoadedRepository::Options& repository = {},
                       int threads = 2, const StreamLimits& streams = {},
                       int max_streams = 1024,
                       std::size_t max_connections = 1000,
                       std::chrono::microseconds busy_poll = {});

  GrpcServer& server() { return *server_; }
  LoadedRepository& loaded() { return loaded_; }
  Health& health() { return health_; }
  Stub& stub() { return *stub_; }
  const std::shared_ptr<grpc::Channel>& channel() {
    return connection_->channel();
  }

  // Calls ModelInfer; without a timeout the deadline is far.
  std::pair<grpc::Status, inference::ModelInferResponse> Infer(
      const inference::ModelInferRequest& request,
      std::optional<std::chrono::milliseconds> timeout = std::nullopt);

  // See Connection.
  std::pair<grpc::Status, std::string> Call(const std::string& method,
                                            const std::string& bytes) {
    return connection_->Call(method, bytes);
  }

  // The metrics of requests to `model` that ended with `code`, such as "OK".
  double Requests(const std::string& model, const std::string& code);

 private:
  LoadedRepository loaded_;
  const InferEnvironment environment_{.repository = loaded_.repository(),
                                      .metrics = loaded_.metrics(),
                                      .max_message_bytes = 1 << 20};
  Timekeeper timekeeper_{loaded_.repository().dispatcher()};
  InferenceHandlers handlers_;
  Health health_;
  RpcTable rpcs_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Stub> stub_;
};

// Further than any test takes: what hangs is ended by the test's time limit.
void SetFarDeadline(grpc::ClientContext& context);

grpc::ByteBuffer ToByteBuffer(const std::string& bytes);
std::string ToString(const grpc::ByteBuffer& buffer);

}  // namespace relu

#endif  // TESTS_SERVER_GRPC_FIXTURE_H_
