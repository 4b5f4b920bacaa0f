// Models whose rows depend on each other, and models without a batch dimension,
// from the messages of a client to the answers.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "core/repository/model.h"
#include "proto/inference.pb.h"
#include "server/inference_handlers.h"
#include "server/v2_codec.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CoupledModelTest : public testing::Test {
 protected:
  // Decodes, runs and answers.
  absl::Status Infer(const ModelInferRequest& message) {
    Model& model = *loaded_.model(message.model_name());
    ConvertedInputs converted;
    InferenceRequest request;
    absl::Status status = DecodeRequest(
        message, model, /*shared_memory=*/nullptr, converted, request);
    if (status.ok()) {
      status = PrepareResponse(message, model, /*max_bytes=*/1 << 20, request,
                               response_);
    }
    if (!status.ok()) {
      return status;
    }
    request.done = [&status](const absl::Status& result) { status = result; };
    InferenceRequest* const requests[] = {&request};
    model.scheduler().Submit(requests);
    model.scheduler().Drain();
    return status;
  }

  std::vector<float> Answer() const {
    const std::string& raw = response_.raw_output_contents(0);
    std::vector<float> values(raw.size() / sizeof(float));
    raw.copy(reinterpret_cast<char*>(values.data()), raw.size());
    return values;
  }

  LoadedRepository loaded_{
      LoadedRepository::Options{.models = {}, .coupled_models = true}};
  ModelInferResponse response_;
};

ModelInferRequest CoupledRequest(const std::vector<std::int64_t>& shape) {
  ModelInferRequest message;
  message.set_model_name("coupled");
  AddRawInput(message, "x", "FP32", shape,
              std::vector<float>(static_cast<std::size_t>(shape[0] * 2)));
  return message;
}

ModelInferRequest StaticRequest(const std::vector<std::int64_t>& shape) {
  ModelInferRequest message;
  message.set_model_name("static");
  AddRawInput(message, "a", "FP32", shape,
              std::vector<float>{1, 2, 3, 4, 5, 6});
  AddRawInput(message, "b", "FP32", {3}, std::vector<float>{10, 20, 30});
  return message;
}

TEST_F(CoupledModelTest, RowsOfARequestAreComputedTogether) {
  ASSERT_TRUE(Infer(CoupledRequest({4, 2})).ok());
  EXPECT_THAT(response_.outputs(0).shape(), ElementsAre(4, 2));
  EXPECT_THAT(Answer(),
              ElementsAre(0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25));
}

TEST_F(CoupledModelTest, MoreRowsThanABatchReturnInvalidArgument) {
  EXPECT_TRUE(Infer(CoupledRequest({64, 2})).ok());
  const absl::Status status = Infer(CoupledRequest({65, 2}));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("<= 64"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("65 rows"));
}

TEST_F(CoupledModelTest, ModelWithoutBatchTakesAndGivesItsOwnShapes) {
  ASSERT_TRUE(Infer(StaticRequest({2, 3})).ok());
  EXPECT_THAT(response_.outputs(0).shape(), ElementsAre(2, 3));
  EXPECT_THAT(Answer(), ElementsAre(11, 22, 33, 14, 25, 36));
}

TEST_F(CoupledModelTest, ModelWithoutBatchRefusesOtherShapes) {
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{1, 6}, {2, 3, 1}, {1, 2, 3}, {6}}) {
    const absl::Status status = Infer(StaticRequest(shape));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("expected [2,3]"));
  }
}

TEST_F(CoupledModelTest, MetadataTellsTheShapes) {
  const InferenceHandlers handlers(loaded_.repository(), true);
  inference::ModelMetadataRequest request;
  inference::ModelMetadataResponse response;
  request.set_name("static");
  ASSERT_TRUE(handlers.ModelMetadata(request, response).ok());
  EXPECT_THAT(response.inputs(0).shape(), ElementsAre(2, 3));
  EXPECT_THAT(response.inputs(1).shape(), ElementsAre(3));
  request.set_name("coupled");
  response.Clear();
  ASSERT_TRUE(handlers.ModelMetadata(request, response).ok());
  EXPECT_THAT(response.outputs(0).shape(), ElementsAre(-1, 2));
}

TEST_F(CoupledModelTest, ModelsSayHowTheyAreScheduled) {
  const std::shared_ptr<Model> coupled = loaded_.model("coupled");
  EXPECT_TRUE(coupled->compiled().couples_rows());
  EXPECT_EQ(coupled->max_request_rows(), 64);
  EXPECT_EQ(loaded_.model("static")->max_batch_rows(), 1);
}

}  // namespace
}  // namespace relu
