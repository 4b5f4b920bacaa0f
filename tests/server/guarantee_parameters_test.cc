#include "server/guarantee_parameters.h"

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "gtest/gtest.h"

#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "proto/relu.pb.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/rest_fixture.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::string Parameter(const std::string& key, const std::string& value) {
  return fmt::format(
      "parameters {{ key: \"{}\" value {{ string_value: \"{}\" }} }}\n", key,
      value);
}

LoadedRepository::Options WithConfig(const std::string& config) {
  return {.config = config};
}

std::string Domain(const std::string& policy) {
  return Parameter("input_domain.input", "[0, 1]") +
         Parameter("domain_policy", policy);
}

// Sets pixel `element` of row `row`, of 64.
void SetPixel(std::size_t row, std::size_t element, float value,
              inference::ModelInferRequest& request) {
  std::memcpy(request.mutable_raw_input_contents(0)->data() +
                  (row * 64 + element) * sizeof(float),
              &value, sizeof(float));
}

// Rows 1 and 2 of three are outside.
inference::ModelInferRequest OutsideRequest() {
  inference::ModelInferRequest request = DigitsRequest(3);
  SetPixel(1, 5, 200, request);
  SetPixel(2, 0, -1, request);
  return request;
}

std::string RestBody(const std::string& pixel) {
  std::string pixels = pixel;
  for (int i = 1; i < 64; ++i) {
    pixels += ",0.5";
  }
  return fmt::format(
      R"({{"inputs":[{{"name":"input","datatype":"FP32","shape":[1,64],)"
      R"("data":[{}]}}]}})",
      pixels);
}

TEST(GuaranteeParametersTest, OnlyWhatWasFoundIsSaid) {
  inference::ModelInferResponse response;
  AddGuaranteeParameters({.nonfinite_output_rows = 3}, response);
  ASSERT_THAT(response.parameters(), SizeIs(1));
  EXPECT_EQ(
      response.parameters().at("relu_nonfinite_output_rows").int64_param(), 3);
}

TEST(GuaranteeParametersTest, EverythingIsSaidThatWasFound) {
  inference::ModelInferResponse response;
  AddGuaranteeParameters({.nonfinite_input_rows = 1,
                          .nonfinite_output_rows = 2,
                          .outside_rows = 2,
                          .listed_rows = {0, 7},
                          .first_outside = "text",
                          .clamped = true},
                         response);
  const auto& parameters = response.parameters();
  ASSERT_THAT(parameters, SizeIs(6));
  EXPECT_EQ(parameters.at("relu_nonfinite_input_rows").int64_param(), 1);
  EXPECT_EQ(parameters.at("relu_out_of_domain_rows").int64_param(), 2);
  EXPECT_EQ(parameters.at("relu_out_of_domain_row_list").string_param(), "0,7");
  EXPECT_EQ(parameters.at("relu_out_of_domain_first").string_param(), "text");
  EXPECT_TRUE(parameters.at("relu_clamped").bool_param());
}

TEST(GuaranteeParametersTest, FieldsSayTheSameOfItems) {
  GuaranteeFindings findings{.nonfinite_input_rows = 5,
                             .nonfinite_output_rows = 2,
                             .nonfinite_shared_values = 1,
                             .outside_rows = 2,
                             .listed_rows = {0, 7},
                             .first_outside = "text"};
  v1::RankFindings flagged;
  SetGuaranteeFields(findings, flagged);
  EXPECT_EQ(flagged.nonfinite_items(), 5);
  EXPECT_EQ(flagged.nonfinite_shared_values(), 1);
  EXPECT_EQ(flagged.nonfinite_outputs(), 2);
  EXPECT_EQ(flagged.out_of_domain_items(), 2);
  EXPECT_THAT(flagged.out_of_domain_list(), ElementsAre(0, 7));
  EXPECT_EQ(flagged.out_of_domain_first(), "text");
  EXPECT_EQ(flagged.clamped_items(), 0);
  findings.clamped = true;
  v1::RankFindings moved;
  SetGuaranteeFields(findings, moved);
  EXPECT_EQ(moved.clamped_items(), 2);
  v1::ExplainFindings explained;
  SetGuaranteeFields(findings, explained);
  EXPECT_EQ(explained.out_of_domain_rows(), 2);
  EXPECT_THAT(explained.out_of_domain_list(), ElementsAre(0, 7));
  EXPECT_EQ(explained.out_of_domain_first(), "text");
  EXPECT_EQ(explained.clamped_rows(), 2);
}

TEST(GuaranteeParametersTest, GrpcRejectsWithTheInputAndWhatWasWanted) {
  GrpcFixture grpc(WithConfig(Domain("reject")));
  const grpc::Status status = grpc.Infer(OutsideRequest()).first;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(),
            "input \"input\": row 1, element 5 is 200, the domain of input is "
            "[0, 1]");
  EXPECT_TRUE(grpc.Infer(DigitsRequest(3)).first.ok());
  const std::string text = grpc.loaded().metrics().Text();
  EXPECT_THAT(text, HasSubstr("reason=\"out_of_domain\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("relu_out_of_domain_rows_total{"
                              "model=\"digits_mlp\",version=\"1\"} 2\n"));
}

TEST(GuaranteeParametersTest, GrpcFlagsAndAnswersTheSameBits) {
  GrpcFixture plain;
  GrpcFixture flagging(WithConfig(Domain("flag")));
  const auto expected = plain.Infer(OutsideRequest());
  const auto [status, response] = flagging.Infer(OutsideRequest());
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(expected.second.parameters(), IsEmpty());
  EXPECT_EQ(response.raw_output_contents(0),
            expected.second.raw_output_contents(0));
  EXPECT_EQ(response.parameters().at("relu_out_of_domain_rows").int64_param(),
            2);
  EXPECT_EQ(
      response.parameters().at("relu_out_of_domain_row_list").string_param(),
      "1,2");
  // What was said of one request is not said of the next.
  EXPECT_THAT(flagging.Infer(DigitsRequest(3)).second.parameters(), IsEmpty());
}

TEST(GuaranteeParametersTest, GrpcClampAnswersTheNearestRow) {
  GrpcFixture grpc(WithConfig(Domain("clamp")));
  inference::ModelInferRequest nearest = DigitsRequest(3);
  SetPixel(1, 5, 1, nearest);
  SetPixel(2, 0, 0, nearest);
  const auto expected = grpc.Infer(nearest);
  const auto [status, response] = grpc.Infer(OutsideRequest());
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.raw_output_contents(0),
            expected.second.raw_output_contents(0));
  EXPECT_THAT(expected.second.parameters(), IsEmpty());
  EXPECT_TRUE(response.parameters().at("relu_clamped").bool_param());
}

TEST(GuaranteeParametersTest, TypedContentsAreCheckedToo) {
  GrpcFixture grpc(WithConfig(Domain("clamp")));
  inference::ModelInferRequest typed = DigitsRequest(1);
  typed.clear_raw_input_contents();
  for (int i = 0; i < 64; ++i) {
    typed.mutable_inputs(0)->mutable_contents()->add_fp32_contents(
        i == 3 ? -4.0F : 0.0F);
  }
  const auto [status, response] = grpc.Infer(typed);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_THAT(
      response.parameters().at("relu_out_of_domain_first").string_param(),
      HasSubstr("element 3 is -4"));
}

TEST(GuaranteeParametersTest, GrpcFlagsNanWithoutAnyConfiguration) {
  GrpcFixture grpc;
  inference::ModelInferRequest request = DigitsRequest(4);
  SetPixel(2, 9, kNan, request);
  const auto [status, response] = grpc.Infer(request);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.parameters().at("relu_nonfinite_input_rows").int64_param(),
            1);
  EXPECT_EQ(
      response.parameters().at("relu_nonfinite_output_rows").int64_param(), 1);
  float answer = 0.0F;
  std::memcpy(&answer, response.raw_output_contents(0).data() + 2 * 40,
              sizeof(answer));
  EXPECT_TRUE(std::isnan(answer));
  EXPECT_THAT(grpc.loaded().metrics().Text(),
              HasSubstr("relu_nonfinite_values_total{model=\"digits_mlp\","
                        "version=\"1\",tensor=\"input\",kind=\"nan\"} 1\n"));
}

TEST(GuaranteeParametersTest, GrpcRefusesNanInInputsAndInOutputs) {
  inference::ModelInferRequest request = DigitsRequest(4);
  SetPixel(2, 9, kNan, request);
  for (const std::string side : {"input", "output"}) {
    GrpcFixture grpc(
        WithConfig(Parameter("nonfinite_" + side + "s", "reject")));
    const grpc::Status status = grpc.Infer(request).first;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr(side + " \""));
    EXPECT_THAT(status.error_message(), HasSubstr("row 2, element"));
    EXPECT_THAT(grpc.loaded().metrics().Text(),
                HasSubstr("reason=\"nonfinite\"} 1\n"));
    EXPECT_TRUE(grpc.Infer(DigitsRequest(4)).first.ok());
  }
}

TEST(GuaranteeParametersTest, StreamsFlagAndRejectEachRequest) {
  GrpcFixture grpc(
      WithConfig(Domain("flag") + Parameter("nonfinite_outputs", "reject")));
  grpc::ClientContext context;
  SetFarDeadline(context);
  const auto stream = grpc.stub().ModelStreamInfer(&context);
  inference::ModelInferRequest bad = DigitsRequest(1);
  SetPixel(0, 0, kNan, bad);
  ASSERT_TRUE(stream->Write(OutsideRequest()));
  ASSERT_TRUE(stream->Write(bad));
  ASSERT_TRUE(stream->Write(DigitsRequest(1)));
  stream->WritesDone();
  inference::ModelStreamInferResponse first;
  inference::ModelStreamInferResponse second;
  inference::ModelStreamInferResponse third;
  ASSERT_TRUE(stream->Read(&first) && stream->Read(&second) &&
              stream->Read(&third));
  EXPECT_EQ(first.infer_response()
                .parameters()
                .at("relu_out_of_domain_rows")
                .int64_param(),
            2);
  EXPECT_THAT(second.error_message(), HasSubstr("row 0, element"));
  EXPECT_EQ(third.error_message(), "");
  EXPECT_FALSE(
      third.infer_response().parameters().contains("relu_out_of_domain_rows"));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST(GuaranteeParametersTest, RestRejectsFlagsAndClamps) {
  for (const std::string policy : {"reject", "flag", "clamp"}) {
    RestFixture rest(WithConfig(Domain(policy)));
    const HttpResponse response =
        rest.Post("/v2/models/digits_mlp/infer", RestBody("3.5"));
    const nlohmann::json json = nlohmann::json::parse(response.body);
    if (policy == "reject") {
      EXPECT_EQ(response.status, 400);
      EXPECT_THAT(json["error"].get<std::string>(),
                  HasSubstr("row 0, element 0 is 3.5, the domain of input is "
                            "[0, 1]"));
      continue;
    }
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(json["parameters"]["relu_out_of_domain_rows"], 1);
    EXPECT_EQ(json["parameters"]["relu_out_of_domain_row_list"], "0");
    EXPECT_EQ(json["parameters"].contains("relu_clamped"), policy == "clamp");
    const HttpResponse good =
        rest.Post("/v2/models/digits_mlp/infer", RestBody("0.5"));
    EXPECT_EQ(good.status, 200);
    EXPECT_THAT(good.body, Not(HasSubstr("relu_")));
  }
}

}  // namespace
}  // namespace relu
