#include "server/grpc_server.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/scheduler.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"
#include "tests/support/sanitizers.h"

namespace relu {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

constexpr milliseconds kForever{3'600'000};

// Waits until `count` requests wait for a slot of `model`.
void WaitForQueue(Model& model, std::size_t count) {
  while (model.scheduler().queue_size() < count) {
    std::this_thread::yield();
  }
}

// Calls ModelInfer on a thread of its own.
class PendingCall {
 public:
  explicit PendingCall(GrpcFixture& grpc)
      : thread_(
            [this, &grpc] { status_ = grpc.Infer(DigitsRequest()).first; }) {}

  grpc::Status Wait() {
    thread_.join();
    return status_;
  }

 private:
  grpc::Status status_;
  std::thread thread_;
};

TEST(GrpcServerTest, AnyFreePortIsNamed) {
  GrpcFixture grpc;
  EXPECT_GT(grpc.server().port(), 0);
  EXPECT_TRUE(grpc.Infer(DigitsRequest()).first.ok());
}

TEST(GrpcServerTest, PortInUseReturnsUnavailableAndItsNumber) {
  GrpcFixture grpc;
  LoadedRepository loaded;
  InferenceHandlers handlers(loaded.repository(), true);
  Health health;
  const RpcTable rpcs(handlers, health);
  const auto second = GrpcServer::Start(
      {.address = "127.0.0.1", .port = grpc.server().port()},
      {.repository = loaded.repository(), .metrics = loaded.metrics()}, rpcs,
      health);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("127.0.0.1:" + std::to_string(grpc.server().port())));
}

TEST(GrpcServerTest, IPv6AddressNeedsNoBrackets) {
  LoadedRepository loaded;
  InferenceHandlers handlers(loaded.repository(), true);
  Health health;
  const RpcTable rpcs(handlers, health);
  const auto server = GrpcServer::Start(
      {.address = "::1", .port = 0},
      {.repository = loaded.repository(), .metrics = loaded.metrics()}, rpcs,
      health);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_GT((*server)->port(), 0);
}

TEST(GrpcServerTest, AnswersUnderLoadHaveTheBitsOfSingleRows) {
  constexpr int kThreads = 8;
  constexpr int kCalls = 200;
  GrpcFixture grpc;
  std::vector<std::string> expected;
  for (int row = 0; row < kCalls; ++row) {
    const auto [status, response] = grpc.Infer(DigitsRequest(1, row));
    ASSERT_TRUE(status.ok()) << status.error_message();
    expected.push_back(response.raw_output_contents(0));
  }
  std::vector<int> differences(kThreads, 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int call = 0; call < kCalls; ++call) {
        const int row = (call * 7 + i * 25) % kCalls;
        const auto [status, response] = grpc.Infer(DigitsRequest(1, row));
        const bool same =
            status.ok() && response.raw_output_contents(0) ==
                               expected[static_cast<std::size_t>(row)];
        differences[static_cast<std::size_t>(i)] += same ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(differences, testing::Each(0));
}

TEST(GrpcServerTest, ClientsHoldBackCallsBeyondTheLimitOfAConnection) {
  GrpcFixture grpc({.slots = 1}, /*threads=*/2, {}, /*max_streams=*/2);
  // The client knows of the limit from the first answer on.
  ASSERT_TRUE(grpc.Infer(DigitsRequest()).first.ok());
  SlotHolder holder(*grpc.loaded().model());
  std::deque<PendingCall> calls;
  for (int i = 0; i < 2; ++i) {
    calls.emplace_back(grpc);
  }
  WaitForQueue(*grpc.loaded().model(), calls.size());

  EXPECT_EQ(grpc.Infer(DigitsRequest(), milliseconds(50)).first.error_code(),
            StatusCode::DEADLINE_EXCEEDED);

  holder.Release();
  for (PendingCall& call : calls) {
    EXPECT_TRUE(call.Wait().ok());
  }
  // It never came: neither counted as answered nor as expired.
  EXPECT_EQ(grpc.Requests("digits_mlp", "OK"), 3);
  EXPECT_EQ(grpc.Requests("digits_mlp", "DEADLINE_EXCEEDED"), 0);
}

TEST(GrpcServerTest, ConnectionsBeyondTheLimitAreClosedUntilOthersEnd) {
  constexpr char kMethod[] = "/inference.GRPCInferenceService/ServerLive";
  GrpcFixture grpc({}, /*threads=*/2, {}, /*max_streams=*/1024,
                   /*max_connections=*/1);
  auto first = std::make_unique<Connection>(grpc.server().port());
  ASSERT_TRUE(first->Call(kMethod, "").first.ok());
  Connection second(grpc.server().port());
  EXPECT_EQ(second.Call(kMethod, "").first.error_code(),
            StatusCode::UNAVAILABLE);
  EXPECT_TRUE(first->Call(kMethod, "").first.ok());
  EXPECT_THAT(grpc.loaded().metrics().Text(),
              Not(HasSubstr("relu_connections_refused_total 0")));

  first = nullptr;
  EXPECT_TRUE(second.channel()->WaitForConnected(
      std::chrono::system_clock::now() + std::chrono::minutes(1)));
  EXPECT_TRUE(second.Call(kMethod, "").first.ok());
}

TEST(GrpcServerTest, ShutdownAnswersWhatIsInFlight) {
  GrpcFixture grpc({.slots = 1});
  SlotHolder holder(*grpc.loaded().model());
  std::deque<PendingCall> calls;
  for (int i = 0; i < 5; ++i) {
    calls.emplace_back(grpc);
  }
  WaitForQueue(*grpc.loaded().model(), calls.size());
  int lost = -1;
  std::thread shutdown([&] { lost = grpc.server().Shutdown(kForever); });
  // A new call is refused once the shutdown has begun.
  while (grpc.Infer(DigitsRequest(0)).first.error_code() !=
         StatusCode::UNAVAILABLE) {
  }
  holder.Release();
  for (PendingCall& call : calls) {
    const grpc::Status status = call.Wait();
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  shutdown.join();
  EXPECT_EQ(lost, 0);
}

// Calls one after the other on a connection of its own until one fails.
class CallsUntilOneFails {
 public:
  explicit CallsUntilOneFails(int port)
      : connection_(port), thread_([this] { Loop(); }) {}

  void WaitForAnswer() { answered_.wait(); }

  // How the last one failed.
  StatusCode Wait() {
    thread_.join();
    return last_;
  }

 private:
  void Loop() {
    const auto stub =
        inference::GRPCInferenceService::NewStub(connection_.channel());
    while (last_ == StatusCode::OK) {
      grpc::ClientContext context;
      // Much longer than an answer takes, much less than the shutdown may.
      context.set_deadline(std::chrono::system_clock::now() +
                           std::chrono::seconds(30));
      inference::ModelInferResponse response;
      last_ =
          stub->ModelInfer(&context, DigitsRequest(), &response).error_code();
      if (!answered_.try_wait()) {
        answered_.count_down();
      }
    }
  }

  Connection connection_;
  std::latch answered_{1};
  StatusCode last_ = StatusCode::OK;
  std::thread thread_;
};

// gRPC says CANCELLED to what it reads before the client knows that the server
// goes, UNAVAILABLE to what comes later. With many threads, each of which has
// calls that wait for clients, the moment in which a call could be forgotten is
// long: without EndQueuedCalls() one round in ten or twenty hangs.
TEST(GrpcServerTest, CallsThatComeWhileItShutsDownFailAtOnce) {
  constexpr int kRounds = kSanitized ? 10 : 50;
  constexpr int kClients = 8;
  for (int round = 0; round < kRounds; ++round) {
    GrpcFixture grpc({}, /*threads=*/32);
    std::deque<CallsUntilOneFails> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back(grpc.server().port());
    }
    for (CallsUntilOneFails& client : clients) {
      client.WaitForAnswer();
    }
    EXPECT_EQ(grpc.server().Shutdown(kForever), 0);
    for (CallsUntilOneFails& client : clients) {
      EXPECT_THAT(client.Wait(), testing::AnyOf(StatusCode::UNAVAILABLE,
                                                StatusCode::CANCELLED));
    }
  }
}

TEST(GrpcServerTest, ShutdownCancelsWhatTakesLongerThanTheTimeout) {
  GrpcFixture grpc({.slots = 1});
  SlotHolder holder(*grpc.loaded().model());
  std::deque<PendingCall> calls;
  for (int i = 0; i < 3; ++i) {
    calls.emplace_back(grpc);
  }
  WaitForQueue(*grpc.loaded().model(), calls.size());
  int lost = -1;
  std::thread shutdown([&] { lost = grpc.server().Shutdown(milliseconds(0)); });
  for (PendingCall& call : calls) {
    EXPECT_FALSE(call.Wait().ok());
  }
  holder.Release();
  shutdown.join();
  EXPECT_EQ(lost, 3);
}

TEST(GrpcServerTest, ShutdownOfAnIdleServerLosesNothing) {
  GrpcFixture grpc;
  ASSERT_TRUE(grpc.Infer(DigitsRequest()).first.ok());
  EXPECT_EQ(grpc.server().Shutdown(kForever), 0);
  EXPECT_EQ(grpc.Infer(DigitsRequest()).first.error_code(),
            StatusCode::UNAVAILABLE);
}

TEST(GrpcServerTest, SecondShutdownDoesNothing) {
  GrpcFixture grpc;
  EXPECT_EQ(grpc.server().Shutdown(kForever), 0);
  EXPECT_EQ(grpc.server().Shutdown(kForever), 0);
}

}  // namespace
}  // namespace relu
