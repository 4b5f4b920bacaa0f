#include "client/explain_message.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/explain.h"
#include "proto/relu.pb.h"

namespace relu {
namespace {

using ::testing::ElementsAre;

TEST(ExplainMessageTest, TheMethodIsThatOfTheService) {
  const auto* const service =
      v1::ExplainRequest::descriptor()->file()->service(0);
  EXPECT_EQ(kExplainMethod,
            "/" + service->full_name() + "/" + service->method(0)->name());
}

TEST(ExplainMessageTest, EveryFieldOfTheRequestIsSent) {
  const ExplainRequest request{
      .model = "m",
      .version = "2",
      .inputs = {{.name = "x", .shape = {1, 2}, .data = {0.5, -1}}},
      .baseline = {{.name = "x", .shape = {1, 2}, .data = {3, 4}}},
      .output = "y",
      .elements = {7, 0},
      .method = ExplainMethod::kIntegratedGradients,
      .top_k = 3};
  v1::ExplainRequest message;
  ASSERT_TRUE(message.ParseFromString(EncodeExplainRequest(request)));
  EXPECT_EQ(message.model_name(), "m");
  EXPECT_EQ(message.model_version(), "2");
  EXPECT_EQ(message.inputs(0).name(), "x");
  EXPECT_THAT(message.inputs(0).shape(), ElementsAre(1, 2));
  EXPECT_THAT(message.inputs(0).data(), ElementsAre(0.5, -1));
  EXPECT_THAT(message.baseline(0).data(), ElementsAre(3, 4));
  EXPECT_EQ(message.output(), "y");
  EXPECT_THAT(message.elements(), ElementsAre(7, 0));
  EXPECT_EQ(message.attribution(), v1::ATTRIBUTION_INTEGRATED_GRADIENTS);
  EXPECT_EQ(message.top_k(), 3U);
}

TEST(ExplainMessageTest, EachMethodHasItsAttribution) {
  const auto attribution = [](ExplainMethod method) {
    v1::ExplainRequest message;
    ExplainRequest request;
    request.method = method;
    EXPECT_TRUE(message.ParseFromString(EncodeExplainRequest(request)));
    return message.attribution();
  };
  EXPECT_EQ(attribution(ExplainMethod::kGradient), v1::ATTRIBUTION_GRADIENT);
  EXPECT_EQ(attribution(ExplainMethod::kExactIntegratedGradients),
            v1::ATTRIBUTION_EXACT_INTEGRATED_GRADIENTS);
}

TEST(ExplainMessageTest, EveryFieldOfTheAnswerIsRead) {
  v1::ExplainResponse message;
  message.set_model_name("m");
  message.set_model_version("2");
  message.set_output("y");
  message.set_explained("z");
  message.set_link("Sigmoid");
  v1::Explanation& explanation = *message.add_explanations();
  explanation.set_row(1);
  explanation.set_element(2);
  explanation.set_value(3);
  explanation.set_answer(4);
  explanation.set_baseline_value(5);
  explanation.set_intercept(6);
  explanation.set_remainder(7);
  explanation.set_kinks(8);
  explanation.set_pieces(9);
  v1::Contribution& contribution = *explanation.add_contributions();
  contribution.set_input("x");
  contribution.set_element(10);
  contribution.set_value(11);
  contribution.set_baseline(12);
  contribution.set_gradient(13);
  contribution.set_contribution(14);
  const auto result = DecodeExplainResponse(message.SerializeAsString());
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->model_name, "m");
  EXPECT_EQ(result->model_version, "2");
  EXPECT_EQ(result->output, "y");
  EXPECT_EQ(result->explained, "z");
  EXPECT_EQ(result->link, "Sigmoid");
  const ExplainedElement& explained = result->explanations.at(0);
  EXPECT_EQ(explained.row, 1);
  EXPECT_EQ(explained.element, 2);
  EXPECT_EQ(explained.value, 3);
  EXPECT_EQ(explained.answer, 4);
  EXPECT_EQ(explained.baseline_value, 5);
  EXPECT_EQ(explained.intercept, 6);
  EXPECT_EQ(explained.remainder, 7);
  EXPECT_EQ(explained.kinks, 8);
  EXPECT_EQ(explained.pieces, 9);
  const InputContribution& part = explained.contributions.at(0);
  EXPECT_EQ(part.input, "x");
  EXPECT_EQ(part.element, 10);
  EXPECT_EQ(part.value, 11);
  EXPECT_EQ(part.baseline, 12);
  EXPECT_EQ(part.gradient, 13);
  EXPECT_EQ(part.contribution, 14);
}

TEST(ExplainMessageTest, EveryFindingIsRead) {
  v1::ExplainResponse message;
  EXPECT_EQ(DecodeExplainResponse(message.SerializeAsString())
                ->findings.out_of_domain_rows,
            0);
  v1::ExplainFindings& sent = *message.mutable_findings();
  sent.set_out_of_domain_rows(1);
  sent.add_out_of_domain_list(2);
  sent.set_out_of_domain_first("text");
  sent.set_clamped_rows(3);
  const auto result = DecodeExplainResponse(message.SerializeAsString());
  EXPECT_EQ(result->findings.out_of_domain_rows, 1);
  EXPECT_EQ(result->findings.out_of_domain_list,
            std::vector<std::int64_t>({2}));
  EXPECT_EQ(result->findings.out_of_domain_first, "text");
  EXPECT_EQ(result->findings.clamped_rows, 3);
}

TEST(ExplainMessageTest, OtherBytesAreInternal) {
  EXPECT_EQ(DecodeExplainResponse("\xFF").status().code(),
            absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace relu
