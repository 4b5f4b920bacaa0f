#include "client/infer_result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/infer_message.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Outputs "y" FP32 [1,2] = 1, 2 and "label" INT64 [1] = 7.
InferResult TwoOutputs() {
  auto message = std::make_unique<inference::ModelInferResponse>();
  message->set_model_name("model");
  message->set_model_version("3");
  message->set_id("id");
  auto& y = *message->add_outputs();
  y.set_name("y");
  y.set_datatype("FP32");
  y.add_shape(1);
  y.add_shape(2);
  const float values[] = {1.0F, 2.0F};
  message->add_raw_output_contents(values, sizeof(values));
  auto& label = *message->add_outputs();
  label.set_name("label");
  label.set_datatype("INT64");
  label.add_shape(1);
  const std::int64_t seven = 7;
  message->add_raw_output_contents(&seven, sizeof(seven));
  return FromMessage(std::move(message)).value();
}

TEST(InferResultTest, NamesAreThoseOfTheAnswer) {
  const InferResult result = TwoOutputs();
  EXPECT_EQ(result.model(), "model");
  EXPECT_EQ(result.version(), "3");
  EXPECT_EQ(result.id(), "id");
}

TEST(InferResultTest, ParametersHaveTheirTypes) {
  auto message = std::make_unique<inference::ModelInferResponse>();
  auto& parameters = *message->mutable_parameters();
  parameters["flag"].set_bool_param(true);
  parameters["rows"].set_int64_param(-3);
  parameters["size"].set_uint64_param(4);
  parameters["share"].set_double_param(0.5);
  parameters["text"].set_string_param("why");
  parameters["none"];
  const InferResult result = FromMessage(std::move(message)).value();
  EXPECT_EQ(result.Parameter("flag"), InferParameter(true));
  EXPECT_EQ(result.Parameter("rows"), InferParameter(std::int64_t{-3}));
  EXPECT_EQ(result.Parameter("size"), InferParameter(std::uint64_t{4}));
  EXPECT_EQ(result.Parameter("share"), InferParameter(0.5));
  EXPECT_EQ(result.Parameter("text"), InferParameter(std::string("why")));
  EXPECT_EQ(result.Parameter("none"), std::nullopt);
  EXPECT_EQ(result.Parameter("other"), std::nullopt);
}

TEST(InferResultTest, OutputsKeepTheirOrderAndShape) {
  const InferResult result = TwoOutputs();
  ASSERT_EQ(result.outputs().size(), 2U);
  EXPECT_EQ(result.outputs()[0].name, "y");
  EXPECT_THAT(result.outputs()[0].shape, ElementsAre(1, 2));
  EXPECT_EQ(result.outputs()[1].name, "label");
}

TEST(InferResultTest, ValuesAreTyped) {
  const InferResult result = TwoOutputs();
  EXPECT_THAT(result.Values<float>("y").value(), ElementsAre(1.0F, 2.0F));
  EXPECT_THAT(result.Values<std::int64_t>("label").value(), ElementsAre(7));
}

TEST(InferResultTest, ValuesStayInPlaceWhenMoved) {
  InferResult result = TwoOutputs();
  const std::span<const float> values = result.Values<float>("y").value();
  const InferResult moved = std::move(result);
  EXPECT_EQ(moved.Values<float>("y").value().data(), values.data());
  EXPECT_THAT(values, ElementsAre(1.0F, 2.0F));
}

TEST(InferResultTest, ValuesOfAnotherTypeAreInvalidArgument) {
  const InferResult result = TwoOutputs();
  const absl::Status status = result.Values<double>("y").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "output \"y\": holds FP32, the caller wants FP64");
}

TEST(InferResultTest, UnknownOutputIsNotFoundAndNamesWhatThereIs) {
  const InferResult result = TwoOutputs();
  const absl::Status status = result.Output("z").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"y\", \"label\""));
  EXPECT_EQ(result.Values<float>("z").status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace relu
