#include "client/inference_client.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <future>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "core/base/file.h"
#include "core/base/mutex.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "tests/client/fake_server.h"
#include "tests/support/certificates.h"

namespace relu {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using std::chrono::milliseconds;
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

// --- Sending again ---

// Fails the first `failures` inferences with UNAVAILABLE.
FakeAnswers FailingFirst(int failures, std::atomic<int>& sends,
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

const RetryOptions kQuickRetries{.initial_backoff = milliseconds(1),
                                 .max_backoff = milliseconds(5)};

TEST(InferenceClientTest, UnavailableInferencesAreSentAgain) {
  std::atomic<int> sends{0};
  const FakeServer server(FailingFirst(2, sends));
  const auto client = ClientOf(server, {.retry = kQuickRetries});
  const auto result = client->Infer(Request());
  EXPECT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(sends, 3);
  sends = 0;
  EXPECT_TRUE(client->InferAsync(Request()).get().ok());
  EXPECT_EQ(sends, 3);
}

TEST(InferenceClientTest, SendsAreNoMoreThanTheOptionsAllow) {
  std::atomic<int> sends{0};
  const FakeServer server(FailingFirst(1000, sends));
  const auto status = [&](const ClientOptions& options,
                          const CallOptions& call = {},
                          const InferRequest& request = Request()) {
    sends = 0;
    return ClientOf(server, options)->Infer(request, call).status().code();
  };
  RetryOptions twice = kQuickRetries;
  twice.max_attempts = 2;
  EXPECT_EQ(status({.retry = twice}), absl::StatusCode::kUnavailable);
  EXPECT_EQ(sends, 2);
  EXPECT_EQ(status({.retry = {.max_attempts = 1}}),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(sends, 1);
  EXPECT_EQ(status({.retry = kQuickRetries}, {.repeatable = false}),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(sends, 1);
  InferRequest sequence = Request();
  sequence.SetParameter("sequence_id", std::int64_t{7});
  EXPECT_EQ(status({.retry = kQuickRetries}, {}, sequence),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(sends, 1);
  // Half of two tokens is gone with the first failure.
  RetryOptions poor = kQuickRetries;
  poor.budget_tokens = 2;
  EXPECT_EQ(status({.retry = poor}), absl::StatusCode::kUnavailable);
  EXPECT_EQ(sends, 1);
}

TEST(InferenceClientTest, ServerMayForbidOrDelayTheNextSend) {
  std::atomic<int> sends{0};
  const FakeServer never(FailingFirst(1000, sends, "-1"));
  EXPECT_EQ(ClientOf(never, {.retry = kQuickRetries})
                ->Infer(Request())
                .status()
                .code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(sends, 1);
  sends = 0;
  const FakeServer later(FailingFirst(1, sends, "70"));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(ClientOf(later, {.retry = kQuickRetries})->Infer(Request()).ok());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(70));
}

TEST(InferenceClientTest, WhatChangesTheServerIsSentOnce) {
  const FakeServer server(
      {.status = {grpc::StatusCode::UNAVAILABLE, "not now"}});
  const auto client = ClientOf(server, {.retry = kQuickRetries});
  EXPECT_EQ(client->LoadModel("m").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(client->UnloadModel("m").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server.loads().size(), 1U);
  EXPECT_EQ(server.unloads().size(), 1U);
}

TEST(InferenceClientTest, SilentServerIsAskedAgainAfterTheAttemptTimeout) {
  Gate gate;
  std::atomic<int> sends{0};
  FakeAnswers answers;
  answers.before_infer = [&](grpc::ServerContext&) {
    if (++sends == 1) {
      gate.Wait();
    }
    return grpc::Status::OK;
  };
  const FakeServer server(std::move(answers));
  RetryOptions retry = kQuickRetries;
  retry.attempt_timeout = milliseconds(500);
  EXPECT_TRUE(ClientOf(server, {.retry = retry})->Infer(Request()).ok());
  EXPECT_GE(sends, 2);
  gate.Open();
}

TEST(InferenceClientTest, SlowServerIsHedged) {
  Gate gate;
  std::atomic<int> sends{0};
  FakeAnswers answers;
  answers.before_infer = [&](grpc::ServerContext&) {
    if (++sends % 2 == 1) {
      gate.Wait();
    }
    return grpc::Status::OK;
  };
  const FakeServer server(std::move(answers));
  const auto client = ClientOf(
      server, {.hedging = {.max_attempts = 2, .delay = milliseconds(10)}});
  const auto result = client->Infer(Request());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->Values<float>("x").value().size(), 3U);
  EXPECT_TRUE(client->InferAsync(Request()).get().ok());
  EXPECT_EQ(sends, 4);
  gate.Open();
  // What may not be repeated is not hedged either.
  EXPECT_TRUE(client->Infer(Request(), {.repeatable = false}).ok());
  EXPECT_EQ(sends, 5);
}

// --- Many servers ---

TEST(InferenceClientTest, ServersOfAListTakeTurns) {
  const FakeServer a;
  const FakeServer b;
  const FakeServer c;
  const auto client =
      InferenceClient::Create(
          fmt::format("{},{},{}", a.address(), b.address(), c.address()))
          .value();
  // Until all three are connected some may get more than their share.
  for (int i = 0; i < 3000 && (a.inferences() < 10 || b.inferences() < 10 ||
                               c.inferences() < 10);
       ++i) {
    ASSERT_TRUE(client->Infer(Request()).ok());
  }
  EXPECT_GE(a.inferences(), 10);
  EXPECT_GE(b.inferences(), 10);
  EXPECT_GE(c.inferences(), 10);
}

TEST(InferenceClientTest, ServersThatDoNotServeAreLeftOut) {
  const FakeServer good;
  FakeServer draining;
  draining.SetServing("", false);
  const FakeServer without_health({.health = false});
  const auto client =
      InferenceClient::Create(fmt::format("{},{},{}", good.address(),
                                          draining.address(),
                                          without_health.address()))
          .value();
  for (int i = 0;
       i < 3000 && (good.inferences() < 10 || without_health.inferences() < 10);
       ++i) {
    ASSERT_TRUE(client->Infer(Request()).ok());
  }
  EXPECT_GE(good.inferences(), 10);
  EXPECT_GE(without_health.inferences(), 10);
  EXPECT_EQ(draining.inferences(), 0);
}

// A server with one bad model says that it does not serve, and answers for all
// others.
TEST(InferenceClientTest,
     ServerThatSaysItDoesNotServeIsCalledIfThereIsNoOther) {
  FakeServer server;
  server.SetServing("", false);
  const auto client = ClientOf(server, {.retry = {.max_attempts = 1}});
  EXPECT_FALSE(client->Health().value());
  EXPECT_TRUE(client->LoadModel("m").ok());
  EXPECT_TRUE(client->Infer(Request()).ok());
  EXPECT_TRUE(client->Infer(Request(), {.repeatable = false}).ok());
  EXPECT_TRUE(client->InferAsync(Request()).get().ok());
  const auto stream = client->Stream();
  EXPECT_TRUE(stream->Send(Request()).ok());
  EXPECT_TRUE(stream->Receive().value().ok());
}

TEST(InferenceClientTest, DrainingServerGetsNoNewCalls) {
  FakeServer a;
  FakeServer b;
  const auto client =
      InferenceClient::Create(fmt::format("{},{}", a.address(), b.address()))
          .value();
  // Whether `idle` gets no more calls, once the news has come.
  const auto all_go_to_the_other = [&client](const FakeServer& idle) {
    int before = idle.inferences();
    int others = 0;
    for (int i = 0; i < 100'000 && others < 100; ++i) {
      EXPECT_TRUE(client->Infer(Request()).ok());
      others = idle.inferences() == before ? others + 1 : 0;
      before = idle.inferences();
    }
    return others == 100;
  };
  b.SetServing("", false);
  EXPECT_TRUE(all_go_to_the_other(b));
  // Both at once: none is better than the other. Then one comes back.
  a.SetServing("", false);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(client->Infer(Request()).ok());
  }
  b.SetServing("", true);
  EXPECT_TRUE(all_go_to_the_other(a));
}

TEST(InferenceClientTest, FailingServerIsEjected) {
  std::atomic<int> sends{0};
  const FakeServer good;
  const FakeServer bad(FailingFirst(1'000'000, sends));
  ClientOptions options{.retry = kQuickRetries};
  // Also where a call takes long.
  options.balancing.ejection_calls = 2;
  options.balancing.ejection_interval = milliseconds(100);
  options.balancing.ejection_time = std::chrono::hours(1);
  const auto client =
      InferenceClient::Create(
          fmt::format("{},{}", good.address(), bad.address()), options)
          .value();
  // Every call is saved by a retry. Once the bad one is ejected it gets none.
  int good_before = 0;
  int sends_before = -1;
  for (int i = 0; i < 200'000 && good_before < 100; ++i) {
    ASSERT_TRUE(client->Infer(Request()).ok());
    good_before = sends == sends_before && sends > 0 ? good_before + 1 : 0;
    sends_before = sends;
  }
  EXPECT_EQ(good_before, 100);
}

TEST(InferenceClientTest, GoesOnWhenItsServerIsBack) {
  auto server = std::make_unique<FakeServer>();
  const std::string address = server->address();
  const int port = server->port();
  const auto client = InferenceClient::Create(address).value();
  EXPECT_TRUE(client->Infer(Request()).ok());
  server.reset();
  FakeAnswers answers;
  answers.listen = fmt::format("127.0.0.1:{}", port);
  server = std::make_unique<FakeServer>(std::move(answers));
  absl::Status status = absl::UnavailableError("");
  for (int i = 0; i < 100 && absl::IsUnavailable(status); ++i) {
    status = client->Infer(Request()).status();
  }
  EXPECT_TRUE(status.ok()) << status;
}

// --- Security ---

TEST(InferenceClientTest, TokenIsAskedForAndSentWithEachCall) {
  Mutex mu;
  std::vector<std::string> tokens;
  FakeAnswers answers;
  answers.before_infer = [&](grpc::ServerContext& context) {
    const auto& metadata = context.client_metadata();
    const auto found = metadata.find("authorization");
    const MutexLock lock(mu);
    tokens.emplace_back(
        found == metadata.end()
            ? ""
            : std::string(found->second.data(), found->second.size()));
    return grpc::Status::OK;
  };
  const FakeServer server(std::move(answers));
  int asked = 0;
  ClientOptions options;
  options.token = [&asked] { return fmt::format("t{}", ++asked); };
  const auto client = ClientOf(server, options);
  EXPECT_TRUE(client->Infer(Request()).ok());
  EXPECT_TRUE(client->InferAsync(Request()).get().ok());
  const MutexLock lock(mu);
  EXPECT_THAT(tokens, ElementsAre("Bearer t1", "Bearer t2"));
}

class InferenceClientTlsTest : public testing::Test {
 protected:
  InferenceClientTlsTest() {
    std::filesystem::create_directories(folder_);
    authority_ = MakeAuthority(folder_, "authority");
    server_ = MakeCertificate(folder_, "server", authority_);
    client_ = MakeCertificate(folder_, "client", authority_);
  }
  ~InferenceClientTlsTest() override { std::filesystem::remove_all(folder_); }

  static std::string Text(const std::filesystem::path& file) {
    return ReadFile(file, 1 << 20).value();
  }

  FakeAnswers Encrypted(bool wants_client) const {
    grpc::SslServerCredentialsOptions options(
        wants_client
            ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
            : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    options.pem_root_certs = Text(authority_.certificate);
    options.pem_key_cert_pairs.push_back(
        {Text(server_.key), Text(server_.certificate)});
    FakeAnswers answers;
    answers.credentials = grpc::SslServerCredentials(options);
    return answers;
  }

  TlsOptions Trusting() const {
    return {.enabled = true, .root_certificates = Text(authority_.certificate)};
  }

  // Quick to give up.
  static absl::Status Live(const FakeServer& server, const TlsOptions& tls) {
    return ClientOf(server, {.default_timeout = std::chrono::seconds(20),
                             .tls = tls,
                             .retry = {.max_attempts = 1}})
        ->ServerLive()
        .status();
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      fmt::format("client_tls_test.{}", ::getpid());
  Certificate authority_;
  Certificate server_;
  Certificate client_;
};

TEST_F(InferenceClientTlsTest, ServerIsTrustedByItsAuthority) {
  const FakeServer server(Encrypted(/*wants_client=*/false));
  EXPECT_TRUE(Live(server, Trusting()).ok());
  TlsOptions named = Trusting();
  named.server_name = "localhost";
  EXPECT_TRUE(Live(server, named).ok());
  named.server_name = "somebody.else";
  EXPECT_EQ(Live(server, named).code(), absl::StatusCode::kUnavailable);
  TlsOptions other = Trusting();
  other.root_certificates = Text(MakeAuthority(folder_, "other").certificate);
  EXPECT_EQ(Live(server, other).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Live(server, {}).code(), absl::StatusCode::kUnavailable);
}

TEST_F(InferenceClientTlsTest, ClientShowsItsCertificateWhenItIsWanted) {
  const FakeServer server(Encrypted(/*wants_client=*/true));
  TlsOptions mutual = Trusting();
  mutual.certificate_chain = Text(client_.certificate);
  mutual.private_key = Text(client_.key);
  EXPECT_TRUE(Live(server, mutual).ok());
  EXPECT_EQ(Live(server, Trusting()).code(), absl::StatusCode::kUnavailable);
}

// --- The other calls ---

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

TEST(InferenceClientTest, ModelConfigAndStatisticsArePassedOn) {
  FakeAnswers answers;
  answers.model_config.mutable_config()->set_max_batch_size(8);
  answers.statistics.add_model_stats()->set_name("a");
  answers.statistics.add_model_stats()->set_name("b");
  const FakeServer server(std::move(answers));
  const auto client = ClientOf(server);
  EXPECT_THAT(client->ModelConfig("m").value().text,
              HasSubstr("max_batch_size: 8"));
  EXPECT_EQ(client->ModelStatistics().value().size(), 2U);
  EXPECT_EQ(client->ModelStatistics("b").value()[0].name, "b");
}

TEST(InferenceClientTest, ModelsAreLoadedAndUnloaded) {
  const FakeServer server;
  const auto client = ClientOf(server);
  EXPECT_TRUE(client->LoadModel("m", {.config_json = "{}"}).ok());
  EXPECT_TRUE(client->UnloadModel("n").ok());
  ASSERT_EQ(server.loads().size(), 1U);
  EXPECT_EQ(server.loads()[0].model_name(), "m");
  EXPECT_EQ(server.loads()[0].parameters().at("config").string_param(), "{}");
  ASSERT_EQ(server.unloads().size(), 1U);
  EXPECT_EQ(server.unloads()[0].model_name(), "n");
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
