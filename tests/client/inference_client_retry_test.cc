// Inferences that an InferenceClient sends again.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <utility>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/client_options.h"
#include "client/inference_client.h"
#include "tests/client/client_testing.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

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

}  // namespace
}  // namespace relu
