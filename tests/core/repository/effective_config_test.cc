#include "core/repository/effective_config.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

#include "core/metrics/metrics.h"
#include "core/repository/model.h"
#include "core/repository/model_config.h"
#include "proto/model_config.pb.h"
#include "tests/core/graph/model_builder.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

class EffectiveConfigTest : public ::testing::Test {
 protected:
  // Of the model in `file`, with this config.pbtxt.
  inference::ModelConfig Effective(const std::filesystem::path& file,
                                   const std::string& text = "") {
    ModelOptions options;
    options.name = "m";
    options.file = file;
    options.slots = 2;
    auto config = ReadModelConfig(files_.Write("m/config.pbtxt", text), "m");
    EXPECT_TRUE(config.ok()) << config.status();
    options.config = *std::move(config);
    options.folder = files_.folder() / "m";
    options.warmup_folder = files_.folder();
    auto model = Model::Load(options, metrics_);
    EXPECT_TRUE(model.ok()) << model.status();
    return EffectiveConfig(**model);
  }

  std::filesystem::path Write(ModelBuilder& builder) {
    return files_.Write("m/1/model.onnx", builder.model().SerializeAsString());
  }

  TempRepository files_;
  Metrics metrics_{"1"};
};

TEST_F(EffectiveConfigTest, WhatIsNotGivenIsFilledIn) {
  const inference::ModelConfig config =
      Effective(TempRepository::ModelFile("iris_argmax"));

  EXPECT_EQ(config.name(), "m");
  EXPECT_EQ(config.platform(), "relu_onnx");
  EXPECT_EQ(config.backend(), "relud");
  EXPECT_EQ(config.max_batch_size(), 64);
  ASSERT_EQ(config.input_size(), 1);
  EXPECT_EQ(config.input(0).name(), "input");
  EXPECT_EQ(config.input(0).data_type(), inference::TYPE_FP32);
  EXPECT_THAT(config.input(0).dims(), ElementsAre(4));
  ASSERT_EQ(config.output_size(), 2);
  EXPECT_EQ(config.output(0).name(), "probabilities");
  EXPECT_EQ(config.output(1).name(), "label");
  EXPECT_EQ(config.output(1).data_type(), inference::TYPE_INT64);
  ASSERT_EQ(config.instance_group_size(), 1);
  EXPECT_EQ(config.instance_group(0).count(), 2);
  EXPECT_EQ(config.instance_group(0).kind(),
            inference::ModelInstanceGroup::KIND_CPU);
  EXPECT_EQ(config.version_policy().latest().num_versions(), 1U);
  EXPECT_EQ(config.default_model_filename(), "model.onnx");
  EXPECT_TRUE(config.has_dynamic_batching());
  EXPECT_EQ(config.parameters().at("weight_storage").string_value(), "float32");
  EXPECT_EQ(config.parameters().at("zero_skip").string_value(), "measured");
  EXPECT_GT(
      std::stoi(config.parameters().at("activity_sample_every").string_value()),
      100);
}

TEST_F(EffectiveConfigTest, WhatIsGivenStays) {
  const inference::ModelConfig config =
      Effective(TempRepository::ModelFile("iris_argmax"), R"(
    platform: "onnxruntime_onnx"
    max_batch_size: 5
    instance_group { count: 3 }
    version_policy { specific { versions: [1, 4] } }
    dynamic_batching { default_queue_policy { max_queue_size: 9 } }
    parameters { key: "zero_skip" value { string_value: "never" } }
    parameters { key: "activity_sample_every" value { string_value: "9" } }
    parameters { key: "version_label.stable" value { string_value: "4" } }
    model_warmup { name: "w" inputs { key: "input" value {
      data_type: TYPE_FP32 dims: 4 random_data: true } } })");

  EXPECT_EQ(config.platform(), "onnxruntime_onnx");
  EXPECT_EQ(config.max_batch_size(), 5);
  EXPECT_EQ(config.instance_group(0).count(), 3);
  EXPECT_THAT(config.version_policy().specific().versions(), ElementsAre(1, 4));
  EXPECT_EQ(config.dynamic_batching().default_queue_policy().max_queue_size(),
            9U);
  EXPECT_EQ(config.parameters().at("zero_skip").string_value(), "never");
  EXPECT_EQ(config.parameters().at("activity_sample_every").string_value(),
            "9");
  EXPECT_EQ(config.parameters().at("version_label.stable").string_value(), "4");
  EXPECT_EQ(config.model_warmup(0).name(), "w");
}

TEST_F(EffectiveConfigTest, FileOfLabelsIsTold) {
  files_.Write("m/labels.txt", "a\nb\nc\n");
  const inference::ModelConfig config = Effective(
      TempRepository::ModelFile("iris_argmax"),
      "output { name: 'probabilities' label_filename: 'labels.txt' }");
  EXPECT_EQ(config.output(0).label_filename(), "labels.txt");
  EXPECT_EQ(config.output(1).label_filename(), "");
}

TEST_F(EffectiveConfigTest, ModelThatCouplesRowsCountsTheBatchInItsDims) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 2}})
      .Node("Softmax", {"x"}, "y", {IntAttributeProto("axis", 0)})
      .Output("y");

  const inference::ModelConfig config = Effective(Write(builder));

  EXPECT_EQ(config.max_batch_size(), 0);
  EXPECT_THAT(config.input(0).dims(), ElementsAre(-1, 2));
  EXPECT_FALSE(config.has_dynamic_batching());
}

TEST_F(EffectiveConfigTest, ModelOfOneNumberOfRowsCountsThemInItsDims) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {3, 2}}).Node("Relu", {"x"}, "y").Output("y");

  const inference::ModelConfig config = Effective(Write(builder));

  EXPECT_EQ(config.max_batch_size(), 0);
  EXPECT_THAT(config.input(0).dims(), ElementsAre(3, 2));
}

// As clients do that read the configuration, change it and load the model.
TEST_F(EffectiveConfigTest, IsReadAgainAsJsonAndAsText) {
  const inference::ModelConfig config =
      Effective(TempRepository::ModelFile("iris_argmax"), R"(
    max_batch_size: 8 dynamic_batching { }
    parameters { key: "version_label.stable" value { string_value: "4" } })");
  std::string json;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(config, &json).ok());
  std::string text;
  ASSERT_TRUE(google::protobuf::TextFormat::PrintToString(config, &text));

  const absl::StatusOr<ModelConfig> of_json = ParseModelConfigJson(json, "m");
  const absl::StatusOr<ModelConfig> of_text =
      ReadModelConfig(files_.Write("again.pbtxt", text), "m");

  ASSERT_TRUE(of_json.ok()) << of_json.status() << json;
  ASSERT_TRUE(of_text.ok()) << of_text.status() << text;
  EXPECT_EQ(LoadKey(*of_json), LoadKey(*of_text));
  EXPECT_EQ(of_json->max_batch_size, 8);
}

}  // namespace
}  // namespace relu
