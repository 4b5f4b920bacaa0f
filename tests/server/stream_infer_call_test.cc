#include "server/stream_infer_call.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/sync_stream.h"
#include "gtest/gtest.h"

#include "core/batching/scheduler.h"
#include "core/metrics/model_metrics.h"
#include "proto/inference.pb.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

using testing::HasSubstr;

constexpr std::chrono::hours kAnHour{1};

inference::ModelInferRequest StreamRequest(const std::string& id,
                                           std::int64_t rows = 1) {
  inference::ModelInferRequest request = DigitsRequest(rows);
  request.set_id(id);
  return request;
}

// The client's end of a stream. For one thread, but that one may write while
// another reads.
class ClientStream {
 public:
  explicit ClientStream(
      GrpcFixture& grpc,
      std::chrono::system_clock::duration deadline = std::chrono::minutes(5),
      bool errors_end_stream = false) {
    context_.set_deadline(std::chrono::system_clock::now() + deadline);
    if (errors_end_stream) {
      context_.AddMetadata("triton_grpc_error", "true");
    }
    stream_ = grpc.stub().ModelStreamInfer(&context_);
  }

  bool Write(const inference::ModelInferRequest& request) {
    return stream_->Write(request);
  }

  // An answer; one with "end" as its error if there are no more.
  inference::ModelStreamInferResponse Read() {
    inference::ModelStreamInferResponse response;
    if (!stream_->Read(&response)) {
      response.set_error_message("end");
    }
    return response;
  }

  // The id of the next answer, which is good.
  std::string ReadId() {
    const inference::ModelStreamInferResponse response = Read();
    EXPECT_EQ(response.error_message(), "");
    return response.infer_response().id();
  }

  grpc::Status End() {
    stream_->WritesDone();
    return stream_->Finish();
  }

  grpc::Status Finish() { return stream_->Finish(); }
  void Cancel() { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<inference::ModelInferRequest,
                                           inference::ModelStreamInferResponse>>
      stream_;
};

void AwaitQueue(GrpcFixture& grpc, std::size_t requests) {
  while (grpc.loaded().model()->scheduler().queue_size() < requests) {
    std::this_thread::yield();
  }
}

void AwaitRequests(GrpcFixture& grpc, const std::string& code, double count) {
  while (grpc.Requests("digits_mlp", code) < count) {
    std::this_thread::yield();
  }
}

TEST(StreamInferCallTest, EachRequestIsAnsweredAsACallOfItsOwn) {
  GrpcFixture grpc;
  ClientStream stream(grpc);
  for (const std::int64_t rows : {1, 3, 200}) {
    ASSERT_TRUE(stream.Write(StreamRequest("a", rows)));
    inference::ModelStreamInferResponse answer = stream.Read();
    EXPECT_EQ(answer.error_message(), "");
    answer.mutable_infer_response()->clear_parameters();
    EXPECT_EQ(answer.infer_response().SerializeAsString(),
              grpc.Infer(StreamRequest("a", rows)).second.SerializeAsString());
  }
  EXPECT_TRUE(stream.End().ok());
}

TEST(StreamInferCallTest, EveryAnswerIsFinal) {
  GrpcFixture grpc;
  ClientStream stream(grpc);
  inference::ModelInferRequest request = StreamRequest("a");
  (*request.mutable_parameters())["triton_enable_empty_final_response"]
      .set_bool_param(true);
  ASSERT_TRUE(stream.Write(request));
  EXPECT_TRUE(stream.Read()
                  .infer_response()
                  .parameters()
                  .at("triton_final_response")
                  .bool_param());
  stream.End();
}

TEST(StreamInferCallTest, AnswersComeInTheOrderOfTheRequests) {
  constexpr int kRequests = 500;
  GrpcFixture grpc;
  ClientStream stream(grpc);
  std::thread writer([&] {
    for (int i = 0; i < kRequests; ++i) {
      // Of different sizes, so that the later are often computed earlier.
      ASSERT_TRUE(
          stream.Write(StreamRequest(std::to_string(i), 1 + i * 37 % 150)));
    }
  });
  for (int i = 0; i < kRequests; ++i) {
    ASSERT_EQ(stream.ReadId(), std::to_string(i));
  }
  writer.join();
  EXPECT_TRUE(stream.End().ok());
}

TEST(StreamInferCallTest, RequestsThatWaitedRunAsOneBatch) {
  constexpr std::size_t kRequests = 10;
  // Preferred sizes count, and not what batches were measured to cost.
  GrpcFixture grpc(
      {.slots = 1, .config = "dynamic_batching { preferred_batch_size: 10 }"});
  const auto model = grpc.loaded().model();
  SlotHolder holder(*model);
  const std::uint64_t batches_before = model->metrics().Read().batches;
  ClientStream stream(grpc);
  for (std::size_t i = 0; i < kRequests; ++i) {
    ASSERT_TRUE(stream.Write(StreamRequest(std::to_string(i))));
  }
  AwaitQueue(grpc, kRequests);
  holder.Release();
  for (std::size_t i = 0; i < kRequests; ++i) {
    EXPECT_EQ(stream.ReadId(), std::to_string(i));
  }
  EXPECT_EQ(model->metrics().Read().batches - batches_before, 1U);
  EXPECT_TRUE(stream.End().ok());
}

TEST(StreamInferCallTest, ErrorIsAnAnswerAndTheStreamGoesOn) {
  GrpcFixture grpc;
  ClientStream stream(grpc);
  ASSERT_TRUE(stream.Write(StreamRequest("good")));
  inference::ModelInferRequest unknown = StreamRequest("bad");
  unknown.set_model_name("nope");
  ASSERT_TRUE(stream.Write(unknown));
  ASSERT_TRUE(stream.Write(StreamRequest("again")));

  EXPECT_EQ(stream.ReadId(), "good");
  const auto error = stream.Read();
  EXPECT_EQ(error.error_message(),
            "Request for unknown model: 'nope' is not found");
  EXPECT_EQ(error.infer_response().id(), "bad");
  EXPECT_EQ(stream.ReadId(), "again");
  EXPECT_TRUE(stream.End().ok());
}

TEST(StreamInferCallTest, ErrorEndsTheStreamOfAClientThatWantsIt) {
  GrpcFixture grpc;
  ClientStream stream(grpc, kAnHour, /*errors_end_stream=*/true);
  ASSERT_TRUE(stream.Write(StreamRequest("good")));
  EXPECT_EQ(stream.ReadId(), "good");
  ASSERT_TRUE(stream.Write(StreamRequest("bad", 0)));
  EXPECT_EQ(stream.Read().error_message(), "end");
  const grpc::Status status = stream.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr(">= 1"));
}

TEST(StreamInferCallTest, NoMoreIsReadThanMayBeInFlight) {
  constexpr std::size_t kLimit = 5;
  GrpcFixture grpc({.slots = 1}, /*threads=*/1,
                   {.max_requests = kLimit, .max_bytes = 1 << 20});
  SlotHolder holder(*grpc.loaded().model());
  ClientStream stream(grpc);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(stream.Write(StreamRequest(std::to_string(i))));
  }
  AwaitQueue(grpc, kLimit);
  // The one thread answers this after it has looked at the stream.
  EXPECT_EQ(grpc.Infer(DigitsRequest(0)).first.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(grpc.loaded().model()->scheduler().queue_size(), kLimit);
  holder.Release();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(stream.ReadId(), std::to_string(i));
  }
  EXPECT_TRUE(stream.End().ok());
}

TEST(StreamInferCallTest, NoMoreIsReadThanBytesMayBeHeld) {
  GrpcFixture grpc({.slots = 1}, /*threads=*/1,
                   {.max_requests = 100, .max_bytes = 600});
  SlotHolder holder(*grpc.loaded().model());
  ClientStream stream(grpc);
  // Each has 256 bytes of values, so that the third goes beyond the limit.
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(stream.Write(StreamRequest(std::to_string(i))));
  }
  AwaitQueue(grpc, 2);
  EXPECT_EQ(grpc.Infer(DigitsRequest(0)).first.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_LE(grpc.loaded().model()->scheduler().queue_size(), 3U);
  holder.Release();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(stream.ReadId(), std::to_string(i));
  }
  EXPECT_TRUE(stream.End().ok());
}

TEST(StreamInferCallTest, ClientThatDoesNotReadHoldsUpNobodyElse) {
  GrpcFixture grpc({}, /*threads=*/1, {.max_requests = 8});
  ClientStream slow(grpc);
  std::thread writer([&] {
    // In the end more than fits the windows of HTTP/2; most of it is never
    // read. Few rows: what waits must not look like an overload.
    while (slow.Write(StreamRequest("x", 200))) {
    }
  });
  for (int i = 0; i < 200; ++i) {
    const grpc::Status status = grpc.Infer(DigitsRequest()).first;
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  slow.Cancel();
  writer.join();
  EXPECT_EQ(slow.Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(grpc.server().Shutdown(kAnHour), 0);
}

TEST(StreamInferCallTest, RequestsOfAClientThatLeftAreNotRun) {
  GrpcFixture grpc({.slots = 1}, /*threads=*/1);
  SlotHolder holder(*grpc.loaded().model());
  {
    ClientStream stream(grpc);
    ASSERT_TRUE(stream.Write(StreamRequest("a")));
    ASSERT_TRUE(stream.Write(StreamRequest("b")));
    AwaitQueue(grpc, 2);
    stream.Cancel();
    EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  // The one thread answers this after the cancellation has reached it.
  EXPECT_EQ(grpc.Infer(DigitsRequest(0)).first.error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  holder.Release();
  AwaitRequests(grpc, "CANCELLED", 2);
  EXPECT_EQ(grpc.server().Shutdown(kAnHour), 0);
}

TEST(StreamInferCallTest, DeadlineOfTheStreamEndsWhatWaits) {
  GrpcFixture grpc({.slots = 1});
  SlotHolder holder(*grpc.loaded().model());
  ClientStream stream(grpc, std::chrono::milliseconds(50));
  stream.Write(StreamRequest("a"));
  // The scheduler may see the deadline before gRPC does.
  std::string last = stream.Read().error_message();
  if (last != "end") {
    EXPECT_THAT(last, HasSubstr("Request timeout expired"));
    last = stream.Read().error_message();
  }
  EXPECT_EQ(last, "end");
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  holder.Release();
}

TEST(StreamInferCallTest, TimeoutOfARequestIsItsAnswer) {
  GrpcFixture grpc({.slots = 1});
  SlotHolder holder(*grpc.loaded().model());
  ClientStream stream(grpc);
  inference::ModelInferRequest request = StreamRequest("late");
  (*request.mutable_parameters())["timeout"].set_int64_param(20'000);
  ASSERT_TRUE(stream.Write(request));
  EXPECT_THAT(stream.Read().error_message(),
              HasSubstr("Request timeout expired"));
  holder.Release();
  EXPECT_TRUE(stream.End().ok());
}

TEST(StreamInferCallTest, ShutdownAnswersEveryRequestThatWasRead) {
  constexpr std::size_t kRequests = 20;
  GrpcFixture grpc({.slots = 1});
  SlotHolder holder(*grpc.loaded().model());
  ClientStream stream(grpc);
  for (std::size_t i = 0; i < kRequests; ++i) {
    ASSERT_TRUE(stream.Write(StreamRequest(std::to_string(i))));
  }
  AwaitQueue(grpc, kRequests);
  int lost = -1;
  std::thread shutdown([&] { lost = grpc.server().Shutdown(kAnHour); });
  while (!grpc.health().closed()) {
    std::this_thread::yield();
  }
  holder.Release();
  for (std::size_t i = 0; i < kRequests; ++i) {
    EXPECT_EQ(stream.ReadId(), std::to_string(i));
  }
  EXPECT_EQ(stream.Read().error_message(), "end");
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  shutdown.join();
  EXPECT_EQ(lost, 0);
}

TEST(StreamInferCallTest, ShutdownCountsWhatTookTooLong) {
  GrpcFixture grpc({.slots = 1});
  SlotHolder holder(*grpc.loaded().model());
  ClientStream stream(grpc);
  ASSERT_TRUE(stream.Write(StreamRequest("a")));
  ASSERT_TRUE(stream.Write(StreamRequest("b")));
  AwaitQueue(grpc, 2);
  int lost = -1;
  std::thread shutdown(
      [&] { lost = grpc.server().Shutdown(std::chrono::milliseconds(50)); });
  EXPECT_EQ(stream.Read().error_message(), "end");
  holder.Release();
  shutdown.join();
  EXPECT_EQ(lost, 2);
}

TEST(StreamInferCallTest, IdleStreamDoesNotHoldUpAShutdown) {
  GrpcFixture grpc;
  ClientStream stream(grpc);
  ASSERT_TRUE(stream.Write(StreamRequest("a")));
  EXPECT_EQ(stream.ReadId(), "a");
  EXPECT_EQ(grpc.server().Shutdown(kAnHour), 0);
  EXPECT_EQ(stream.Read().error_message(), "end");
  EXPECT_EQ(stream.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(StreamInferCallTest, StreamsAreUsedAgainAndAgain) {
  GrpcFixture grpc({}, /*threads=*/1);
  for (int i = 0; i < 30; ++i) {
    ClientStream stream(grpc);
    for (int k = 0; k < i % 7; ++k) {
      ASSERT_TRUE(stream.Write(StreamRequest(std::to_string(k))));
    }
    if (i % 3 == 0) {
      stream.Cancel();
      stream.Finish();
      continue;
    }
    for (int k = 0; k < i % 7; ++k) {
      ASSERT_EQ(stream.ReadId(), std::to_string(k));
    }
    ASSERT_TRUE(stream.End().ok());
  }
}

TEST(StreamInferCallTest, ManyStreamsAndCallsAtOnceAreAllAnswered) {
  constexpr int kStreams = 6;
  constexpr int kRequests = 200;
  GrpcFixture grpc;
  std::vector<std::thread> clients;
  std::vector<int> right(kStreams, 0);
  for (int i = 0; i < kStreams; ++i) {
    clients.emplace_back([&, i] {
      ClientStream stream(grpc);
      std::thread writer([&] {
        for (int k = 0; k < kRequests; ++k) {
          // Every fifth is wrong.
          stream.Write(StreamRequest(std::to_string(k), k % 5));
        }
      });
      for (int k = 0; k < kRequests; ++k) {
        const auto answer = stream.Read();
        const bool good = answer.error_message().empty() == (k % 5 != 0);
        right[static_cast<std::size_t>(i)] +=
            good && answer.infer_response().id() == std::to_string(k) ? 1 : 0;
        if (k % 10 == 0) {
          EXPECT_TRUE(grpc.Infer(DigitsRequest()).first.ok());
        }
      }
      writer.join();
      EXPECT_TRUE(stream.End().ok());
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_THAT(right, testing::Each(kRequests));
}

}  // namespace
}  // namespace relu
