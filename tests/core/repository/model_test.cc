#include "core/repository/model.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"

#include "core/base/thread_team.h"
#include "core/batching/inference_request.h"
#include "core/metrics/metrics.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/tensor.h"
#include "tests/core/repository/temp_repository.h"
#include "tests/support/reference_model.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ModelOptions Options(const std::string& model) {
  ModelOptions options;
  options.name = model;
  options.version = 3;
  options.file = TempRepository::ModelFile(model);
  return options;
}

// Sends all rows of the reference as one request; returns the first output of
// type float.
absl::Status Infer(Model& model, const ReferenceModel& reference,
                   std::vector<Tensor>& outputs) {
  InferenceRequest request;
  for (const TensorSignature& input : model.compiled().inputs()) {
    const Tensor& rows = reference.inputs.find(input.name)->second;
    request.rows = rows.shape()[0];
    request.inputs.push_back(rows.bytes().data());
  }
  for (const TensorSignature& output : model.compiled().outputs()) {
    const Tensor& wanted = reference.outputs.find(output.name)->second;
    outputs.emplace_back(wanted.type(), wanted.shape());
    request.outputs.push_back(outputs.back().bytes().data());
  }
  absl::Status result = absl::UnknownError("not done");
  request.done = [&result](const absl::Status& status) { result = status; };
  InferenceRequest* const requests[] = {&request};
  model.scheduler().Submit(requests);
  model.scheduler().Drain();
  return result;
}

TEST(ModelTest, BatchSharedAmongATeamHasTheSameBits) {
  const absl::StatusOr<ReferenceModel> reference =
      LoadReference("tests/testdata/models/mnist_256x128");
  ASSERT_TRUE(reference.ok()) << reference.status();
  Metrics metrics("1");
  ThreadTeam team(3);
  ModelOptions options = Options("mnist_256x128");
  const absl::StatusOr<std::shared_ptr<Model>> alone =
      Model::Load(options, metrics);
  ASSERT_TRUE(alone.ok()) << alone.status();
  options.team = &team;
  const absl::StatusOr<std::shared_ptr<Model>> shared =
      Model::Load(options, metrics);
  ASSERT_TRUE(shared.ok()) << shared.status();

  std::vector<Tensor> wanted;
  std::vector<Tensor> found;
  ASSERT_TRUE(Infer(**alone, *reference, wanted).ok());
  ASSERT_TRUE(Infer(**shared, *reference, found).ok());

  ASSERT_TRUE(std::ranges::equal(wanted[0].bytes(), found[0].bytes()));
}

TEST(ModelTest, AnswersAreThoseOfTheReference) {
  const absl::StatusOr<ReferenceModel> reference =
      LoadReference("tests/testdata/models/digits_mlp");
  ASSERT_TRUE(reference.ok()) << reference.status();
  Metrics metrics("1");
  ModelOptions options = Options("digits_mlp");
  options.max_batch_rows = 24;  // The rows are split.
  const absl::StatusOr<std::shared_ptr<Model>> model =
      Model::Load(options, metrics);
  ASSERT_TRUE(model.ok()) << model.status();

  std::vector<Tensor> outputs;
  const absl::Status status = Infer(**model, *reference, outputs);

  ASSERT_TRUE(status.ok()) << status;
  const auto wanted = reference->outputs.find("output")->second.As<float>();
  const auto found = std::as_const(outputs[0]).As<float>();
  const double tolerance = reference->tolerances.find("output")->second;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_LE(std::fabs(wanted[i] - found[i]), tolerance) << i;
  }
}

TEST(ModelTest, BatchesAreObserved) {
  const absl::StatusOr<ReferenceModel> reference =
      LoadReference("tests/testdata/models/digits_mlp");
  ASSERT_TRUE(reference.ok()) << reference.status();
  const std::int64_t rows = reference->inputs.find("input")->second.shape()[0];
  Metrics metrics("1");
  ModelOptions options = Options("digits_mlp");
  options.max_batch_rows = 24;
  const absl::StatusOr<std::shared_ptr<Model>> model =
      Model::Load(options, metrics);
  ASSERT_TRUE(model.ok()) << model.status();
  // The runs that warm the model up are not counted.
  ASSERT_EQ((*model)->metrics().Read().batches, 0U);

  std::vector<Tensor> outputs;
  ASSERT_TRUE(Infer(**model, *reference, outputs).ok());

  const ModelFigures figures = (*model)->metrics().Read();
  // Smaller ones than it may take, where they were measured to be as good.
  EXPECT_GE(figures.batches, static_cast<std::uint64_t>((rows + 23) / 24));
  EXPECT_EQ(figures.rows, static_cast<std::uint64_t>(rows));
  const std::string text = metrics.Text();
  const std::string labels = "{model=\"digits_mlp\",version=\"3\"} ";
  EXPECT_THAT(text, HasSubstr("relu_batch_rows_sum" + labels +
                              std::to_string(rows) + "\n"));
  EXPECT_THAT(text, HasSubstr("relu_compute_seconds_count" + labels +
                              std::to_string(figures.batches) + "\n"));
}

TEST(ModelTest, LoadTellsWhatItWasAskedFor) {
  Metrics metrics("1");

  const absl::StatusOr<std::shared_ptr<Model>> model =
      Model::Load(Options("iris_argmax"), metrics);

  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->name(), "iris_argmax");
  EXPECT_EQ((*model)->version(), 3);
  EXPECT_EQ((*model)->max_request_rows(), 0);
  EXPECT_EQ((*model)->max_batch_rows(), 64);
  EXPECT_EQ((*model)->slots(), 1);
  ASSERT_EQ((*model)->compiled().inputs().size(), 1U);
  EXPECT_EQ((*model)->compiled().inputs()[0].name, "input");
}

TEST(ModelTest, ConfigComesBeforeTheServersDefaults) {
  Metrics metrics("1");
  ModelOptions options = Options("iris_argmax");
  options.config.max_batch_size = 8;
  options.config.slots = 3;

  const absl::StatusOr<std::shared_ptr<Model>> model =
      Model::Load(options, metrics);

  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->max_request_rows(), 8);
  EXPECT_EQ((*model)->max_batch_rows(), 8);
  EXPECT_EQ((*model)->slots(), 3);
}

TEST(ModelTest, ServersLimitOfABatchHoldsBelowMaxBatchSize) {
  Metrics metrics("1");
  ModelOptions options = Options("iris_argmax");
  options.config.max_batch_size = 1'000'000'000;
  options.max_batch_rows = 16;

  const absl::StatusOr<std::shared_ptr<Model>> model =
      Model::Load(options, metrics);

  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->max_request_rows(), 1'000'000'000);
  EXPECT_EQ((*model)->max_batch_rows(), 16);
}

TEST(ModelTest, QueueLimitOfTheConfigHolds) {
  Metrics metrics("1");
  ModelOptions options = Options("iris_argmax");
  options.config.batching.default_queue_policy.max_queue_size = 1;
  const absl::StatusOr<std::shared_ptr<Model>> model =
      Model::Load(options, metrics);
  ASSERT_TRUE(model.ok()) << model.status();
  const std::vector<std::byte> input(16);
  InferenceRequest first;
  InferenceRequest second;
  absl::Status second_status;
  for (InferenceRequest* request : {&first, &second}) {
    request->rows = 1;
    request->inputs = {input.data()};
    request->outputs = {nullptr, nullptr};
  }
  first.done = [](const absl::Status&) {};
  second.done = [&](const absl::Status& status) { second_status = status; };

  // They arrive together: the second finds the first waiting.
  InferenceRequest* const requests[] = {&first, &second};
  (*model)->scheduler().Submit(requests);

  EXPECT_EQ(second_status.code(), absl::StatusCode::kUnavailable);
}

TEST(ModelTest, EveryReferenceModelLoads) {
  for (const std::filesystem::path& folder :
       ReferenceFolders("tests/testdata/models")) {
    Metrics metrics("1");

    const absl::StatusOr<std::shared_ptr<Model>> model =
        Model::Load(Options(folder.filename().string()), metrics);

    EXPECT_TRUE(model.ok()) << folder << ": " << model.status();
  }
}

TEST(ModelTest, LoadOfMissingFileIsNotFoundWithModelAndFile) {
  Metrics metrics("1");
  ModelOptions options = Options("iris_argmax");
  options.file = "tests/testdata/models/none.onnx";

  const absl::Status status = Model::Load(options, metrics).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(
      status.message(),
      "model \"iris_argmax\": tests/testdata/models/none.onnx: no such file");
}

TEST(ModelTest, LoadOfBadFileIsInvalidWithModelAndFile) {
  const TempRepository repository;
  Metrics metrics("1");
  ModelOptions options = Options("iris_argmax");
  options.file = repository.Write("bad.onnx", "this is no model");

  const absl::Status status = Model::Load(options, metrics).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(status.message()),
      StartsWith("model \"iris_argmax\": " + options.file.string() + ": "));
}

TEST(ModelTest, LoadOfModelThatContradictsItsConfigIsInvalid) {
  Metrics metrics("1");
  ModelOptions options = Options("iris_argmax");
  options.config.inputs = {{.name = "x", .type = std::nullopt, .dims = {}}};

  const absl::Status status = Model::Load(options, metrics).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(options.file.string()),
                    HasSubstr("input \"x\", the model has \"input\"")));
}

}  // namespace
}  // namespace relu
