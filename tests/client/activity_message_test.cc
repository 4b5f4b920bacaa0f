#include "client/activity_message.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/activity.h"
#include "proto/relu.pb.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(ActivityMessageTest, TheMethodIsThatOfTheService) {
  const auto* const service =
      v1::GetActivityRequest::descriptor()->file()->service(0);
  const auto* const method = service->FindMethodByName("GetActivity");
  ASSERT_NE(method, nullptr);
  EXPECT_EQ(kActivityMethod, "/" + service->full_name() + "/" + method->name());
}

TEST(ActivityMessageTest, EveryFieldOfTheRequestIsSent) {
  v1::GetActivityRequest message;
  ASSERT_TRUE(message.ParseFromString(
      EncodeActivityRequest({.model = "m", .version = "2", .top_k = 3})));
  EXPECT_EQ(message.model_name(), "m");
  EXPECT_EQ(message.model_version(), "2");
  EXPECT_EQ(message.top_k(), 3U);
}

v1::GetActivityResponse FullResponse() {
  v1::GetActivityResponse message;
  message.set_model_name("m");
  message.set_model_version("2");
  message.set_sample_every(3);
  message.set_sampled_rows(4);
  message.set_nonfinite_rows(5);
  message.set_skipped_rows(6);
  message.set_unseen_bound(0.7);
  message.set_window_rows(8);
  message.set_windows(9);
  message.set_drifted_windows(10);
  message.set_baseline_rows(11);
  message.set_false_alarm_rate(0.12);
  message.set_input_score(13.5);
  message.set_input_threshold(14.5);
  message.set_drift(true);
  v1::LayerActivity& layer = *message.add_layers();
  layer.set_name("relu1");
  layer.set_function("Relu");
  layer.add_firing_rate(0.25);
  layer.add_mean(1.5);
  layer.add_largest(9);
  layer.set_sparsity(0.75);
  layer.set_dead(1);
  layer.set_always_on(2);
  layer.set_saturated(3);
  layer.set_firing_score(4);
  layer.set_firing_threshold(5);
  layer.set_magnitude_score(6);
  layer.set_magnitude_threshold(7);
  layer.add_firing_shift(-8);
  layer.add_magnitude_shift(9);
  v1::MovedNeuron& neuron = *layer.add_moved();
  neuron.set_neuron(17);
  neuron.set_firing_rate(0.5);
  neuron.set_baseline_firing_rate(0.25);
  neuron.set_mean(3);
  neuron.set_baseline_mean(2);
  v1::Contribution& cause = *neuron.add_causes();
  cause.set_input("x");
  cause.set_element(1);
  cause.set_value(10);
  cause.set_baseline(8);
  cause.set_gradient(0.5);
  cause.set_contribution(1);
  v1::Contribution& origin = *neuron.add_origins();
  origin = cause;
  origin.set_element(2);
  origin.set_contribution(1.5);
  neuron.set_sum_shift(18);
  neuron.set_origin_remainder(19);
  v1::InputActivity& input = *message.add_inputs();
  input.set_name("x");
  input.add_features("age");
  input.add_mean(1);
  input.add_variance(2);
  input.add_baseline_mean(3);
  input.add_baseline_variance(4);
  input.add_mean_shift(5);
  input.add_spread_shift(6);
  input.add_score(7);
  return message;
}

TEST(ActivityMessageTest, EveryFieldOfTheAnswerIsRead) {
  const auto read = DecodeActivityResponse(FullResponse().SerializeAsString());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->model_name, "m");
  EXPECT_EQ(read->model_version, "2");
  EXPECT_EQ(read->sample_every, 3);
  EXPECT_EQ(read->sampled_rows, 4);
  EXPECT_EQ(read->nonfinite_rows, 5);
  EXPECT_EQ(read->skipped_rows, 6);
  EXPECT_EQ(read->unseen_bound, 0.7);
  EXPECT_EQ(read->window_rows, 8);
  EXPECT_EQ(read->windows, 9);
  EXPECT_EQ(read->drifted_windows, 10);
  EXPECT_EQ(read->baseline_rows, 11);
  EXPECT_EQ(read->false_alarm_rate, 0.12);
  EXPECT_EQ(read->input_score, 13.5);
  EXPECT_EQ(read->input_threshold, 14.5);
  EXPECT_TRUE(read->drift);
}

TEST(ActivityMessageTest, EveryFieldOfALayerIsRead) {
  const auto read = DecodeActivityResponse(FullResponse().SerializeAsString());
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->layers.size(), 1U);
  const LayerActivity& layer = read->layers[0];
  EXPECT_EQ(layer.name, "relu1");
  EXPECT_EQ(layer.function, "Relu");
  EXPECT_THAT(layer.firing_rate, ElementsAre(0.25));
  EXPECT_THAT(layer.mean, ElementsAre(1.5));
  EXPECT_THAT(layer.largest, ElementsAre(9));
  EXPECT_EQ(layer.sparsity, 0.75);
  EXPECT_EQ(layer.dead, 1);
  EXPECT_EQ(layer.always_on, 2);
  EXPECT_EQ(layer.saturated, 3);
  EXPECT_EQ(layer.firing_score, 4);
  EXPECT_EQ(layer.firing_threshold, 5);
  EXPECT_EQ(layer.magnitude_score, 6);
  EXPECT_EQ(layer.magnitude_threshold, 7);
  EXPECT_THAT(layer.firing_shift, ElementsAre(-8));
  EXPECT_THAT(layer.magnitude_shift, ElementsAre(9));
  ASSERT_EQ(layer.moved.size(), 1U);
  const MovedNeuron& neuron = layer.moved[0];
  EXPECT_EQ(neuron.neuron, 17);
  EXPECT_EQ(neuron.firing_rate, 0.5);
  EXPECT_EQ(neuron.baseline_firing_rate, 0.25);
  EXPECT_EQ(neuron.mean, 3);
  EXPECT_EQ(neuron.baseline_mean, 2);
  ASSERT_EQ(neuron.causes.size(), 1U);
  EXPECT_EQ(neuron.causes[0].source, "x");
  EXPECT_EQ(neuron.causes[0].element, 1);
  EXPECT_EQ(neuron.causes[0].mean, 10);
  EXPECT_EQ(neuron.causes[0].baseline_mean, 8);
  EXPECT_EQ(neuron.causes[0].weight, 0.5);
  EXPECT_EQ(neuron.causes[0].moved_by, 1);
  ASSERT_EQ(neuron.origins.size(), 1U);
  EXPECT_EQ(neuron.origins[0].element, 2);
  EXPECT_EQ(neuron.origins[0].moved_by, 1.5);
  EXPECT_EQ(neuron.sum_shift, 18);
  EXPECT_EQ(neuron.origin_remainder, 19);
}

TEST(ActivityMessageTest, EveryFieldOfAnInputIsRead) {
  const auto read = DecodeActivityResponse(FullResponse().SerializeAsString());
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->inputs.size(), 1U);
  const InputActivity& input = read->inputs[0];
  EXPECT_EQ(input.name, "x");
  EXPECT_THAT(input.features, ElementsAre("age"));
  EXPECT_THAT(input.mean, ElementsAre(1));
  EXPECT_THAT(input.variance, ElementsAre(2));
  EXPECT_THAT(input.baseline_mean, ElementsAre(3));
  EXPECT_THAT(input.baseline_variance, ElementsAre(4));
  EXPECT_THAT(input.mean_shift, ElementsAre(5));
  EXPECT_THAT(input.spread_shift, ElementsAre(6));
  EXPECT_THAT(input.score, ElementsAre(7));
}

TEST(ActivityMessageTest, FeaturesHaveTheirNamesOrThatOfTheInput) {
  InputActivity input;
  input.name = "x";
  EXPECT_EQ(input.FeatureName(1), "x[1]");
  input.features = {"age", "income"};
  EXPECT_EQ(input.FeatureName(1), "income");
}

TEST(ActivityMessageTest, OtherBytesAreNoAnswer) {
  EXPECT_EQ(DecodeActivityResponse("\xff").status().code(),
            absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace relu
