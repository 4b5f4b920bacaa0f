#include "tests/benchmark/null_server.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "grpcpp/grpcpp.h"

#include "core/base/check.h"
#include "fmt/format.h"
#include "proto/inference.grpc.pb.h"

namespace relu::benchmarks {
namespace {

constexpr int kArmedCalls = 64;  // On each queue.

using NullService = inference::GRPCInferenceService::WithRawMethod_ModelInfer<
    inference::GRPCInferenceService::Service>;

// One call that is answered again and again. Owned by Serve().
class NullCall {
 public:
  NullCall(NullService& service, grpc::ServerCompletionQueue& queue,
           const grpc::ByteBuffer& answer)
      : service_(service), queue_(queue), answer_(answer) {
    Arm();
  }

  // The event this call waited for has come.
  void Proceed() {
    if (arrived_) {
      Arm();
      return;
    }
    arrived_ = true;
    writer_->Finish(answer_, grpc::Status::OK, this);
  }

 private:
  void Arm() {
    arrived_ = false;
    context_ = std::make_unique<grpc::ServerContext>();
    writer_ = std::make_unique<Writer>(context_.get());
    service_.RequestModelInfer(context_.get(), &request_, writer_.get(),
                               &queue_, &queue_, this);
  }

  using Writer = grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>;

  NullService& service_;
  grpc::ServerCompletionQueue& queue_;
  const grpc::ByteBuffer& answer_;
  bool arrived_ = false;
  grpc::ByteBuffer request_;
  std::unique_ptr<grpc::ServerContext> context_;
  std::unique_ptr<Writer> writer_;
};

void Serve(NullService& service, grpc::ServerCompletionQueue& queue,
           const grpc::ByteBuffer& answer) {
  std::vector<std::unique_ptr<NullCall>> calls;
  for (int i = 0; i < kArmedCalls; ++i) {
    calls.push_back(std::make_unique<NullCall>(service, queue, answer));
  }
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) {
    static_cast<NullCall*>(tag)->Proceed();
  }
}

}  // namespace

int RunNullServer(std::size_t answer_bytes, int threads) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // As relud does.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  setenv("GRPC_POLL_STRATEGY", "poll", /*overwrite=*/0);
  NullService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service);
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
  for (int i = 0; i < threads; ++i) {
    queues.push_back(builder.AddCompletionQueue());
  }
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  CHECK(server != nullptr);
  const grpc::Slice slice(std::string(answer_bytes, 0));
  const grpc::ByteBuffer answer(&slice, 1);
  std::vector<std::thread> serving;
  for (const auto& queue : queues) {
    serving.emplace_back(
        [&service, &queue, &answer] { Serve(service, *queue, answer); });
  }
  fmt::print("null server: gRPC on 127.0.0.1:{}, metrics on 0.0.0.0:0\n", port);
  std::fflush(stdout);
  for (std::thread& thread : serving) {
    thread.join();
  }
  return 0;
}

}  // namespace relu::benchmarks
