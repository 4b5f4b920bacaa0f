#include "client/hedged_call.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gmock/gmock.h"
#include "grpcpp/server_context.h"
#include "gtest/gtest.h"

#include "client/channels.h"
#include "client/client_transport.h"
#include "core/base/mutex.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

// A server whose answer to each send of a call is set by a test, and which
// keeps what the sends said of themselves.
class HedgingTest : public testing::Test {
 protected:
  using OnSend = std::function<grpc::Status(int, grpc::ServerContext&)>;

  void Serve(OnSend on_send) {
    FakeAnswers answers;
    answers.before_infer =
        [this, on_send = std::move(on_send)](grpc::ServerContext& context) {
          int send = 0;
          {
            const MutexLock lock(mu_);
            const auto& metadata = context.client_metadata();
            const auto found = metadata.find("grpc-previous-rpc-attempts");
            attempts_.push_back(
                found == metadata.end()
                    ? "0"
                    : std::string(found->second.data(), found->second.size()));
            send = static_cast<int>(attempts_.size());
          }
          return on_send(send, context);
        };
    server_ = std::make_unique<FakeServer>(std::move(answers));
    channels_ = Channels::Open(server_->address(), {}).value();
  }

  UnaryAnswer Call(const HedgingOptions& options) {
    std::promise<UnaryAnswer> promise;
    {
      CallQueue queue;
      StartHedgedCall(
          *channels_, queue, budget_, options,
          {.method = kModelInferMethod,
           .deadline = std::chrono::system_clock::now() + seconds(30),
           .token = {},
           .attempts_before = 0},
          ToBuffer(""), [&promise](UnaryAnswer answer) {
            promise.set_value(std::move(answer));
          });
    }  // Waits for all sends.
    return promise.get_future().get();
  }

  std::vector<std::string> attempts() {
    const MutexLock lock(mu_);
    return attempts_;
  }

  void Release() { released_.set_value(); }
  void AwaitRelease() { release_.wait(); }

  RetryBudget budget_{100, 0.1};

 private:
  Mutex mu_;
  std::vector<std::string> attempts_ ABSL_GUARDED_BY(mu_);
  std::promise<void> released_;
  std::shared_future<void> release_ = released_.get_future().share();
  std::unique_ptr<FakeServer> server_;
  std::unique_ptr<Channels> channels_;
};

grpc::Status Full(const char* why = "full") {
  return {grpc::StatusCode::UNAVAILABLE, why};
}

TEST_F(HedgingTest, QuickAnswerNeedsOneSend) {
  Serve([](int, grpc::ServerContext&) { return grpc::Status::OK; });
  EXPECT_TRUE(Call({.max_attempts = 3, .delay = hours(1)}).status.ok());
  EXPECT_THAT(attempts(), ElementsAre("0"));
}

TEST_F(HedgingTest, SlowSendIsFollowedByOneThatSaysSo) {
  Serve([this](int send, grpc::ServerContext&) {
    if (send == 1) {
      AwaitRelease();
    } else {
      Release();  // Only now may the first go on: it is not the answer.
    }
    return send == 1 ? grpc::Status(grpc::StatusCode::INTERNAL, "late")
                     : grpc::Status::OK;
  });
  // The first answers only after the second has been sent.
  const UnaryAnswer answer =
      Call({.max_attempts = 2, .delay = milliseconds(5)});
  // The second may overtake the first on its way.
  EXPECT_THAT(attempts(), UnorderedElementsAre("0", "1"));
  EXPECT_THAT(answer.status.error_code(),
              testing::AnyOf(grpc::StatusCode::OK, grpc::StatusCode::INTERNAL));
}

TEST_F(HedgingTest, FailedSendIsFollowedAtOnce) {
  Serve([](int send, grpc::ServerContext&) {
    return send == 3 ? grpc::Status::OK : Full();
  });
  EXPECT_TRUE(Call({.max_attempts = 3, .delay = hours(1)}).status.ok());
  EXPECT_THAT(attempts(), ElementsAre("0", "1", "2"));
}

TEST_F(HedgingTest, LastFailureIsTheAnswerWhenAllFail) {
  Serve([](int, grpc::ServerContext&) { return Full("all of it"); });
  const UnaryAnswer answer = Call({.max_attempts = 2, .delay = hours(1)});
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(answer.status.error_message(), "all of it");
  EXPECT_EQ(attempts().size(), 2U);
}

TEST_F(HedgingTest, ErrorThatAnotherServerHasTooIsFinal) {
  Serve([](int, grpc::ServerContext&) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "wrong");
  });
  EXPECT_EQ(Call({.max_attempts = 3, .delay = hours(1)}).status.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(attempts().size(), 1U);
}

TEST_F(HedgingTest, ServerMayForbidMoreSends) {
  Serve([](int, grpc::ServerContext& context) {
    context.AddTrailingMetadata("grpc-retry-pushback-ms", "-1");
    return Full();
  });
  EXPECT_EQ(Call({.max_attempts = 3, .delay = hours(1)}).status.error_code(),
            grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(attempts().size(), 1U);
}

TEST_F(HedgingTest, ServerMayDelayTheNextSend) {
  const auto begin = std::chrono::steady_clock::now();
  Serve([](int send, grpc::ServerContext& context) {
    if (send == 2) {
      return grpc::Status::OK;
    }
    context.AddTrailingMetadata("grpc-retry-pushback-ms", "60");
    return Full();
  });
  EXPECT_TRUE(Call({.max_attempts = 3, .delay = hours(1)}).status.ok());
  EXPECT_EQ(attempts().size(), 2U);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(60));
}

TEST_F(HedgingTest, EmptyBudgetAllowsOneSend) {
  for (int i = 0; i < 60; ++i) {
    budget_.OnFailure();
  }
  Serve([](int, grpc::ServerContext&) { return Full(); });
  EXPECT_EQ(
      Call({.max_attempts = 3, .delay = milliseconds(1)}).status.error_code(),
      grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(attempts().size(), 1U);
}

}  // namespace
}  // namespace relu
