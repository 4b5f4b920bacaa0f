// Two servers behind a client that balances and retries are replaced one after
// the other under its load, as a roll-out does it: no request fails, and every
// answer has the same bits. RELUD names the binary.

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "gtest/gtest.h"

#include "core/base/mutex.h"
#include "proto/inference.grpc.pb.h"
#include "tests/integration/repository_builder.h"
#include "tests/integration/server_process.h"

namespace relu {
namespace {

// What docs/deployment.md advises. CANCELLED is what gRPC's server says to a
// call that comes in while it closes.
constexpr char kServiceConfig[] = R"({
  "loadBalancingConfig": [{"round_robin": {}}],
  "healthCheckConfig": {"serviceName": ""},
  "methodConfig": [{
    "name": [{}],
    "waitForReady": true,
    "retryPolicy": {
      "maxAttempts": 5,
      "initialBackoff": "0.02s",
      "maxBackoff": "0.5s",
      "backoffMultiplier": 2,
      "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"]
    }
  }]
})";

inference::ModelInferRequest IrisRequest() {
  inference::ModelInferRequest request;
  request.set_model_name("iris");
  auto& input = *request.add_inputs();
  input.set_name("input");
  input.set_datatype("FP32");
  input.add_shape(1);
  input.add_shape(4);
  for (const float value : {5.1F, 3.5F, 1.4F, 0.2F}) {
    input.mutable_contents()->add_fp32_contents(value);
  }
  return request;
}

// Calls in a closed loop from several threads. Thread-safe.
class RetryingLoad {
 public:
  explicit RetryingLoad(const std::string& target) {
    grpc::ChannelArguments arguments;
    arguments.SetServiceConfigJSON(kServiceConfig);
    stub_ = inference::GRPCInferenceService::NewStub(grpc::CreateCustomChannel(
        target, grpc::InsecureChannelCredentials(), arguments));
    constexpr int kThreads = 8;
    for (int i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this] { Loop(); });
    }
  }

  ~RetryingLoad() { Stop(); }

  void Stop() {
    stopped_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
    threads_.clear();
  }

  // Waits until so many more were answered, or one has failed. Whatever happens
  // meanwhile happens under load, however slow the machine is.
  void WaitForAnswers(int count) {
    const MutexLock lock(mu_);
    const int wanted = answers_ + count;
    while (answers_ < wanted && failures_.empty()) {
      changed_.Wait(mu_);
    }
  }

  std::vector<std::string> failures() const {
    const MutexLock lock(mu_);
    return failures_;
  }

 private:
  void Loop() {
    const inference::ModelInferRequest request = IrisRequest();
    while (!stopped_) {
      grpc::ClientContext context;
      inference::ModelInferResponse response;
      const grpc::Status status =
          stub_->ModelInfer(&context, request, &response);
      Note(status, response);
    }
  }

  void Note(const grpc::Status& status,
            const inference::ModelInferResponse& response) {
    const MutexLock lock(mu_);
    if (!status.ok()) {
      failures_.push_back(std::to_string(status.error_code()) + " " +
                          status.error_message());
    } else if (answers_ == 0) {
      first_ = response.SerializeAsString();
    } else if (response.SerializeAsString() != first_) {
      failures_.push_back("another answer: " + response.ShortDebugString());
    }
    ++answers_;
    changed_.NotifyAll();
  }

  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
  // Only a hint, so any order will do.
  std::atomic<bool> stopped_ = false;
  mutable Mutex mu_;
  CondVar changed_;
  int answers_ ABSL_GUARDED_BY(mu_) = 0;
  std::string first_ ABSL_GUARDED_BY(mu_);
  std::vector<std::string> failures_ ABSL_GUARDED_BY(mu_);
  std::vector<std::thread> threads_;
};

class RollingRestartTest : public testing::Test {
 protected:
  RollingRestartTest() {
    repository_.Add("iris", "tests/testdata/models/iris_argmax/model.onnx");
  }

  // Starts a server on `port`; "0": any free one.
  std::unique_ptr<ServerProcess> Start(const std::string& port) {
    auto server = ServerProcess::Start(
        std::getenv("RELUD"),
        {"--model-repository=" + repository_.folder().string(),
         "--grpc-address=127.0.0.1", "--grpc-port=" + port, "--http-port=0",
         "--metrics-port=0", "--lame-duck=0.5"});
    EXPECT_TRUE(server.ok()) << server.status();
    return server.ok() ? *std::move(server) : nullptr;
  }

  RepositoryBuilder repository_;
};

TEST_F(RollingRestartTest, NoRequestFailsWhileTwoServersAreReplaced) {
  std::vector<std::unique_ptr<ServerProcess>> servers;
  std::string target = "ipv4:";
  for (int i = 0; i < 2; ++i) {
    servers.push_back(Start("0"));
    ASSERT_NE(servers.back(), nullptr);
    target += (i == 0 ? "" : ",") + servers.back()->grpc_address();
  }
  RetryingLoad load(target);
  load.WaitForAnswers(500);
  for (auto& server : servers) {
    const std::string address = server->grpc_address();
    EXPECT_EQ(server->Stop(SIGTERM), 0) << server->log();
    load.WaitForAnswers(500);
    server = Start(address.substr(address.rfind(':') + 1));
    ASSERT_NE(server, nullptr);
    load.WaitForAnswers(500);
  }
  load.Stop();
  EXPECT_EQ(load.failures(), std::vector<std::string>());
}

}  // namespace
}  // namespace relu
