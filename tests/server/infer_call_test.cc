#include "server/infer_call.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"

#include "core/batching/scheduler.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;

constexpr char kMethod[] = "/inference.GRPCInferenceService/ModelInfer";

void WaitForRequests(GrpcFixture& grpc, const std::string& code, double count) {
  while (grpc.Requests("digits_mlp", code) < count) {
    std::this_thread::yield();
  }
}

TEST(InferCallTest, RawRequestIsAnsweredRaw) {
  GrpcFixture grpc;
  inference::ModelInferRequest request = DigitsRequest(3);
  request.set_id("seven");
  const auto [status, response] = grpc.Infer(request);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.id(), "seven");
  EXPECT_EQ(response.model_name(), "digits_mlp");
  EXPECT_EQ(response.model_version(), "1");
  ASSERT_EQ(response.outputs_size(), 1);
  EXPECT_EQ(response.raw_output_contents(0).size(), 120U);
}

TEST(InferCallTest, TypedRequestIsAnsweredWithTheSameBits) {
  GrpcFixture grpc;
  inference::ModelInferRequest typed = DigitsRequest(1, 5);
  typed.clear_raw_input_contents();
  for (int i = 0; i < 64; ++i) {
    typed.mutable_inputs(0)->mutable_contents()->add_fp32_contents(5 / 1000.0F);
  }
  const auto raw = grpc.Infer(DigitsRequest(1, 5));
  const auto answer = grpc.Infer(typed);
  ASSERT_TRUE(answer.first.ok()) << answer.first.error_message();
  EXPECT_EQ(answer.second.SerializeAsString(), raw.second.SerializeAsString());
}

TEST(InferCallTest, RequestLargerThanABatchIsAnsweredWhole) {
  GrpcFixture grpc;
  const auto many = grpc.Infer(DigitsRequest(200));
  ASSERT_TRUE(many.first.ok()) << many.first.error_message();
  const auto last = grpc.Infer(DigitsRequest(1, 199));
  EXPECT_EQ(many.second.raw_output_contents(0).substr(199 * 40),
            last.second.raw_output_contents(0));
}

TEST(InferCallTest, ErrorsHaveTheirCodeAndMessage) {
  GrpcFixture grpc;
  inference::ModelInferRequest request = DigitsRequest();
  request.set_model_name("nope");
  const grpc::Status unknown = grpc.Infer(request).first;
  EXPECT_EQ(unknown.error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(unknown.error_message(),
            "Request for unknown model: 'nope' is not found");
  EXPECT_EQ(grpc.Infer(DigitsRequest(0)).first.error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST(InferCallTest, MessageOfAnErrorIsOneBoundedLine) {
  GrpcFixture grpc;
  inference::ModelInferRequest request = DigitsRequest();
  request.mutable_inputs(0)->set_name(std::string(1 << 20, '\n'));
  const grpc::Status status = grpc.Infer(request).first;
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_LT(status.error_message().size(), 2100U);
  EXPECT_EQ(status.error_message().find('\n'), std::string::npos);
}

TEST(InferCallTest, MalformedBytesReturnInvalidArgument) {
  GrpcFixture grpc;
  for (const std::string& bytes :
       {std::string("\xff\xff\xff\x01"), std::string("\x0a\x7f"),
        // A model name that is not UTF-8.
        std::string("\x0a\x02\xff\xfe")}) {
    const grpc::Status status = grpc.Call(kMethod, bytes).first;
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(),
                HasSubstr(std::to_string(bytes.size()) +
                          " bytes is no inference.ModelInferRequest"));
  }
  EXPECT_TRUE(grpc.Infer(DigitsRequest()).first.ok());
}

TEST(InferCallTest, CallsAreUsedAgainAndAgain) {
  GrpcFixture grpc({}, /*threads=*/1);
  const std::string expected =
      grpc.Infer(DigitsRequest()).second.SerializeAsString();
  // More than are kept waiting, and with errors between them.
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(grpc.Infer(DigitsRequest(i % 2)).first.ok(), i % 2 == 1);
  }
  EXPECT_EQ(grpc.Infer(DigitsRequest()).second.SerializeAsString(), expected);
}

TEST(InferCallTest, DeadlineThatPassesInTheQueueEndsTheRequest) {
  GrpcFixture grpc({.slots = 1});
  SlotHolder holder(*grpc.loaded().model());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(50));
  inference::ModelInferResponse response;
  const grpc::Status status =
      grpc.stub().ModelInfer(&context, DigitsRequest(), &response);
  EXPECT_EQ(status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  holder.Release();
}

TEST(InferCallTest, TimeoutOfTheRequestIsAnsweredByTheServer) {
  // At once, though the only slot stays busy.
  GrpcFixture grpc({.slots = 1});
  SlotHolder holder(*grpc.loaded().model());
  inference::ModelInferRequest request = DigitsRequest();
  (*request.mutable_parameters())["timeout"].set_int64_param(20'000);
  const grpc::Status status = grpc.Infer(request).first;
  EXPECT_EQ(status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(status.error_message(), HasSubstr("Request timeout expired"));
  EXPECT_EQ(grpc.Requests("digits_mlp", "DEADLINE_EXCEEDED"), 1);
  holder.Release();
}

TEST(InferCallTest, RequestOfAClientThatLeftLeavesTheQueue) {
  GrpcFixture grpc({.slots = 1}, /*threads=*/1);
  SlotHolder holder(*grpc.loaded().model());
  Scheduler& scheduler = grpc.loaded().model()->scheduler();
  grpc::ClientContext context;
  SetFarDeadline(context);
  grpc::Status status;
  std::thread call([&] {
    inference::ModelInferResponse response;
    status = grpc.stub().ModelInfer(&context, DigitsRequest(), &response);
  });
  while (scheduler.queue_size() < 1) {
    std::this_thread::yield();
  }
  context.TryCancel();
  call.join();
  EXPECT_EQ(status.error_code(), StatusCode::CANCELLED);
  // The slot is still busy.
  while (scheduler.queue_size() > 0) {
    std::this_thread::yield();
  }
  WaitForRequests(grpc, "CANCELLED", 1);
  holder.Release();
}

TEST(InferCallTest, RequestOverTheQueueLimitReturnsUnavailable) {
  GrpcFixture grpc(
      {.slots = 1,
       .config = "dynamic_batching { default_queue_policy { max_queue_size: 1 "
                 "} }"});
  SlotHolder holder(*grpc.loaded().model());
  grpc::Status first;
  std::thread call([&] { first = grpc.Infer(DigitsRequest()).first; });
  while (grpc.loaded().model()->scheduler().queue_size() < 1) {
    std::this_thread::yield();
  }
  grpc::ClientContext context;
  SetFarDeadline(context);
  inference::ModelInferResponse response;
  const grpc::Status second =
      grpc.stub().ModelInfer(&context, DigitsRequest(), &response);
  EXPECT_EQ(second.error_code(), StatusCode::UNAVAILABLE);
  EXPECT_THAT(second.error_message(), HasSubstr("Exceeds maximum queue size"));
  // When to come again.
  const auto pushback =
      context.GetServerTrailingMetadata().find("grpc-retry-pushback-ms");
  ASSERT_NE(pushback, context.GetServerTrailingMetadata().end());
  EXPECT_EQ(std::string(pushback->second.data(), pushback->second.size()), "1");
  holder.Release();
  call.join();
  EXPECT_TRUE(first.ok()) << first.error_message();
}

TEST(InferCallTest, FinishedCallsAreCounted) {
  GrpcFixture grpc;
  ASSERT_TRUE(grpc.Infer(DigitsRequest()).first.ok());
  ASSERT_FALSE(grpc.Infer(DigitsRequest(0)).first.ok());
  EXPECT_EQ(grpc.Requests("digits_mlp", "OK"), 1);
  EXPECT_EQ(grpc.Requests("digits_mlp", "INVALID_ARGUMENT"), 1);
}

}  // namespace
}  // namespace relu
