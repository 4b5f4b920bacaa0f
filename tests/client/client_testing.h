// What the tests of InferenceClient share: clients of a FakeServer, a request,
// and servers that wait or fail.

#ifndef TESTS_CLIENT_CLIENT_TESTING_H_
#define TESTS_CLIENT_CLIENT_TESTING_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"

#include "client/client_options.h"
#include "client/infer_request.h"
#include "client/inference_client.h"
#include "proto/inference.pb.h"
#include "tests/client/fake_server.h"

namespace relu {

inline std::unique_ptr<InferenceClient> ClientOf(
    const FakeServer& server, const ClientOptions& options = {}) {
  return InferenceClient::Create(server.address(), options).value();
}

// One row of 1, 2 and 3.
inline InferRequest Request() {
  static const std::vector<std::int64_t> shape = {1, 3};
  static const std::vector<float> values = {1.0F, 2.0F, 3.0F};
  InferRequest request("model");
  request.AddInput<float>("x", shape, values);
  return request;
}

// Holds the server's handlers until it is opened. Thread-safe.
class Gate {
 public:
  void Open() { opened_.set_value(); }
  void Wait() { future_.wait(); }

 private:
  std::promise<void> opened_;
  std::shared_future<void> future_ = opened_.get_future().share();
};

// Echoes once `gate` is open.
inline FakeAnswers Behind(Gate& gate) {
  FakeAnswers answers;
  answers.infer = [&gate](const inference::ModelInferRequest& request,
                          inference::ModelInferResponse& response) {
    gate.Wait();
    return Echo(request, response);
  };
  return answers;
}

// Fails the first `failures` inferences with UNAVAILABLE.
inline FakeAnswers FailingFirst(int failures, std::atomic<int>& sends,
                                const std::string& pushback = "") {
  FakeAnswers answers;
  answers.before_infer = [failures, &sends,
                          pushback](grpc::ServerContext& context) {
    if (++sends > failures) {
      return grpc::Status::OK;
    }
    if (!pushback.empty()) {
      context.AddTrailingMetadata("grpc-retry-pushback-ms", pushback);
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "not now");
  };
  return answers;
}

inline const RetryOptions kQuickRetries{
    .initial_backoff = std::chrono::milliseconds(1),
    .max_backoff = std::chrono::milliseconds(5)};

}  // namespace relu

#endif  // TESTS_CLIENT_CLIENT_TESTING_H_
