#include "server/arrived_calls.h"

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/scheduler.h"
#include "core/metrics/model_metrics.h"
#include "proto/relu.pb.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

inference::ModelInferRequest OneIrisRequest() {
  inference::ModelInferRequest request;
  request.set_model_name("iris_argmax");
  AddRawInput(request, "input", "FP32", {1, 4}, std::vector<float>(4));
  return request;
}

TEST(ArrivedCallsTest, CallsThatWaitedRunAsOneBatch) {
  constexpr std::size_t kCalls = 10;
  // Preferred sizes count, and not what batches were measured to cost.
  GrpcFixture grpc(
      {.slots = 1, .config = "dynamic_batching { preferred_batch_size: 10 }"});
  const auto model = grpc.loaded().model();
  const std::uint64_t batches_before = model->metrics().Read().batches;
  SlotHolder holder(*model);
  std::vector<std::thread> calls;
  std::vector<int> codes(kCalls, -1);
  for (std::size_t i = 0; i < kCalls; ++i) {
    calls.emplace_back(
        [&, i] { codes[i] = grpc.Infer(DigitsRequest()).first.error_code(); });
  }
  while (model->scheduler().queue_size() < kCalls) {
    std::this_thread::yield();
  }
  holder.Release();
  for (std::thread& call : calls) {
    call.join();
  }
  EXPECT_THAT(codes, testing::Each(grpc::StatusCode::OK));
  // That of the holder, and one.
  EXPECT_EQ(model->metrics().Read().batches - batches_before, 2U);
}

TEST(ArrivedCallsTest, RowsThatWereServedAreLookedAt) {
  GrpcFixture grpc({.config = "parameters { key: 'activity_sample_every' value "
                              "{ string_value: '1' } }"});
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(grpc.Infer(DigitsRequest()).first.ok());
  }
  v1::GetActivityRequest request;
  request.set_model_name("digits_mlp");
  const auto [status, bytes] = grpc.Call("/relu.v1.ReluService/GetActivity",
                                         request.SerializeAsString());
  ASSERT_TRUE(status.ok()) << status.error_message();
  v1::GetActivityResponse response;
  ASSERT_TRUE(response.ParseFromString(bytes));
  EXPECT_EQ(static_cast<std::uint64_t>(response.sampled_rows()),
            grpc.loaded().model()->metrics().Read().rows);
  EXPECT_GE(response.sampled_rows(), 40);
}

TEST(ArrivedCallsTest, BusyModelDoesNotHoldUpAnother) {
  // One thread: what it has read goes to both models.
  GrpcFixture grpc({.models = {"digits_mlp", "iris_argmax"}, .slots = 1},
                   /*threads=*/1);
  SlotHolder holder(*grpc.loaded().model("digits_mlp"));
  grpc::Status digits;
  std::thread call([&] { digits = grpc.Infer(DigitsRequest()).first; });
  while (grpc.loaded().model("digits_mlp")->scheduler().queue_size() < 1) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(grpc.Infer(OneIrisRequest()).first.ok());
  holder.Release();
  call.join();
  EXPECT_TRUE(digits.ok()) << digits.error_message();
}

TEST(ArrivedCallsTest, MixedModelsAndErrorsAreAllAnswered) {
  constexpr int kThreads = 6;
  GrpcFixture grpc({.models = {"digits_mlp", "iris_argmax"}}, /*threads=*/1);
  std::vector<std::thread> threads;
  std::vector<int> wrong(kThreads, 0);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int call = 0; call < 100; ++call) {
        int& errors = wrong[static_cast<std::size_t>(i)];
        errors += grpc.Infer(DigitsRequest()).first.ok() ? 0 : 1;
        errors += grpc.Infer(OneIrisRequest()).first.ok() ? 0 : 1;
        errors += grpc.Infer(DigitsRequest(0)).first.ok() ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(wrong, testing::Each(0));
}

}  // namespace
}  // namespace relu
