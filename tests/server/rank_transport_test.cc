// Rank over gRPC and over REST.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "core/batching/scheduler.h"
#include "core/repository/model.h"
#include "proto/relu.pb.h"
#include "server/http/http_message.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/rank_testing.h"
#include "tests/server/rest_fixture.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

constexpr char kRank[] = "/relu.v1.ReluService/Rank";

// A call over gRPC that may take its time.
class Call {
 public:
  Call(GrpcFixture& grpc, const std::string& request,
       std::chrono::milliseconds timeout = std::chrono::minutes(5))
      : stub_(grpc.channel()) {
    context_.set_deadline(std::chrono::system_clock::now() + timeout);
    call_ = stub_.PrepareUnaryCall(&context_, kRank, ToByteBuffer(request),
                                   &queue_);
    call_->StartCall();
    call_->Finish(&answer_, &status_, nullptr);
  }

  grpc::ClientContext& context() { return context_; }

  static void WaitForQueue(Model& model) {
    while (model.scheduler().queue_size() == 0) {
      std::this_thread::yield();
    }
  }

  grpc::Status Wait() {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue_.Next(&tag, &ok));
    return status_;
  }

 private:
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> call_;
  grpc::ByteBuffer answer_;
  grpc::Status status_;
};

TEST(RankOverGrpcTest, AnswersAsTheHandlerDoes) {
  GrpcFixture grpc;
  const DigitItems digits(300, 40, 1);
  v1::RankRequest request = digits.Request();
  request.set_top_k(3);
  const auto [status, bytes] = grpc.Call(kRank, request.SerializeAsString());
  ASSERT_TRUE(status.ok()) << status.error_message();
  v1::RankResponse response;
  ASSERT_TRUE(response.ParseFromString(bytes));
  const std::vector<float> expected =
      Answers(*grpc.loaded().model(), 300, digits.Expanded());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(response.scores(i), expected[response.items(i) * 10 + 3]);
  }
}

TEST(RankOverGrpcTest, ClientThatGoesFreesTheQueue) {
  GrpcFixture grpc;
  const std::shared_ptr<Model> model = grpc.loaded().model();
  SlotHolder first(*model);
  SlotHolder second(*model);
  Call call(grpc, DigitItems(2, 20, 1).Request().SerializeAsString());
  Call::WaitForQueue(*model);
  call.context().TryCancel();
  EXPECT_EQ(call.Wait().error_code(), grpc::StatusCode::CANCELLED);
  while (grpc.Requests("digits_mlp", "CANCELLED") == 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(model->scheduler().queue_size(), 0U);
}

TEST(RankOverGrpcTest, RefusalSaysWhenToComeAgain) {
  GrpcFixture grpc({.config = "dynamic_batching { default_queue_policy { "
                              "max_queue_size: 1 } }"});
  const std::shared_ptr<Model> model = grpc.loaded().model();
  SlotHolder first(*model);
  SlotHolder second(*model);
  const std::string request =
      DigitItems(2, 20, 1).Request().SerializeAsString();
  Call waits(grpc, request);
  waits.WaitForQueue(*model);
  Call refused(grpc, request);
  EXPECT_EQ(refused.Wait().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(refused.context().GetServerTrailingMetadata().count(
                "grpc-retry-pushback-ms"),
            1U);
  first.Release();
  EXPECT_TRUE(waits.Wait().ok());
}

TEST(RankOverGrpcTest, DeadlineOfTheClientEndsTheWait) {
  GrpcFixture grpc;
  const std::shared_ptr<Model> model = grpc.loaded().model();
  SlotHolder first(*model);
  SlotHolder second(*model);
  Call call(grpc, DigitItems(2, 20, 1).Request().SerializeAsString(),
            std::chrono::milliseconds(50));
  EXPECT_EQ(call.Wait().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  while (model->scheduler().queue_size() > 0) {
    std::this_thread::yield();
  }
}

std::string JsonOf(const DigitItems& digits) {
  const nlohmann::json json = {
      {"shared",
       {{{"name", "input"}, {"shape", {1, 60}}, {"data", digits.shared}}}},
      {"items",
       {{{"name", "input"},
         {"shape", {digits.rows, 4}},
         {"data", digits.own}}}},
      {"element", 3},
      {"top_k", 2}};
  return json.dump();
}

TEST(RankOverRestTest, AnswersAsOverGrpc) {
  RestFixture rest;
  const DigitItems digits(5, 60, 1);
  const HttpResponse response =
      rest.Post("/v2/models/digits_mlp/rank", JsonOf(digits));
  ASSERT_EQ(response.status, 200) << response.body;
  const auto json = nlohmann::json::parse(response.body);
  const std::vector<float> expected =
      Answers(*rest.loaded().model(), 5, digits.Expanded());
  ASSERT_EQ(json["items"].size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(json["scores"][i].get<float>(),
              expected[json["items"][i].get<std::size_t>() * 10 + 3]);
  }
  EXPECT_EQ(
      rest.Post("/v2/models/digits_mlp/versions/7/rank", JsonOf(digits)).status,
      404);
}

TEST(RankOverRestTest, FindingsAreThereIfThereAreSome) {
  RestFixture rest({.config = "parameters { key: \"input_domain.input\" "
                              "value { string_value: \"[-3, 3]\" } } "
                              "parameters { key: \"domain_policy\" "
                              "value { string_value: \"clamp\" } }"});
  DigitItems digits(5, 60, 1);
  const std::string path = "/v2/models/digits_mlp/rank";
  EXPECT_FALSE(nlohmann::json::parse(rest.Post(path, JsonOf(digits)).body)
                   .contains("findings"));
  digits.own[3 * 4] = 30;
  const HttpResponse response = rest.Post(path, JsonOf(digits));
  ASSERT_EQ(response.status, 200) << response.body;
  const auto findings = nlohmann::json::parse(response.body)["findings"];
  EXPECT_EQ(findings["out_of_domain_items"], 1);
  EXPECT_EQ(findings["out_of_domain_list"], nlohmann::json({3}));
  EXPECT_EQ(findings["out_of_domain_first"],
            "input \"input\": row 3, element 60 is 30, the domain of input is "
            "[-3, 3]");
  EXPECT_EQ(findings["clamped_items"], 1);
  EXPECT_EQ(findings["nonfinite_items"], 0);
}

TEST(RankOverRestTest, BodiesMayBeLarge) {
  RestFixture rest;
  const DigitItems digits(30'000, 60, 1);
  const std::string body = JsonOf(digits);
  ASSERT_GT(body.size(), 1U << 20U);
  // More than an answer may have here, but no more than a body may.
  const HttpResponse response = rest.Post("/v2/models/digits_mlp/rank", body);
  EXPECT_EQ(response.status, 429) << response.body;
}

TEST(RankOverRestTest, ClientThatGoesFreesTheQueue) {
  RestFixture rest;
  const std::shared_ptr<Model> model = rest.loaded().model();
  SlotHolder first(*model);
  SlotHolder second(*model);
  const auto call = rest.Begin({.method = "POST",
                                .target = "/v2/models/digits_mlp/rank",
                                .body = JsonOf(DigitItems(5, 60, 1))});
  rest.RunArrived();
  EXPECT_EQ(model->scheduler().queue_size(), 1U);
  call->HangUp();
  EXPECT_EQ(model->scheduler().queue_size(), 0U);
  EXPECT_NE(call->Wait().status, 200);
}

TEST(RankOverRestTest, ClientThatGoesAtOnceIsNotWaitedFor) {
  RestFixture rest;
  const auto call = rest.Begin({.method = "POST",
                                .target = "/v2/models/digits_mlp/rank",
                                .body = JsonOf(DigitItems(5, 60, 1))});
  call->HangUp();
  rest.RunArrived();
  EXPECT_NE(call->Wait().status, 200);
}

}  // namespace
}  // namespace relu
