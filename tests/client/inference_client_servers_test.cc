// An InferenceClient of many servers.

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "client/client_options.h"
#include "client/inference_client.h"
#include "fmt/format.h"
#include "tests/client/client_testing.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

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

}  // namespace
}  // namespace relu
