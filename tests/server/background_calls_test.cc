#include "server/background_calls.h"

#include <chrono>
#include <cstddef>
#include <future>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "core/base/in_flight_bytes.h"
#include "server/rpc_table.h"

namespace relu {
namespace {

using Answer = absl::StatusOr<std::string>;

// What a call is answered, whenever that is.
class Waiting {
 public:
  Rpc::Answer answer() {
    return [promise = promise_](const Answer& answer) {
      promise->set_value(answer);
    };
  }
  Answer Get() { return promise_->get_future().get(); }

 private:
  // The answer's too: who gives it may still be at it when it is there.
  const std::shared_ptr<std::promise<Answer>> promise_ =
      std::make_shared<std::promise<Answer>>();
};

Answer Echo(std::string_view request) { return "of " + std::string(request); }

// Runs until it may end.
class Blocking {
 public:
  Rpc::Handler handler() {
    return [this](std::string_view /*request*/) -> Answer {
      begun_.count_down();
      may_end_.wait();
      return "blocked";
    };
  }
  void WaitForBegin() { begun_.wait(); }
  void End() { may_end_.count_down(); }

 private:
  std::latch begun_{1};
  std::latch may_end_{1};
};

// Calls of which one keeps the only thread busy until End().
class BusyThread {
 public:
  BusyThread() {
    calls_.Run(blocking_.handler(), "", {}, blocked_.answer());
    blocking_.WaitForBegin();
  }

  BackgroundCalls& calls() { return calls_; }

  void End() {
    blocking_.End();
    EXPECT_EQ(*blocked_.Get(), "blocked");
  }

 private:
  Blocking blocking_;
  Waiting blocked_;
  BackgroundCalls calls_{1, nullptr};
};

TEST(BackgroundCallsTest, ACallIsAnsweredByItsHandler) {
  BackgroundCalls calls(1, nullptr);
  Waiting good;
  calls.Run(Echo, "a", {}, good.answer());
  EXPECT_EQ(*good.Get(), "of a");

  Waiting bad;
  calls.Run([](std::string_view) { return absl::NotFoundError("no model"); },
            "a", {}, bad.answer());
  EXPECT_EQ(bad.Get().status(), absl::NotFoundError("no model"));
}

TEST(BackgroundCallsTest, EachThreadRunsOneCall) {
  BackgroundCalls calls(2, nullptr);
  Blocking blocking;
  Waiting blocked;
  calls.Run(blocking.handler(), "", {}, blocked.answer());
  blocking.WaitForBegin();

  Waiting other;
  calls.Run(Echo, "b", {}, other.answer());
  EXPECT_EQ(*other.Get(), "of b");

  blocking.End();
  EXPECT_EQ(*blocked.Get(), "blocked");
}

TEST(BackgroundCallsTest, MoreThanMayWaitAreRefusedWithATimeToComeAgain) {
  BusyThread busy;
  BackgroundCalls& calls = busy.calls();

  std::vector<Waiting> waiting(BackgroundCalls::kMaxWaiting);
  for (Waiting& one : waiting) {
    calls.Run(Echo, "b", {}, one.answer());
  }
  Waiting refused;
  calls.Run(Echo, "c", {}, refused.answer());
  const absl::Status status = refused.Get().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(status.GetPayload(kRetryPushback).has_value());

  busy.End();
  for (Waiting& one : waiting) {
    EXPECT_EQ(*one.Get(), "of b");
  }
}

TEST(BackgroundCallsTest, WhoLeavesIsAnsweredAtOnceAndNotComputed) {
  BusyThread busy;
  BackgroundCalls& calls = busy.calls();

  bool computed = false;
  Waiting waiting;
  const Rpc::Cancel cancel = calls.Run(
      [&](std::string_view request) {
        computed = true;
        return Echo(request);
      },
      "b", {}, waiting.answer());
  cancel();
  EXPECT_EQ(waiting.Get().status().code(), absl::StatusCode::kCancelled);

  busy.End();
  cancel();  // Comes too late.
  Waiting after;
  calls.Run(Echo, "c", {}, after.answer());
  EXPECT_EQ(*after.Get(), "of c");
  EXPECT_FALSE(computed);
}

TEST(BackgroundCallsTest, ADeadlineThatPassedBeforeItsTurnIsNotComputed) {
  BackgroundCalls calls(1, nullptr);
  Waiting waiting;
  calls.Run(Echo, "a", {.deadline = std::chrono::steady_clock::now()},
            waiting.answer());
  EXPECT_EQ(waiting.Get().status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(BackgroundCallsTest, RequestsCountUntilTheyAreAnswered) {
  InFlightBytes bytes(10);
  BackgroundCalls calls(1, &bytes);
  Blocking blocking;
  Waiting blocked;
  calls.Run(blocking.handler(), "12345678", {}, blocked.answer());
  EXPECT_EQ(bytes.bytes(), 8U);
  Waiting refused;
  calls.Run(Echo, "123", {}, refused.answer());
  EXPECT_EQ(refused.Get().status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(bytes.bytes(), 8U);

  blocking.End();
  blocked.Get().IgnoreError();
  while (bytes.bytes() > 0) {
    std::this_thread::yield();
  }
}

TEST(BackgroundCallsTest, ExpiredCallsMakeRoom) {
  BusyThread busy;
  BackgroundCalls& calls = busy.calls();
  std::vector<Waiting> expired(BackgroundCalls::kMaxWaiting);
  for (Waiting& one : expired) {
    calls.Run(Echo, "b", {.deadline = std::chrono::steady_clock::now()},
              one.answer());
  }

  Waiting live;
  calls.Run(Echo, "c", {}, live.answer());
  for (Waiting& one : expired) {
    EXPECT_EQ(one.Get().status().code(), absl::StatusCode::kDeadlineExceeded);
  }

  busy.End();
  EXPECT_EQ(*live.Get(), "of c");
}

TEST(BackgroundCallsTest, TheEndAnswersThoseThatWait) {
  Waiting waiting;
  {
    BackgroundCalls nobody(/*threads=*/0, nullptr);
    nobody.Run(Echo, "b", {}, waiting.answer());
  }
  EXPECT_EQ(waiting.Get().status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace relu
