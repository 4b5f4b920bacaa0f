#include "server/activity_handler.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/batching/inference_request.h"
#include "core/graph/onnx_import.h"
#include "core/metrics/metrics.h"
#include "core/plan/compiled_model.h"
#include "core/relu/activity_baseline.h"
#include "core/relu/activity_calibration.h"
#include "core/repository/model.h"
#include "core/repository/model_repository.h"
#include "core/tensor/tensor.h"
#include "proto/relu.pb.h"
#include "tests/integration/repository_builder.h"
#include "tests/server/loaded_repository.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kWindow = 16;

constexpr char kDigits[] = "tests/testdata/models/digits_mlp/model.onnx";

Tensor DigitRows() {
  const auto reference = LoadReference("tests/testdata/models/digits_mlp");
  CHECK(reference.ok());
  return reference->inputs.begin()->second.Clone();
}

// The file that `reluctl calibrate` writes, of rows of the model's own.
void WriteDigitsBaseline(const std::filesystem::path& file) {
  const auto graph = ImportOnnx(kDigits);
  CHECK(graph.ok());
  const auto model = CompiledModel::Compile(*graph);
  CHECK(model.ok());
  std::vector<Tensor> inputs;
  inputs.push_back(DigitRows());
  const auto baseline = Calibrate(*model, inputs, {.window_rows = kWindow});
  CHECK(baseline.ok());
  v1::GetActivityResponse message;
  message.set_sampled_rows(baseline->rows);
  message.set_window_rows(baseline->window_rows);
  message.set_false_alarm_rate(baseline->false_alarm_rate);
  message.set_input_threshold(baseline->input_threshold);
  for (const LayerBaseline& layer : baseline->layers) {
    v1::LayerActivity& field = *message.add_layers();
    field.set_name(layer.name);
    field.mutable_firing_rate()->Add(layer.rate.begin(), layer.rate.end());
    field.mutable_mean()->Add(layer.mean.begin(), layer.mean.end());
    field.mutable_variance()->Add(layer.variance.begin(), layer.variance.end());
    field.set_firing_threshold(layer.firing_threshold);
    field.set_magnitude_threshold(layer.magnitude_threshold);
  }
  for (const InputBaseline& input : baseline->inputs) {
    v1::InputActivity& field = *message.add_inputs();
    field.set_name(input.name);
    for (std::size_t i = 0; i < input.mean.size(); ++i) {
      field.add_features("pixel " + std::to_string(i));
    }
    field.mutable_mean()->Add(input.mean.begin(), input.mean.end());
    field.mutable_variance()->Add(input.variance.begin(), input.variance.end());
    field.mutable_spread_variance()->Add(input.spread_variance.begin(),
                                         input.spread_variance.end());
    field.mutable_mean_limit()->Add(input.mean_limit.begin(),
                                    input.mean_limit.end());
    field.mutable_spread_limit()->Add(input.spread_limit.begin(),
                                      input.spread_limit.end());
  }
  std::string json;
  CHECK(google::protobuf::util::MessageToJsonString(message, &json).ok());
  std::ofstream(file) << json;
}

// digits_mlp, of which every row is looked at, with a baseline or without.
class WatchedDigits {
 public:
  explicit WatchedDigits(bool calibrated, std::int64_t sample_every = 1) {
    builder_.Add("digits_mlp", kDigits);
    if (calibrated) {
      WriteDigitsBaseline(builder_.folder() /
                          "digits_mlp/1/model.activity.json");
    }
    RepositoryOptions options;
    options.folder = builder_.folder();
    options.activity_sample_every = sample_every;
    auto repository = ModelRepository::Load(options, metrics_);
    CHECK(repository.ok());
    repository_ = *std::move(repository);
  }

  std::shared_ptr<Model> model() {
    auto model = repository_->Find("digits_mlp", "");
    CHECK(model.ok());
    return *std::move(model);
  }

  // `rows` rows from `first` on, with one pixel multiplied.
  void Serve(std::int64_t first, std::int64_t rows, std::size_t pixel = 0,
             float factor = 1.0F) {
    Tensor input = SliceRows(DigitRows(), first, rows);
    const auto pixels = static_cast<std::size_t>(input.shape()[1]);
    for (std::size_t i = pixel; i < input.As<float>().size(); i += pixels) {
      input.As<float>()[i] *= factor;
    }
    std::vector<float> output(static_cast<std::size_t>(rows) * 10);
    InferenceRequest request;
    request.rows = rows;
    request.inputs = {input.bytes().data()};
    request.outputs = {reinterpret_cast<std::byte*>(output.data())};
    request.done = [](const absl::Status& status) { CHECK(status.ok()); };
    InferenceRequest* const requests[] = {&request};
    model()->scheduler().Submit(requests);
    model()->scheduler().Drain();
  }

  v1::GetActivityResponse Get(std::uint32_t top_k = 0) {
    v1::GetActivityRequest request;
    request.set_model_name("digits_mlp");
    request.set_top_k(top_k);
    v1::GetActivityResponse response;
    const absl::Status status = GetActivity(*repository_, request, response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }

  ModelRepository& repository() { return *repository_; }

 private:
  RepositoryBuilder builder_;
  Metrics metrics_{"1"};
  std::unique_ptr<ModelRepository> repository_;
};

TEST(ActivityHandlerTest, WithoutBaselineNeuronsAndInputsAreTold) {
  WatchedDigits digits(/*calibrated=*/false);
  digits.Serve(0, 50);
  digits.Serve(0, 50);
  const v1::GetActivityResponse response = digits.Get();
  EXPECT_EQ(response.model_name(), "digits_mlp");
  EXPECT_EQ(response.model_version(), "1");
  EXPECT_EQ(response.sample_every(), 1);
  EXPECT_EQ(response.sampled_rows(), 100);
  EXPECT_NEAR(response.unseen_bound(), 1 - std::pow(0.05, 0.01), 1e-12);
  EXPECT_EQ(response.baseline_rows(), 0);
  EXPECT_FALSE(response.drift());
  ASSERT_GE(response.layers_size(), 2);
  const v1::LayerActivity& layer = response.layers(0);
  EXPECT_EQ(layer.function(), "Relu");
  ASSERT_GT(layer.firing_rate_size(), 0);
  EXPECT_EQ(layer.mean_size(), layer.firing_rate_size());
  double on = 0;
  for (const double rate : layer.firing_rate()) {
    on += rate;
  }
  EXPECT_NEAR(layer.sparsity(), 1 - on / layer.firing_rate_size(), 1e-12);
  EXPECT_EQ(layer.dead(), std::ranges::count(layer.firing_rate(), 0.0));
  EXPECT_EQ(layer.firing_shift_size(), 0);
  ASSERT_EQ(response.inputs_size(), 1);
  ASSERT_EQ(response.inputs(0).mean_size(), 64);
  double mean = 0;
  const Tensor rows = SliceRows(DigitRows(), 0, 50);
  for (std::size_t i = 20; i < rows.As<float>().size(); i += 64) {
    mean += rows.As<float>()[i] / 50.0;
  }
  EXPECT_NEAR(response.inputs(0).mean(20), mean, 1e-6);
}

TEST(ActivityHandlerTest, RowsOfTheCalibrationHaveNoDrift) {
  WatchedDigits digits(/*calibrated=*/true);
  digits.Serve(0, 64);
  const v1::GetActivityResponse response = digits.Get();
  EXPECT_EQ(response.windows(), 4);
  EXPECT_EQ(response.drifted_windows(), 0);
  EXPECT_EQ(response.baseline_rows(), 64);
  EXPECT_EQ(response.false_alarm_rate(), 0.01);
  EXPECT_FALSE(response.drift());
  EXPECT_EQ(response.layers(0).moved_size(), 0);
  EXPECT_EQ(response.layers(0).firing_shift_size(),
            response.layers(0).firing_rate_size());
  EXPECT_EQ(response.inputs(0).features(3), "pixel 3");
}

TEST(ActivityHandlerTest, DriftLeadsToTheInputThatMoved) {
  WatchedDigits digits(/*calibrated=*/true);
  digits.Serve(0, 64, /*pixel=*/20, /*factor=*/20);
  const v1::GetActivityResponse response = digits.Get(/*top_k=*/3);
  EXPECT_TRUE(response.drift());
  EXPECT_EQ(response.drifted_windows(), 4);
  EXPECT_GT(response.input_score(), response.input_threshold());
  const auto& scores = response.inputs(0).score();
  EXPECT_EQ(std::ranges::max_element(scores) - scores.begin(), 20);
  EXPECT_GT(response.inputs(0).mean(20),
            2 * response.inputs(0).baseline_mean(20));

  const v1::LayerActivity& layer = response.layers(0);
  ASSERT_EQ(layer.moved_size(), 3);
  const v1::MovedNeuron& neuron = layer.moved(0);
  ASSERT_EQ(neuron.causes_size(), 3);
  const v1::Contribution& cause = neuron.causes(0);
  EXPECT_EQ(cause.input(), response.inputs(0).name());
  EXPECT_EQ(cause.element(), 20);
  EXPECT_NEAR(cause.value(), response.inputs(0).mean(20), 1e-9);
  EXPECT_NEAR(cause.contribution(),
              cause.gradient() * (cause.value() - cause.baseline()), 1e-12);
}

// The weights that are named are those of the file: the sums of the first layer
// move by what all their inputs move them.
TEST(ActivityHandlerTest, CausesOfANeuronAddUpToWhatItsSumMovedBy) {
  WatchedDigits digits(/*calibrated=*/true);
  digits.Serve(0, 64, /*pixel=*/20, /*factor=*/20);
  const v1::GetActivityResponse response = digits.Get(/*top_k=*/64);
  const v1::InputActivity& input = response.inputs(0);
  for (const v1::MovedNeuron& neuron : response.layers(0).moved()) {
    ASSERT_EQ(neuron.causes_size(), 64);
    for (int i = 1; i < 64; ++i) {
      EXPECT_GE(std::abs(neuron.causes(i - 1).contribution()),
                std::abs(neuron.causes(i).contribution()));
    }
    for (const v1::Contribution& cause : neuron.causes()) {
      const int element = static_cast<int>(cause.element());
      EXPECT_EQ(cause.baseline(), input.baseline_mean(element));
    }
  }
}

TEST(ActivityHandlerTest, NeuronsOfDeeperLayersAreMovedByThoseBefore) {
  WatchedDigits digits(/*calibrated=*/true);
  digits.Serve(0, 64, /*pixel=*/20, /*factor=*/50);
  const v1::GetActivityResponse response = digits.Get();
  ASSERT_GT(response.layers(1).moved_size(), 0);
  ASSERT_GT(response.layers(1).moved(0).causes_size(), 0);
  EXPECT_EQ(response.layers(1).moved(0).causes(0).input(),
            response.layers(0).name());
}

TEST(ActivityHandlerTest, NeuronsOfDeeperLayersLeadToTheInputBehind) {
  WatchedDigits digits(/*calibrated=*/true);
  digits.Serve(0, 64, /*pixel=*/20, /*factor=*/50);
  const v1::GetActivityResponse response = digits.Get(/*top_k=*/64);
  const v1::InputActivity& input = response.inputs(0);
  ASSERT_GT(response.layers(1).moved_size(), 0);
  for (const v1::MovedNeuron& neuron : response.layers(1).moved()) {
    ASSERT_GT(neuron.origins_size(), 0);
    EXPECT_EQ(neuron.origins(0).input(), input.name());
    EXPECT_EQ(neuron.origins(0).element(), 20);
    // All of them and what is left open are what moved the sum.
    double moved_by = neuron.origin_remainder();
    for (const v1::Contribution& origin : neuron.origins()) {
      const auto element = static_cast<int>(origin.element());
      EXPECT_NEAR(origin.value(), input.mean(element), 1e-9);
      EXPECT_NEAR(origin.contribution(),
                  origin.gradient() * (origin.value() - origin.baseline()),
                  1e-12);
      moved_by += origin.contribution();
    }
    EXPECT_NEAR(moved_by, neuron.sum_shift(), 1e-6);
  }
}

TEST(ActivityHandlerTest, OriginsOfTheFirstLayerAreItsCauses) {
  WatchedDigits digits(/*calibrated=*/true);
  digits.Serve(0, 64, /*pixel=*/20, /*factor=*/20);
  const v1::GetActivityResponse response = digits.Get(/*top_k=*/3);
  ASSERT_EQ(response.layers(0).moved_size(), 3);
  for (const v1::MovedNeuron& neuron : response.layers(0).moved()) {
    ASSERT_EQ(neuron.origins_size(), 3);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(neuron.origins(i).DebugString(),
                neuron.causes(i).DebugString());
    }
    EXPECT_NEAR(neuron.origin_remainder(), 0, 1e-9);
  }
}

TEST(ActivityHandlerTest, ErrorsNameTheModel) {
  WatchedDigits digits(/*calibrated=*/false, /*sample_every=*/0);
  v1::GetActivityRequest request;
  v1::GetActivityResponse response;
  request.set_model_name("none");
  EXPECT_EQ(GetActivity(digits.repository(), request, response).code(),
            absl::StatusCode::kNotFound);
  request.set_model_name("digits_mlp");
  const absl::Status off = GetActivity(digits.repository(), request, response);
  EXPECT_EQ(off.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(off.message()),
              HasSubstr("model \"digits_mlp\": no rows are looked at"));

  LoadedRepository coupled({.coupled_models = true});
  request.set_model_name("coupled");
  EXPECT_EQ(GetActivity(coupled.repository(), request, response).code(),
            absl::StatusCode::kUnimplemented);
  EXPECT_EQ(response.ByteSizeLong(), 0U);
}

// The answers of a server that looks at every row are those of one that looks
// at none.
TEST(ActivityHandlerTest, AnswersHaveTheSameBitsWithAndWithout) {
  WatchedDigits with(/*calibrated=*/true);
  WatchedDigits without(/*calibrated=*/false, /*sample_every=*/0);
  const Tensor input = SliceRows(DigitRows(), 0, 200);
  std::vector<std::vector<float>> answers;
  for (WatchedDigits* const digits : {&with, &without}) {
    std::vector<float>& output = answers.emplace_back(2000);
    InferenceRequest request;
    request.rows = 200;
    request.inputs = {input.bytes().data()};
    request.outputs = {reinterpret_cast<std::byte*>(output.data())};
    request.done = [](const absl::Status& status) { CHECK(status.ok()); };
    InferenceRequest* const requests[] = {&request};
    digits->model()->scheduler().Submit(requests);
    digits->model()->scheduler().Drain();
  }
  EXPECT_EQ(with.Get().sampled_rows(), 200);
  EXPECT_EQ(answers[0], answers[1]);
}

}  // namespace
}  // namespace relu
