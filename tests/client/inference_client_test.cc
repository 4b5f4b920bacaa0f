#include "client/inference_client.h"

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "core/base/mutex.h"
#include "proto/inference.pb.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using testing::ElementsAre;
using testing::HasSubstr;

// No server can listen here: the folder does not exist.
constexpr char kNoServer[] = "unix:/nonexistent/relud.sock";

const std::vector<std::int64_t> kShape = {1, 3};
const std::vector<float> kValues = {1.0F, 2.0F, 3.0F};

std::unique_ptr<InferenceClient> ClientOf(const FakeServer& server,
                                          const ClientOptions& options = {}) {
  return InferenceClient::Create(server.address(), options).value();
}

InferRequest Request() {
  InferRequest request("model");
  request.AddInput<float>("x", kShape, kValues);
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
FakeAnswers Behind(Gate& gate) {
  FakeAnswers answers;
  answers.infer = [&gate](const ModelInferRequest& request,
                          ModelInferResponse& response) {
    gate.Wait();
    return Echo(request, response);
  };
  return answers;
}

TEST(InferenceClientTest, CreateRefusesAnEmptyAddress) {
  EXPECT_EQ(InferenceClient::Create("").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(InferenceClientTest, CreateRefusesOptionsOutOfRange) {
  for (const int channels : {0, -1, 1025}) {
    EXPECT_EQ(
        InferenceClient::Create("a:1", {.channels = channels}).status().code(),
        absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(InferenceClient::Create(
                "a:1", {.default_timeout = std::chrono::milliseconds(0)})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(InferenceClientTest, InferReturnsTheServersAnswer) {
  const FakeServer server;
  const auto client = ClientOf(server);
  InferRequest request = Request();
  request.SetId("42");
  const auto result = client->Infer(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->id(), "42");
  EXPECT_THAT(result->Values<float>("x").value(),
              ElementsAre(1.0F, 2.0F, 3.0F));
}

TEST(InferenceClientTest, InferTakesAnswersAboveFourMegabytes) {
  const FakeServer server;
  const auto client = ClientOf(server);
  const std::vector<double> values(1'000'000, 0.5);
  const std::vector<std::int64_t> shape = {1'000'000};
  InferRequest request("model");
  request.AddInput<double>("x", shape, values);
  const auto result = client->Infer(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Values<double>("x").value().size(), values.size());
}

TEST(InferenceClientTest, InferKeepsTheServersCodeAndMessage) {
  for (int code = 1; code <= 16; ++code) {
    FakeAnswers answers;
    answers.infer = [code](const ModelInferRequest&, ModelInferResponse&) {
      return grpc::Status(static_cast<grpc::StatusCode>(code), "because");
    };
    const FakeServer server(std::move(answers));
    const absl::Status status = ClientOf(server)->Infer(Request()).status();
    EXPECT_EQ(status.raw_code(), code);
    EXPECT_THAT(std::string(status.message()), HasSubstr("because"));
  }
}

TEST(InferenceClientTest, InferRefusesAnAnswerThatMakesNoSense) {
  FakeAnswers answers;
  answers.infer = [](const ModelInferRequest& request,
                     ModelInferResponse& response) {
    const grpc::Status status = Echo(request, response);
    response.mutable_raw_output_contents(0)->pop_back();
    return status;
  };
  const FakeServer server(std::move(answers));
  EXPECT_EQ(ClientOf(server)->Infer(Request()).status().code(),
            absl::StatusCode::kInternal);
}

TEST(InferenceClientTest, InferEndsWithDeadlineExceededWhenTheServerIsSlow) {
  Gate gate;
  const FakeServer server(Behind(gate));
  const auto client = ClientOf(server);
  EXPECT_EQ(client->Infer(Request(), {.timeout = std::chrono::milliseconds(20)})
                .status()
                .code(),
            absl::StatusCode::kDeadlineExceeded);
  gate.Open();
}

TEST(InferenceClientTest, DefaultTimeoutHoldsForCallsThatNameNone) {
  Gate gate;
  const FakeServer server(Behind(gate));
  const auto client =
      ClientOf(server, {.default_timeout = std::chrono::milliseconds(20)});
  EXPECT_EQ(client->Infer(Request()).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  gate.Open();
}

TEST(InferenceClientTest, TimeoutsAtTheEndsOfTheirRangeAreSafe) {
  const FakeServer server;
  const auto client = ClientOf(server);
  EXPECT_TRUE(
      client->Infer(Request(), {.timeout = std::chrono::milliseconds::max()})
          .ok());
  EXPECT_EQ(
      client->Infer(Request(), {.timeout = std::chrono::milliseconds::min()})
          .status()
          .code(),
      absl::StatusCode::kDeadlineExceeded);
}

TEST(InferenceClientTest, CallsAreUnavailableAndNameTheAddressWithoutAServer) {
  const auto client = InferenceClient::Create(kNoServer).value();
  const absl::Status status = client->Infer(Request()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(kNoServer));
  EXPECT_EQ(client->ServerLive().status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(client->Health().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(client->InferAsync(Request()).get().status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(InferenceClientTest, FutureGivesTheAnswer) {
  const FakeServer server;
  const auto client = ClientOf(server);
  const auto result = client->InferAsync(Request()).get();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Values<float>("x").value().size(), 3U);
}

TEST(InferenceClientTest, AsyncRequestMayGoAwayOnceItIsSent) {
  Gate gate;
  const FakeServer server(Behind(gate));
  const auto client = ClientOf(server);
  std::vector<float> values = {7.0F};
  const std::vector<std::int64_t> shape = {1};
  auto request = std::make_unique<InferRequest>("model");
  request->AddInput<float>("x", shape, values);
  auto future = client->InferAsync(*request);
  request.reset();
  values = {0.0F};
  gate.Open();
  EXPECT_THAT(future.get().value().Values<float>("x").value(),
              ElementsAre(7.0F));
}

TEST(InferenceClientTest, AsyncCallEndsWithDeadlineExceeded) {
  Gate gate;
  const FakeServer server(Behind(gate));
  const auto client = ClientOf(server);
  const auto result =
      client->InferAsync(Request(), {.timeout = std::chrono::milliseconds(20)})
          .get();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
  gate.Open();
}

TEST(InferenceClientTest, EachOfManyCallsInFlightGetsItsOwnAnswer) {
  constexpr int kCalls = 64;
  const FakeServer server;
  const auto client = ClientOf(server, {.channels = 3});
  const std::vector<std::int64_t> shape = {1};
  std::vector<std::future<absl::StatusOr<InferResult>>> futures;
  for (int i = 0; i < kCalls; ++i) {
    const std::vector<std::int32_t> values = {i};
    InferRequest request("model");
    request.AddInput<std::int32_t>("x", shape, values);
    futures.push_back(client->InferAsync(request));
  }
  for (int i = 0; i < kCalls; ++i) {
    const auto result = futures[static_cast<std::size_t>(i)].get();
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_THAT(result->Values<std::int32_t>("x").value(), ElementsAre(i));
  }
}

TEST(InferenceClientTest, ThreadsMayShareAClient) {
  const FakeServer server;
  const auto client = ClientOf(server, {.channels = 2});
  std::vector<std::future<bool>> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(std::async(std::launch::async, [&client] {
      for (int call = 0; call < 25; ++call) {
        if (!client->Infer(Request()).ok()) {
          return false;
        }
      }
      return true;
    }));
  }
  for (auto& thread : threads) {
    EXPECT_TRUE(thread.get());
  }
}

TEST(InferenceClientTest, DestructorWaitsForTheCallsInFlight) {
  constexpr int kCalls = 8;
  Gate gate;
  const FakeServer server(Behind(gate));
  auto client = ClientOf(server);
  Mutex mu;
  int answers = 0;
  for (int i = 0; i < kCalls; ++i) {
    client->InferAsync(Request(), [&](absl::StatusOr<InferResult> result) {
      const MutexLock lock(mu);
      answers += result.ok() ? 1 : 0;
    });
  }
  std::jthread opener([&gate] { gate.Open(); });
  client.reset();
  EXPECT_EQ(answers, kCalls);
}

TEST(InferenceClientTest, ChannelsTakeTurns) {
  const FakeServer server;
  const auto client = ClientOf(server, {.channels = 3});
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(client->ServerLive().ok());
  }
  EXPECT_EQ(server.peers().size(), 3U);
}

TEST(InferenceClientTest, LiveAndReadyAreWhatTheServerSays) {
  const FakeServer yes;
  EXPECT_EQ(ClientOf(yes)->ServerLive().value(), true);
  EXPECT_EQ(ClientOf(yes)->ServerReady().value(), true);
  const FakeServer no({.live = false, .ready = false});
  EXPECT_EQ(ClientOf(no)->ServerLive().value(), false);
  EXPECT_EQ(ClientOf(no)->ServerReady().value(), false);
}

TEST(InferenceClientTest, ModelReadyAsksForTheModelAndVersion) {
  const FakeServer server;
  const auto client = ClientOf(server);
  EXPECT_EQ(client->ModelReady("good", "1").value(), true);
  EXPECT_EQ(client->ModelReady("good", "2").value(), false);
  EXPECT_EQ(client->ModelReady("bad", "1").value(), false);
}

TEST(InferenceClientTest, ServerMetadataIsPassedOn) {
  FakeAnswers answers;
  answers.server_metadata.set_name("fake");
  answers.server_metadata.set_version("1.2");
  answers.server_metadata.add_extensions("statistics");
  const FakeServer server(std::move(answers));
  const auto metadata = ClientOf(server)->ServerMetadata().value();
  EXPECT_EQ(metadata.name, "fake");
  EXPECT_EQ(metadata.version, "1.2");
  EXPECT_THAT(metadata.extensions, ElementsAre("statistics"));
}

TEST(InferenceClientTest, ModelMetadataIsPassedOn) {
  FakeAnswers answers;
  answers.model_metadata.set_platform("onnx");
  auto& input = *answers.model_metadata.add_inputs();
  input.set_name("x");
  input.set_datatype("FP32");
  input.add_shape(-1);
  input.add_shape(4);
  answers.model_metadata.add_outputs()->set_name("y");
  const FakeServer server(std::move(answers));
  const auto metadata = ClientOf(server)->ModelMetadata("iris", "2").value();
  EXPECT_EQ(metadata.name, "iris");
  EXPECT_THAT(metadata.versions, ElementsAre("2"));
  EXPECT_EQ(metadata.platform, "onnx");
  ASSERT_EQ(metadata.inputs.size(), 1U);
  EXPECT_EQ(metadata.inputs[0].name, "x");
  EXPECT_EQ(metadata.inputs[0].datatype, "FP32");
  EXPECT_THAT(metadata.inputs[0].shape, ElementsAre(-1, 4));
  ASSERT_EQ(metadata.outputs.size(), 1U);
  EXPECT_EQ(metadata.outputs[0].name, "y");
}

TEST(InferenceClientTest, RepositoryIndexIsPassedOn) {
  FakeAnswers answers;
  auto& model = *answers.index.add_models();
  model.set_name("iris");
  model.set_version("1");
  model.set_state("UNAVAILABLE");
  model.set_reason("broken");
  const FakeServer server(std::move(answers));
  const auto index = ClientOf(server)->RepositoryIndex().value();
  ASSERT_EQ(index.size(), 1U);
  EXPECT_EQ(index[0].name, "iris");
  EXPECT_EQ(index[0].version, "1");
  EXPECT_EQ(index[0].state, "UNAVAILABLE");
  EXPECT_EQ(index[0].reason, "broken");
}

TEST(InferenceClientTest, ErrorsOfTheOtherCallsArePassedOn) {
  const FakeServer server(
      {.status = {grpc::StatusCode::PERMISSION_DENIED, "no"}});
  const auto client = ClientOf(server);
  const std::vector<absl::Status> statuses = {
      client->ServerLive().status(),       client->ServerReady().status(),
      client->ModelReady("m").status(),    client->ServerMetadata().status(),
      client->ModelMetadata("m").status(), client->RepositoryIndex().status()};
  for (const absl::Status& status : statuses) {
    EXPECT_EQ(status, absl::PermissionDeniedError("no"));
  }
}

TEST(InferenceClientTest, HealthIsTrueOnlyWhileServing) {
  FakeServer server;
  server.SetServing("up", true);
  server.SetServing("down", false);
  const auto client = ClientOf(server);
  EXPECT_EQ(client->Health().value(), true);
  EXPECT_EQ(client->Health("up").value(), true);
  EXPECT_EQ(client->Health("down").value(), false);
}

TEST(InferenceClientTest, HealthOfAnUnknownServiceIsNotFound) {
  const FakeServer server;
  EXPECT_EQ(ClientOf(server)->Health("other").status().code(),
            absl::StatusCode::kNotFound);
}

TEST(InferenceClientTest, HealthIsUnimplementedWhenTheServerHasNone) {
  const FakeServer server({.health = false});
  EXPECT_EQ(ClientOf(server)->Health().status().code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
