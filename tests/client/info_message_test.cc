#include "client/info_message.h"

#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/server_info.h"
#include "nlohmann/json.hpp"
#include "proto/inference.pb.h"

namespace relu {
namespace {

using std::chrono::nanoseconds;
using testing::HasSubstr;

TEST(InfoMessageTest, StatisticsAreTakenOver) {
  inference::ModelStatisticsResponse message;
  auto& model = *message.add_model_stats();
  model.set_name("m");
  model.set_version("2");
  model.set_inference_count(100);
  model.set_execution_count(10);
  auto& stats = *model.mutable_inference_stats();
  stats.mutable_success()->set_count(50);
  stats.mutable_success()->set_ns(5'000);
  stats.mutable_queue()->set_ns(1);
  stats.mutable_compute_input()->set_ns(2);
  stats.mutable_compute_infer()->set_ns(3);
  stats.mutable_compute_output()->set_ns(4);
  stats.mutable_fail()->set_count(7);
  auto& batch = *model.add_batch_stats();
  batch.set_batch_size(16);
  batch.mutable_compute_infer()->set_count(9);
  const auto models = FromMessage(message);
  ASSERT_EQ(models.size(), 1U);
  const ModelStatistics& got = models[0];
  EXPECT_EQ(got.name, "m");
  EXPECT_EQ(got.version, "2");
  EXPECT_EQ(got.inference_count, 100U);
  EXPECT_EQ(got.execution_count, 10U);
  EXPECT_EQ(got.success.count, 50U);
  EXPECT_EQ(got.success.time, nanoseconds(5'000));
  EXPECT_EQ(got.queue.time, nanoseconds(1));
  EXPECT_EQ(got.compute_input.time, nanoseconds(2));
  EXPECT_EQ(got.compute_infer.time, nanoseconds(3));
  EXPECT_EQ(got.compute_output.time, nanoseconds(4));
  EXPECT_EQ(got.fail.count, 7U);
  ASSERT_EQ(got.batches.size(), 1U);
  EXPECT_EQ(got.batches[0].batch_size, 16U);
  EXPECT_EQ(got.batches[0].compute_infer.count, 9U);
}

TEST(InfoMessageTest, ConfigIsTextAndJsonWithTheNamesOfTheFile) {
  inference::ModelConfigResponse message;
  message.mutable_config()->set_name("m");
  message.mutable_config()->set_max_batch_size(8);
  const auto config = FromMessage(message);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->text, HasSubstr("max_batch_size: 8"));
  EXPECT_EQ(nlohmann::json::parse(config->json)["max_batch_size"], 8);
}

TEST(InfoMessageTest, LoadHasItsConfigAndFilesAsParameters) {
  const auto message = ToMessage(
      "m", {.config_json = "{}", .files = {{"1/model.onnx", "bytes"}}});
  EXPECT_EQ(message.model_name(), "m");
  EXPECT_EQ(message.parameters().at("config").string_param(), "{}");
  EXPECT_EQ(message.parameters().at("file:1/model.onnx").bytes_param(),
            "bytes");
  EXPECT_TRUE(ToMessage("m", {}).parameters().empty());
}

}  // namespace
}  // namespace relu
