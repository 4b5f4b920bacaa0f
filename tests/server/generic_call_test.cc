#include "server/generic_call.h"

#include <chrono>
#include <latch>
#include <memory>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "google/protobuf/unknown_field_set.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "gtest/gtest.h"

#include "tests/server/grpc_fixture.h"

namespace relu {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;

constexpr char kWatch[] = "/grpc.health.v1.Health/Watch";
constexpr char kReflection[] =
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
constexpr char kLoad[] = "/inference.GRPCInferenceService/RepositoryModelLoad";
constexpr char kUnload[] =
    "/inference.GRPCInferenceService/RepositoryModelUnload";
// The name of a model, as KServe's clients send it.
constexpr char kDigitsName[] =
    "\x0a\x0a"
    "digits_mlp";
constexpr char kServing[] = "\x08\x01";
constexpr char kNotServing[] = "\x08\x02";
constexpr char kServiceUnknown[] = "\x08\x03";

// A bidirectional stream of bytes. Each function waits for its end.
class Stream {
 public:
  Stream(GrpcFixture& grpc, const std::string& method) : stub_(grpc.channel()) {
    SetFarDeadline(context_);
    stream_ = stub_.PrepareCall(&context_, method, &queue_);
    stream_->StartCall(nullptr);
    Next();
  }

  bool Write(const std::string& bytes) {
    stream_->Write(ToByteBuffer(bytes), nullptr);
    return Next();
  }

  bool WritesDone() {
    stream_->WritesDone(nullptr);
    return Next();
  }

  // "end" if there is no more.
  std::string Read() {
    grpc::ByteBuffer bytes;
    stream_->Read(&bytes, nullptr);
    return Next() ? ToString(bytes) : "end";
  }

  grpc::Status Finish() {
    grpc::Status status;
    stream_->Finish(&status, nullptr);
    Next();
    return status;
  }

  void Cancel() { context_.TryCancel(); }

 private:
  bool Next() {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue_.Next(&tag, &ok));
    return ok;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
};

// --- Unary ---

TEST(GenericCallTest, UnaryCallIsAnswered) {
  GrpcFixture grpc;
  grpc::ClientContext context;
  SetFarDeadline(context);
  inference::ServerReadyResponse response;
  ASSERT_TRUE(grpc.stub().ServerReady(&context, {}, &response).ok());
  EXPECT_TRUE(response.ready());
}

TEST(GenericCallTest, ErrorOfUnaryCallIsReturned) {
  GrpcFixture grpc;
  grpc::ClientContext context;
  SetFarDeadline(context);
  inference::ModelMetadataRequest request;
  request.set_name("nope");
  inference::ModelMetadataResponse response;
  const grpc::Status status =
      grpc.stub().ModelMetadata(&context, request, &response);
  EXPECT_EQ(status.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(),
            "Request for unknown model: 'nope' is not found");
}

TEST(GenericCallTest, MalformedBytesReturnInvalidArgument) {
  GrpcFixture grpc;
  EXPECT_EQ(grpc.Call("/inference.GRPCInferenceService/ModelReady", "\x0a\x7f")
                .first.error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST(GenericCallTest, UnaryCallWithoutARequestReturnsInvalidArgument) {
  GrpcFixture grpc;
  Stream stream(grpc, "/inference.GRPCInferenceService/ServerLive");
  stream.WritesDone();
  EXPECT_EQ(stream.Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST(GenericCallTest, MethodThatIsNotThereReturnsUnimplementedAndItsName) {
  GrpcFixture grpc;
  for (const std::string method :
       {"/inference.GRPCInferenceService/Nonsense", "/other.Service/Method"}) {
    const grpc::Status status = grpc.Call(method, "").first;
    EXPECT_EQ(status.error_code(), StatusCode::UNIMPLEMENTED);
    EXPECT_THAT(status.error_message(), HasSubstr(method));
  }
}

TEST(GenericCallTest, StreamThatIsNotThereReturnsUnimplemented) {
  GrpcFixture grpc;
  Stream stream(grpc, "/inference.GRPCInferenceService/ModelStreamOutfer");
  EXPECT_EQ(stream.Read(), "end");
  EXPECT_EQ(stream.Finish().error_code(), StatusCode::UNIMPLEMENTED);
}

TEST(GenericCallTest, CallsAreUsedAgainAndAgain) {
  GrpcFixture grpc({}, /*threads=*/1);
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext context;
    SetFarDeadline(context);
    inference::ServerLiveResponse response;
    ASSERT_TRUE(grpc.stub().ServerLive(&context, {}, &response).ok());
    ASSERT_EQ(grpc.Call("/a/b", "").first.error_code(),
              StatusCode::UNIMPLEMENTED);
  }
}

// --- Answers that come later ---

TEST(GenericCallTest, DeferredCallIsAnsweredByTheThreadThatHasTheAnswer) {
  GrpcFixture grpc({.control = ControlMode::kExplicit}, /*threads=*/1);
  for (int i = 0; i < 20; ++i) {
    const auto [status, bytes] = grpc.Call(kUnload, kDigitsName);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_THAT(bytes, HasSubstr("digits_mlp"));
    EXPECT_EQ(grpc.Call(kLoad, "\x0a\x04nope").first.error_code(),
              StatusCode::NOT_FOUND);
  }
}

TEST(GenericCallTest, DeferredCallHoldsUpNoOtherCall) {
  GrpcFixture grpc({.control = ControlMode::kExplicit}, /*threads=*/1);
  LoaderHolder holder(grpc.loaded().repository());
  Stream load(grpc, kLoad);
  ASSERT_TRUE(load.Write(kDigitsName));
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(grpc.Infer(DigitsRequest()).first.ok());
  }
  holder.Release();
  EXPECT_EQ(load.Read(),
            "\x0a\x0a"
            "digits_mlp\x10\x01");
  EXPECT_TRUE(load.Finish().ok());
}

TEST(GenericCallTest, DeferredCallThatWaitsAtTheEndIsRefused) {
  GrpcFixture grpc({.control = ControlMode::kExplicit});
  LoaderHolder holder(grpc.loaded().repository());
  Stream load(grpc, kLoad);
  ASSERT_TRUE(load.Write(kDigitsName));
  // On the same queue after it: the load has been taken.
  EXPECT_EQ(grpc.Call("/a/b", "").first.error_code(),
            StatusCode::UNIMPLEMENTED);
  std::thread shutdown([&] { grpc.server().Shutdown(std::chrono::hours(1)); });
  grpc.loaded().repository().StopLoading();
  EXPECT_EQ(load.Read(), "end");
  EXPECT_EQ(load.Finish().error_code(), StatusCode::UNAVAILABLE);
  shutdown.join();
}

TEST(GenericCallTest, DeferredCallWhoseClientLeavesIsAnsweredToNobody) {
  GrpcFixture grpc({.control = ControlMode::kExplicit});
  LoaderHolder holder(grpc.loaded().repository());
  Stream load(grpc, kLoad);
  ASSERT_TRUE(load.Write(kDigitsName));
  load.Cancel();
  EXPECT_EQ(load.Finish().error_code(), StatusCode::CANCELLED);
  holder.Release();
  EXPECT_EQ(grpc.server().Shutdown(std::chrono::hours(1)), 0);
}

// --- Health ---

TEST(GenericCallTest, HealthCheckIsAnswered) {
  GrpcFixture grpc;
  const auto [status, bytes] = grpc.Call("/grpc.health.v1.Health/Check", "");
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(bytes, kServing);
}

TEST(GenericCallTest, HealthCheckOfUnknownServiceReturnsNotFound) {
  GrpcFixture grpc;
  EXPECT_EQ(
      grpc.Call("/grpc.health.v1.Health/Check", "\x0a\x01x").first.error_code(),
      StatusCode::NOT_FOUND);
}

TEST(GenericCallTest, HealthWatchTellsEveryChange) {
  GrpcFixture grpc;
  Stream watch(grpc, kWatch);
  ASSERT_TRUE(watch.Write("\x0a\x01m"));
  EXPECT_EQ(watch.Read(), kServiceUnknown);
  grpc.health().Set("m", true);
  EXPECT_EQ(watch.Read(), kServing);
  grpc.health().Set("m", true);
  grpc.health().Set("other", false);
  grpc.health().Set("m", false);
  EXPECT_EQ(watch.Read(), kNotServing);
}

TEST(GenericCallTest, HealthWatchEndsWhenTheClientLeaves) {
  GrpcFixture grpc;
  Stream watch(grpc, kWatch);
  ASSERT_TRUE(watch.Write(""));
  EXPECT_EQ(watch.Read(), kServing);
  watch.Cancel();
  EXPECT_EQ(watch.Finish().error_code(), StatusCode::CANCELLED);
  // Nothing is left that a shutdown would wait for.
  grpc.server().Shutdown(std::chrono::hours(1));
}

TEST(GenericCallTest, HealthWatchEndsWhenTheServerShutsDown) {
  GrpcFixture grpc;
  Stream watch(grpc, kWatch);
  ASSERT_TRUE(watch.Write(""));
  EXPECT_EQ(watch.Read(), kServing);
  std::thread shutdown([&] { grpc.server().Shutdown(std::chrono::hours(1)); });
  EXPECT_EQ(watch.Read(), "end");
  EXPECT_EQ(watch.Finish().error_code(), StatusCode::UNAVAILABLE);
  shutdown.join();
}

TEST(GenericCallTest, HealthWatchOfManyClientsUnderManyChangesEndsRight) {
  constexpr int kClients = 6;
  GrpcFixture grpc;
  std::vector<std::thread> clients;
  std::vector<int> ended_well(kClients, 0);
  // A call that comes during the shutdown is gRPC's to answer.
  std::latch watching(kClients);
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      Stream watch(grpc, kWatch);
      watch.Write("");
      std::string last = watch.Read();
      watching.count_down();
      for (std::string next = watch.Read(); next != "end";
           next = watch.Read()) {
        if (next == last) {
          return;  // A status that is no change.
        }
        last = next;
      }
      ended_well[static_cast<std::size_t>(i)] = 1;
    });
  }
  for (int i = 0; i < 500; ++i) {
    grpc.health().Set("", i % 2 == 0);
  }
  watching.wait();
  grpc.server().Shutdown(std::chrono::hours(1));
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_THAT(ended_well, testing::Each(1));
}

// --- Reflection ---

std::string ListServices() {
  google::protobuf::UnknownFieldSet request;
  request.AddLengthDelimited(7, "*");
  std::string bytes;
  request.SerializeToString(&bytes);
  return bytes;
}

TEST(GenericCallTest, ReflectionAnswersEachRequestOfTheStream) {
  GrpcFixture grpc;
  Stream stream(grpc, kReflection);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(stream.Write(ListServices()));
    EXPECT_THAT(stream.Read(), HasSubstr("inference.GRPCInferenceService"));
  }
  stream.WritesDone();
  EXPECT_EQ(stream.Read(), "end");
  EXPECT_TRUE(stream.Finish().ok());
}

TEST(GenericCallTest, ReflectionOfMalformedBytesReturnsInvalidArgument) {
  GrpcFixture grpc;
  Stream stream(grpc, kReflection);
  ASSERT_TRUE(stream.Write("\x0a\x7f"));
  EXPECT_EQ(stream.Read(), "end");
  EXPECT_EQ(stream.Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST(GenericCallTest, ReflectionEndsWhenTheServerShutsDown) {
  GrpcFixture grpc;
  Stream stream(grpc, kReflection);
  ASSERT_TRUE(stream.Write(ListServices()));
  EXPECT_NE(stream.Read(), "end");
  grpc.server().Shutdown(std::chrono::hours(1));
  EXPECT_EQ(stream.Read(), "end");
  EXPECT_EQ(stream.Finish().error_code(), StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace relu
