#include "client/unary_call.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "grpcpp/server_context.h"
#include "gtest/gtest.h"

#include "client/call_queue.h"
#include "client/channels.h"
#include "client/client_transport.h"
#include "core/base/mutex.h"
#include "proto/inference.pb.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

CallSetting InferSetting(std::chrono::nanoseconds timeout = seconds(30)) {
  return {.method = kModelInferMethod,
          .deadline = std::chrono::system_clock::now() +
                      std::chrono::duration_cast<milliseconds>(timeout),
          .token = "secret",
          .attempts_before = 2};
}

grpc::ByteBuffer NamedRequest(const std::string& model) {
  inference::ModelInferRequest request;
  request.set_model_name(model);
  return ToBuffer(request.SerializeAsString());
}

std::unique_ptr<Channels> ChannelsTo(const FakeServer& server) {
  return Channels::Open(server.address(), {}).value();
}

// What came with a call.
struct Seen {
  Mutex mu;
  std::string token ABSL_GUARDED_BY(mu);
  std::string attempts ABSL_GUARDED_BY(mu);
};

FakeAnswers Recording(Seen& seen) {
  FakeAnswers answers;
  answers.before_infer = [&seen](grpc::ServerContext& context) {
    const MutexLock lock(seen.mu);
    for (const auto& [name, value] : context.client_metadata()) {
      const std::string text(value.data(), value.size());
      if (name == "authorization") {
        seen.token = text;
      } else if (name == "grpc-previous-rpc-attempts") {
        seen.attempts = text;
      }
    }
    return grpc::Status::OK;
  };
  return answers;
}

std::string ModelOf(const UnaryAnswer& answer) {
  inference::ModelInferResponse response;
  EXPECT_TRUE(Parse(answer.message, response).ok());
  return response.model_name();
}

TEST(UnaryCallTest, WaitsForTheAnswerAndSendsWhatIsSet) {
  Seen seen;
  const FakeServer server(Recording(seen));
  const UnaryAnswer answer =
      CallAndWait(ChannelsTo(server)->Next(/*retries=*/false).any(),
                  InferSetting(), NamedRequest("m"));
  EXPECT_TRUE(answer.status.ok()) << answer.status.error_message();
  EXPECT_EQ(ModelOf(answer), "m");
  const MutexLock lock(seen.mu);
  EXPECT_EQ(seen.token, "Bearer secret");
  EXPECT_EQ(seen.attempts, "2");
}

TEST(UnaryCallTest, AsynchronousCallAnswersOnTheQueue) {
  const FakeServer server;
  const auto channels = ChannelsTo(server);
  CallQueue queue;
  std::promise<UnaryAnswer> promise;
  UnaryCall call(
      channels->Next(), InferSetting(),
      [&promise](UnaryAnswer answer) { promise.set_value(std::move(answer)); });
  call.Start(NamedRequest("m"), queue);
  EXPECT_EQ(ModelOf(promise.get_future().get()), "m");
}

TEST(UnaryCallTest, CancelledCallEndsWithCancelled) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  FakeAnswers answers;
  answers.before_infer = [released](grpc::ServerContext&) {
    released.wait();
    return grpc::Status::OK;
  };
  const FakeServer server(std::move(answers));
  const auto channels = ChannelsTo(server);
  CallQueue queue;
  std::promise<UnaryAnswer> promise;
  UnaryCall call(
      channels->Next(), InferSetting(),
      [&promise](UnaryAnswer answer) { promise.set_value(std::move(answer)); });
  call.Start(NamedRequest("m"), queue);
  call.Cancel();
  EXPECT_EQ(promise.get_future().get().status.error_code(),
            grpc::StatusCode::CANCELLED);
  release.set_value();
}

TEST(UnaryCallTest, PushbackIsReadFromTheTrailers) {
  for (const auto& [text, want] :
       {std::pair<std::string, milliseconds>{"250", milliseconds(250)},
        {"-1", milliseconds(-1)},
        {"soon", milliseconds(-1)}}) {
    FakeAnswers answers;
    answers.before_infer = [text = text](grpc::ServerContext& context) {
      context.AddTrailingMetadata("grpc-retry-pushback-ms", text);
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "full");
    };
    const FakeServer server(std::move(answers));
    const auto channels = ChannelsTo(server);
    CallQueue queue;
    std::promise<UnaryAnswer> promise;
    UnaryCall call(channels->Next(/*retries=*/false), InferSetting(),
                   [&promise](UnaryAnswer answer) {
                     promise.set_value(std::move(answer));
                   });
    call.Start(NamedRequest("m"), queue);
    // gRPC itself makes the lowest number of what is none.
    EXPECT_EQ(
        std::max(promise.get_future().get().pushback.value(), milliseconds(-1)),
        want)
        << text;
  }
}

}  // namespace
}  // namespace relu
