#include "client/infer_stream.h"

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/inference_client.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

std::unique_ptr<InferenceClient> StreamClient(const FakeServer& server) {
  return InferenceClient::Create(server.address()).value();
}

InferRequest Numbered(int number) {
  InferRequest request("m");
  request.AddInput<std::int32_t>("x", std::vector<std::int64_t>{1}, {number});
  request.SetId(std::to_string(number));
  return request;
}

TEST(InferStreamTest, AnswersComeInTheOrderOfTheRequests) {
  constexpr int kCalls = 300;
  const FakeServer server;
  const auto client = StreamClient(server);
  const auto stream = client->Stream();
  std::jthread sender([&stream] {
    for (int i = 0; i < kCalls; ++i) {
      EXPECT_TRUE(stream->Send(Numbered(i)).ok());
    }
    stream->FinishSending();
  });
  for (int i = 0; i < kCalls; ++i) {
    const auto answer = stream->Receive();
    ASSERT_TRUE(answer.has_value());
    ASSERT_TRUE(answer->ok()) << answer->status();
    EXPECT_EQ((*answer)->id(), std::to_string(i));
    EXPECT_THAT((*answer)->Values<std::int32_t>("x").value(), ElementsAre(i));
  }
  EXPECT_FALSE(stream->Receive().has_value());
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(InferStreamTest, ErrorOfOneRequestLeavesTheStreamOpen) {
  FakeAnswers answers;
  answers.infer = [](const auto& request, auto& response) {
    return request.id() == "1"
               ? grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "wrong")
               : Echo(request, response);
  };
  const FakeServer server(std::move(answers));
  const auto client = StreamClient(server);
  const auto stream = client->Stream();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(stream->Send(Numbered(i)).ok());
  }
  EXPECT_TRUE(stream->Receive()->ok());
  EXPECT_EQ(stream->Receive()->status(), absl::UnknownError("wrong"));
  EXPECT_TRUE(stream->Receive()->ok());
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(InferStreamTest, ManyAnswersMayWait) {
  constexpr int kCalls = 500;
  const FakeServer server;
  const auto client = StreamClient(server);
  const auto stream = client->Stream();
  for (int i = 0; i < kCalls; ++i) {
    ASSERT_TRUE(stream->Send(Numbered(i)).ok());
  }
  stream->FinishSending();
  int answers = 0;
  while (stream->Receive().has_value()) {
    ++answers;
  }
  EXPECT_EQ(answers, kCalls);
}

TEST(InferStreamTest, StatusOfTheStreamIsTheServers) {
  const FakeServer server(
      {.status = {grpc::StatusCode::PERMISSION_DENIED, "no"}});
  const auto client = StreamClient(server);
  const auto stream = client->Stream();
  ASSERT_TRUE(stream->Send(Numbered(1)).ok());
  EXPECT_EQ(stream->Finish(), absl::PermissionDeniedError("no"));
  EXPECT_EQ(stream->Send(Numbered(2)).code(), absl::StatusCode::kUnavailable);
}

TEST(InferStreamTest, WithoutAServerTheStreamIsUnavailable) {
  const auto client =
      InferenceClient::Create("unix:/nonexistent/relud.sock").value();
  const auto stream = client->Stream();
  EXPECT_FALSE(stream->Receive().has_value());
  EXPECT_EQ(stream->Finish().code(), absl::StatusCode::kUnavailable);
}

TEST(InferStreamTest, WaitingForAnAnswerEndsWithTheTimeout) {
  const FakeServer server;
  const auto client = StreamClient(server);
  const auto stream = client->Stream({.timeout = milliseconds(20)});
  EXPECT_EQ(stream->Receive()->status().code(),
            absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(stream->Send(Numbered(1)).ok());
  auto answer = stream->Receive();  // It may be waited for again.
  while (answer.has_value() && absl::IsDeadlineExceeded(answer->status())) {
    answer = stream->Receive();
  }
  EXPECT_TRUE(answer->ok());
}

TEST(InferStreamTest, CancelEndsItWhileOthersWait) {
  std::promise<void> release;
  const auto released = release.get_future().share();
  FakeAnswers answers;
  answers.infer = [released](const auto& request, auto& response) {
    released.wait();
    return Echo(request, response);
  };
  const FakeServer server(std::move(answers));
  const auto client = StreamClient(server);
  const auto stream = client->Stream();
  ASSERT_TRUE(stream->Send(Numbered(1)).ok());
  std::jthread canceller([&stream] { stream->Cancel(); });
  EXPECT_FALSE(stream->Receive().has_value());
  EXPECT_EQ(stream->Finish().code(), absl::StatusCode::kCancelled);
  release.set_value();
}

TEST(InferStreamTest, DestructionCancelsWhatIsLeft) {
  const FakeServer server;
  const auto client = StreamClient(server);
  auto stream = client->Stream();
  ASSERT_TRUE(stream->Send(Numbered(1)).ok());
  stream.reset();
  EXPECT_TRUE(client->ServerLive().value());
}

}  // namespace
}  // namespace relu
