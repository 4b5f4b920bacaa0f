#include "server/rpc_table.h"

#include <future>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/metrics.h"
#include "proto/inference.pb.h"
#include "proto/relu.pb.h"
#include "server/background_calls.h"
#include "server/health.h"
#include "server/infer_exchange.h"
#include "server/inference_handlers.h"
#include "server/shared_memory.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/memory_object.h"

namespace relu {
namespace {

using testing::HasSubstr;

class RpcTableTest : public testing::Test {
 protected:
  absl::StatusOr<std::string> Call(const std::string& path,
                                   const std::string& request) {
    const auto rpc = rpcs_.Find(path);
    return rpc.ok() ? (*rpc)->handler(request) : rpc.status();
  }

  RpcTableTest() { rpcs_.AddRank(environment_); }

  LoadedRepository loaded_;
  const InferEnvironment environment_{.repository = loaded_.repository(),
                                      .metrics = loaded_.metrics(),
                                      .max_message_bytes = 1 << 20};
  InferenceHandlers handlers_{loaded_.repository(), /*strict_readiness=*/true};
  Health health_;
  RpcTable rpcs_{handlers_, health_};
};

TEST_F(RpcTableTest, EveryCallOfTheCoreProtocolIsThere) {
  for (const char* method :
       {"ServerLive", "ServerReady", "ModelReady", "ServerMetadata",
        "ModelMetadata", "ModelConfig", "RepositoryIndex"}) {
    const auto rpc =
        rpcs_.Find(std::string("/inference.GRPCInferenceService/") + method);
    ASSERT_TRUE(rpc.ok()) << method;
    EXPECT_EQ((*rpc)->kind, Rpc::Kind::kUnary);
  }
}

TEST_F(RpcTableTest, OurOwnServiceIsThere) {
  const auto* const service =
      v1::ExplainRequest::descriptor()->file()->service(0);
  for (int i = 0; i < service->method_count(); ++i) {
    const auto rpc = rpcs_.Find("/" + service->full_name() + "/" +
                                service->method(i)->name());
    EXPECT_TRUE(rpc.ok()) << rpc.status();
  }
  v1::ExplainRequest request;
  request.set_model_name("nope");
  EXPECT_EQ(Call("/relu.v1.ReluService/Explain", request.SerializeAsString())
                .status()
                .code(),
            absl::StatusCode::kNotFound);
}

TEST_F(RpcTableTest, ExplanationsCanHaveThreadsOfTheirOwn) {
  BackgroundCalls background(1, nullptr);
  Metrics metrics("1");
  rpcs_.ExplainInBackground(background, metrics);
  v1::ExplainRequest request;
  request.set_model_name("nope");

  const Rpc& rpc = **rpcs_.Find("/relu.v1.ReluService/Explain");
  ASSERT_EQ(rpc.kind, Rpc::Kind::kDeferred);
  std::promise<std::thread::id> thread;
  absl::Status status;
  rpc.deferred(request.SerializeAsString(), {},
               [&](const absl::StatusOr<std::string>& answer) {
                 status = answer.status();
                 thread.set_value(std::this_thread::get_id());
               });

  EXPECT_NE(thread.get_future().get(), std::this_thread::get_id());
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(metrics.Text(),
              HasSubstr("relu_explain_failures_total{code=\"NOT_FOUND\"} 1"));
}

TEST_F(RpcTableTest, HandlerTakesAndGivesBytes) {
  inference::ModelMetadataRequest request;
  request.set_name("digits_mlp");
  const auto bytes = Call("/inference.GRPCInferenceService/ModelMetadata",
                          request.SerializeAsString());
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  inference::ModelMetadataResponse response;
  ASSERT_TRUE(response.ParseFromString(*bytes));
  EXPECT_EQ(response.name(), "digits_mlp");
}

TEST_F(RpcTableTest, ErrorOfHandlerIsReturned) {
  inference::ModelMetadataRequest request;
  request.set_name("nope");
  EXPECT_EQ(Call("/inference.GRPCInferenceService/ModelMetadata",
                 request.SerializeAsString())
                .status()
                .code(),
            absl::StatusCode::kNotFound);
}

TEST_F(RpcTableTest, MalformedBytesReturnInvalidArgument) {
  const absl::Status status =
      Call("/inference.GRPCInferenceService/ModelReady", "\x0a\x7f").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("2 bytes is no inference.ModelReadyRequest"));
}

TEST_F(RpcTableTest, UnknownMethodReturnsUnimplementedAndItsName) {
  for (const char* path :
       {"/inference.GRPCInferenceService/ModelGuess",
        "/inference.GRPCInferenceService/ModelStreamInfer", "/a/b", ""}) {
    const absl::Status status = rpcs_.Find(path).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
    EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  }
}

TEST_F(RpcTableTest, SharedMemoryIsUnimplementedWithItsReason) {
  for (const auto& [kind, reason] :
       {std::pair("System", "--allow-shared-memory"),
        std::pair("Cuda", "relud computes on CPUs")}) {
    for (const char* call : {"Status", "Register", "Unregister"}) {
      const absl::Status status =
          Call(std::string("/inference.GRPCInferenceService/") + kind +
                   "SharedMemory" + call,
               "")
              .status();
      EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
      EXPECT_THAT(std::string(status.message()), HasSubstr(reason));
    }
  }
}

TEST_F(RpcTableTest, SharedMemoryIsThereOnceItWasAdded) {
  const MemoryObject object(64);
  SharedMemoryRegions regions;
  rpcs_.AddSharedMemory(regions);
  const std::string prefix =
      "/inference.GRPCInferenceService/SystemSharedMemory";
  inference::SystemSharedMemoryRegisterRequest request;
  request.set_name("r");
  request.set_key(object.key());
  request.set_byte_size(64);
  ASSERT_TRUE(Call(prefix + "Register", request.SerializeAsString()).ok());
  inference::SystemSharedMemoryStatusResponse response;
  ASSERT_TRUE(response.ParseFromString(Call(prefix + "Status", "").value()));
  EXPECT_EQ(response.regions_size(), 1);
  EXPECT_TRUE(Call(prefix + "Unregister", "\x0a\x01r").ok());
  EXPECT_TRUE(regions.All().empty());
}

// perf_analyzer gives up a run in system shared memory if the last of these
// fails.
TEST_F(RpcTableTest, OfCudaSharedMemoryNothingIsLeftToUnregister) {
  SharedMemoryRegions regions;
  rpcs_.AddSharedMemory(regions);
  const std::string prefix = "/inference.GRPCInferenceService/CudaSharedMemory";
  for (const char* call : {"Status", "Register"}) {
    EXPECT_EQ(Call(prefix + call, "").status().code(),
              absl::StatusCode::kUnimplemented);
  }
  EXPECT_TRUE(Call(prefix + "Unregister", "").ok());
}

TEST_F(RpcTableTest, HealthCheckGivesTheStatus) {
  health_.Set("digits_mlp", true);
  EXPECT_EQ(Call("/grpc.health.v1.Health/Check",
                 "\x0a\x0a"
                 "digits_mlp")
                .value(),
            "\x08\x01");
  health_.Set("digits_mlp", false);
  EXPECT_EQ(Call("/grpc.health.v1.Health/Check",
                 "\x0a\x0a"
                 "digits_mlp")
                .value(),
            "\x08\x02");
}

TEST_F(RpcTableTest, HealthCheckOfUnknownServiceReturnsNotFound) {
  const absl::Status status =
      Call("/grpc.health.v1.Health/Check", "\x0a\x01x").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'x'"));
}

TEST_F(RpcTableTest, HealthWatchAndReflectionAreStreams) {
  EXPECT_EQ((*rpcs_.Find("/grpc.health.v1.Health/Watch"))->kind,
            Rpc::Kind::kHealthWatch);
  for (const char* version : {"v1", "v1alpha"}) {
    EXPECT_EQ((*rpcs_.Find(std::string("/grpc.reflection.") + version +
                           ".ServerReflection/ServerReflectionInfo"))
                  ->kind,
              Rpc::Kind::kStream);
  }
}

TEST_F(RpcTableTest, LoadAndUnloadAnswerLater) {
  for (const char* method : {"RepositoryModelLoad", "RepositoryModelUnload"}) {
    const auto rpc =
        rpcs_.Find(std::string("/inference.GRPCInferenceService/") + method);
    ASSERT_TRUE(rpc.ok()) << method;
    EXPECT_EQ((*rpc)->kind, Rpc::Kind::kDeferred);
    absl::StatusOr<std::string> result;
    const auto answer = [&](absl::StatusOr<std::string> bytes) {
      result = std::move(bytes);
    };
    // Refused by this thread: the models are not controlled by clients.
    (*rpc)->deferred("\x12\x01m", Rpc::Caller(), answer);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable);
    (*rpc)->deferred("\x0a\x7f", Rpc::Caller(), answer);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace relu
