#include "client/inference_client.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <future>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "gmock/gmock.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "core/base/mutex.h"
#include "proto/inference.pb.h"
#include "tests/client/client_testing.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

// No server can listen here: the folder does not exist.
constexpr char kNoServer[] = "unix:/nonexistent/relud.sock";

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

TEST(InferenceClientTest, InferRowsSplitsAndJoins) {
  FakeAnswers answers;
  std::atomic<int> most_rows{0};
  answers.infer = [&most_rows](const ModelInferRequest& request,
                               ModelInferResponse& response) {
    most_rows = std::max(most_rows.load(),
                         static_cast<int>(request.inputs(0).shape(0)));
    return Echo(request, response);
  };
  const FakeServer server(std::move(answers));
  const auto client = ClientOf(server);
  std::vector<float> values(2'000);
  std::iota(values.begin(), values.end(), 0.0F);
  const std::vector<std::int64_t> shape = {1'000, 2};
  InferRequest request("m");
  request.AddInput<float>("x", shape, values);
  const auto result =
      client->InferRows(request, {.rows_per_call = 30, .calls_in_flight = 4});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->outputs()[0].shape, ElementsAre(1'000, 2));
  EXPECT_TRUE(std::ranges::equal(result->Values<float>("x").value(), values));
  EXPECT_EQ(most_rows, 30);
  EXPECT_EQ(server.inferences(), 34);
}

TEST(InferenceClientTest, InferRowsEndsWithTheFirstErrorAndSaysWhere) {
  FakeAnswers answers;
  answers.infer = [](const ModelInferRequest& request,
                     ModelInferResponse& response) {
    float first = 0;
    std::memcpy(&first, request.raw_input_contents(0).data(), sizeof(first));
    return first == 2 ? grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "bad")
                      : Echo(request, response);
  };
  const FakeServer server(std::move(answers));
  InferRequest request("m");
  request.AddInput<float>("x", std::vector<std::int64_t>{4}, {0, 1, 2, 3});
  const auto client = ClientOf(server);
  EXPECT_EQ(client->InferRows(request, {.rows_per_call = 1}).status(),
            absl::InvalidArgumentError("call 3 of 4: bad"));
  EXPECT_EQ(client->InferRows(request, {.calls_in_flight = 0}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(client
                ->InferRows(request, {.rows_per_call = 1},
                            {.timeout = milliseconds(-1)})
                .status()
                .code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(InferenceClientTest, DetailsOfAnErrorArePassedOn) {
  FakeAnswers answers;
  answers.infer = [](const ModelInferRequest&, ModelInferResponse&) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "wrong", "details");
  };
  const FakeServer server(std::move(answers));
  const absl::Status status = ClientOf(server)->Infer(Request()).status();
  EXPECT_EQ(status.GetPayload(kStatusDetailsUrl), absl::Cord("details"));
}

}  // namespace
}  // namespace relu
