#include "server/relu_handlers.h"

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/model_metrics.h"
#include "core/repository/model.h"
#include "proto/relu.pb.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/rank_testing.h"

namespace relu {
namespace {

using ::testing::HasSubstr;

void AddRows(google::protobuf::RepeatedPtrField<v1::InputRows>& field,
             const std::string& name, const std::vector<std::int64_t>& shape,
             const std::vector<double>& data) {
  v1::InputRows& rows = *field.Add();
  rows.set_name(name);
  rows.mutable_shape()->Add(shape.begin(), shape.end());
  rows.mutable_data()->Add(data.begin(), data.end());
}

// Two rows of the credit model, and a baseline.
v1::ExplainRequest CreditRequest() {
  v1::ExplainRequest request;
  request.set_model_name("credit_embed");
  AddRows(*request.mutable_inputs(), "dense", {2, 9},
          {14, 48, 46, 60, 100, 3000, 0, 800, 1651, 1, 48, 42, 94, 192, 0, 0,
           1350, 1819});
  AddRows(*request.mutable_inputs(), "cat", {2, 4}, {0, 2, 1, 1, 6, 2, 1, 1});
  return request;
}

void AddBaseline(v1::ExplainRequest& request) {
  AddRows(*request.mutable_baseline(), "cat", {1, 4}, {2, 2, 1, 1});
  AddRows(*request.mutable_baseline(), "dense", {1, 9},
          {8, 48, 37, 56, 130, 5000, 0, 1000, 1400});
}

double Sum(const v1::Explanation& explanation) {
  double sum = 0;
  for (const v1::Contribution& contribution : explanation.contributions()) {
    sum += contribution.contribution();
  }
  return sum;
}

class ReluHandlersTest : public testing::Test {
 protected:
  v1::ExplainResponse Explain(const v1::ExplainRequest& request) {
    v1::ExplainResponse response;
    const absl::Status status = handlers_.Explain(request, response);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }

  absl::Status ErrorOf(const v1::ExplainRequest& request) {
    v1::ExplainResponse response;
    const absl::Status status = handlers_.Explain(request, response);
    EXPECT_EQ(response.ByteSizeLong(), 0U);
    return status;
  }

  LoadedRepository loaded_{
      {.models = {"credit_embed", "digits_leaky_prelu_elu", "digits_mlp"},
       .coupled_models = true}};
  ReluHandlers handlers_{loaded_.repository()};
};

TEST_F(ReluHandlersTest, ExplainsRowsOfAModelWithEmbeddings) {
  const v1::ExplainResponse response = Explain(CreditRequest());
  EXPECT_EQ(response.model_name(), "credit_embed");
  EXPECT_EQ(response.model_version(), "1");
  EXPECT_EQ(response.output(), "prob");
  EXPECT_EQ(response.link(), "Sigmoid");
  EXPECT_THAT(response.explained(), HasSubstr("Gemm"));
  ASSERT_EQ(response.explanations_size(), 2);
  for (const v1::Explanation& explanation : response.explanations()) {
    ASSERT_EQ(explanation.contributions_size(), 13);
    EXPECT_NEAR(explanation.answer(), 1 / (1 + std::exp(-explanation.value())),
                1e-12);
    EXPECT_NEAR(Sum(explanation) + explanation.intercept(), explanation.value(),
                1e-4);
    EXPECT_NEAR(
        Sum(explanation) + explanation.intercept() + explanation.remainder(),
        explanation.value(), 1e-12);
  }
  const v1::Contribution& income = response.explanations(1).contributions(4);
  EXPECT_EQ(income.input(), "dense");
  EXPECT_EQ(income.element(), 4);
  EXPECT_EQ(income.value(), 192);
  EXPECT_EQ(income.contribution(), income.gradient() * 192);
  const v1::Contribution& home = response.explanations(1).contributions(9);
  EXPECT_EQ(home.input(), "cat");
  EXPECT_EQ(home.element(), 0);
  EXPECT_EQ(home.value(), 6);
  EXPECT_EQ(home.gradient(), 0);
  EXPECT_NE(home.contribution(), 0);
}

TEST_F(ReluHandlersTest, ExactIntegratedGradientsAddUp) {
  v1::ExplainRequest request = CreditRequest();
  AddBaseline(request);
  request.set_attribution(v1::ATTRIBUTION_EXACT_INTEGRATED_GRADIENTS);
  const v1::ExplainResponse response = Explain(request);
  for (const v1::Explanation& explanation : response.explanations()) {
    EXPECT_NEAR(explanation.baseline_value() + Sum(explanation),
                explanation.value(), 1e-9);
    EXPECT_GT(explanation.pieces(), 1);
    EXPECT_EQ(explanation.contributions(4).baseline(), 130);
  }
}

TEST_F(ReluHandlersTest, TopKAreTheLargest) {
  v1::ExplainRequest request = CreditRequest();
  AddBaseline(request);
  const v1::ExplainResponse all = Explain(request);
  request.set_top_k(3);
  const v1::ExplainResponse top = Explain(request);
  for (int row = 0; row < 2; ++row) {
    const auto& found = top.explanations(row).contributions();
    ASSERT_EQ(found.size(), 3);
    EXPECT_GE(std::abs(found[0].contribution()),
              std::abs(found[1].contribution()));
    int larger = 0;
    for (const auto& contribution : all.explanations(row).contributions()) {
      larger += std::abs(contribution.contribution()) >
                        std::abs(found[2].contribution())
                    ? 1
                    : 0;
    }
    EXPECT_EQ(larger, 2);
    EXPECT_EQ(top.explanations(row).remainder(),
              all.explanations(row).remainder());
  }
  request.set_top_k(1000);
  const v1::ExplainResponse sorted = Explain(request);
  const auto& found = sorted.explanations(0).contributions();
  ASSERT_EQ(found.size(), 13);
  const auto place = [](const v1::Contribution& contribution) {
    return contribution.element() + (contribution.input() == "cat" ? 9 : 0);
  };
  int equal = 0;
  for (int i = 1; i < found.size(); ++i) {
    const double before = std::abs(found[i - 1].contribution());
    const double after = std::abs(found[i].contribution());
    EXPECT_GE(before, after);
    if (before == after) {  // Those that are as in the baseline.
      ++equal;
      EXPECT_LT(place(found[i - 1]), place(found[i]));
    }
  }
  EXPECT_GT(equal, 1);
}

TEST_F(ReluHandlersTest, ElementsAreThoseAskedFor) {
  v1::ExplainRequest request;
  request.set_model_name("digits_mlp");
  request.set_model_version("1");
  AddRows(*request.mutable_inputs(), "input", {1, 64},
          std::vector<double>(64, 0.25));
  request.add_elements(7);
  request.add_elements(2);
  const v1::ExplainResponse response = Explain(request);
  ASSERT_EQ(response.explanations_size(), 2);
  EXPECT_EQ(response.explanations(0).element(), 7);
  EXPECT_EQ(response.explanations(1).element(), 2);
}

// Of one row of the digits, in one of the ways in which that can be done.
v1::ExplainRequest DigitsExplanation(int number) {
  v1::ExplainRequest request;
  request.set_model_name("digits_mlp");
  AddRows(*request.mutable_inputs(), "input", {1, 64},
          std::vector<double>(64, 0.25));
  AddRows(*request.mutable_baseline(), "input", {1, 64},
          std::vector<double>(64, 0));
  request.set_attribution(static_cast<v1::Attribution>(1 + number % 3));
  request.add_elements(number % 10);
  return request;
}

TEST_F(ReluHandlersTest, AnswersBesideExplanationsHaveTheSameBits) {
  constexpr std::int64_t kRows = 21;
  constexpr int kAnswers = 200;  // Of each thread.
  constexpr int kThreads = 3;
  const std::shared_ptr<Model> model = loaded_.model();
  const std::vector<float> values = RandomFloats(kRows * 64, /*seed=*/5);
  const std::vector<float> first = Answers(*model, kRows, values);
  std::latch start(kThreads + 1);
  std::atomic<int> inferring = kThreads;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      for (int answer = 0; answer < kAnswers; ++answer) {
        const std::vector<float> again = Answers(*model, kRows, values);
        EXPECT_EQ(std::memcmp(again.data(), first.data(),
                              first.size() * sizeof(float)),
                  0);
      }
      --inferring;
    });
  }
  // The first of them makes the explainer, from the model's file.
  start.arrive_and_wait();
  for (int number = 0; number < 30 || inferring > 0; ++number) {
    EXPECT_EQ(Explain(DigitsExplanation(number)).explanations_size(), 1);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(Answers(*model, kRows, values), first);
}

// The answer for the digits, all of whose features are in [0, 1], to a row with
// a feature that is this.
absl::StatusOr<v1::ExplainResponse> ExplainFeature(const std::string& policy,
                                                   double value) {
  LoadedRepository loaded(
      {.config = policy.empty() ? ""
                                : "parameters { key: \"input_domain.input\" "
                                  "value { string_value: \"[0, 1]\" } } "
                                  "parameters { key: \"domain_policy\" "
                                  "value { string_value: \"" +
                                      policy + "\" } }"});
  v1::ExplainRequest request = DigitsExplanation(0);
  // It is compared with what is in no domain.
  request.mutable_baseline(0)->set_data(3, -5);
  request.mutable_inputs(0)->set_data(3, value);
  v1::ExplainResponse response;
  const absl::Status status =
      ReluHandlers(loaded.repository()).Explain(request, response);
  if (!status.ok()) {
    return status;
  }
  return response;
}

TEST(ExplainInDomainTest, ClampExplainsTheNearestRow) {
  const v1::ExplainResponse inside = ExplainFeature("clamp", 1).value();
  v1::ExplainResponse moved = ExplainFeature("clamp", 30).value();
  EXPECT_FALSE(inside.has_findings());
  EXPECT_EQ(moved.findings().out_of_domain_rows(), 1);
  EXPECT_EQ(moved.findings().clamped_rows(), 1);
  moved.clear_findings();
  EXPECT_EQ(moved.SerializeAsString(), inside.SerializeAsString());
}

TEST(ExplainInDomainTest, FlagExplainsTheRowAndSaysSo) {
  const v1::ExplainResponse plain = ExplainFeature("", 30).value();
  v1::ExplainResponse flagged = ExplainFeature("flag", 30).value();
  EXPECT_THAT(flagged.findings().out_of_domain_list(), testing::ElementsAre(0));
  EXPECT_THAT(flagged.findings().out_of_domain_first(),
              HasSubstr("row 0, element 3 is 30"));
  EXPECT_EQ(flagged.findings().clamped_rows(), 0);
  flagged.clear_findings();
  EXPECT_EQ(flagged.SerializeAsString(), plain.SerializeAsString());
}

TEST(ExplainInDomainTest, RejectRefusesTheRow) {
  EXPECT_TRUE(ExplainFeature("reject", 1).ok());
  const absl::Status status = ExplainFeature("reject", 30).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("row 0, element 3 is 30"));
}

TEST_F(ReluHandlersTest, ExplanationsAreCounted) {
  v1::ExplainRequest request = CreditRequest();
  Explain(request);
  request.set_output("nothing");
  EXPECT_FALSE(ErrorOf(request).ok());
  const ModelFigures figures = loaded_.model("credit_embed")->metrics().Read();
  EXPECT_EQ(figures.explanations, 2U);
  EXPECT_EQ(figures.explain.total.count, 1U);
}

TEST_F(ReluHandlersTest, UnknownModelOrOutputIsNotFound) {
  v1::ExplainRequest request = CreditRequest();
  request.set_output("nothing");
  const absl::Status output = ErrorOf(request);
  EXPECT_EQ(output.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(output.message(), HasSubstr("model \"credit_embed\": "));
  request.set_model_name("nope");
  EXPECT_EQ(ErrorOf(request).code(), absl::StatusCode::kNotFound);
}

TEST_F(ReluHandlersTest, RowsThatDoNotFitAreInvalid) {
  v1::ExplainRequest request = CreditRequest();
  request.mutable_inputs()->RemoveLast();
  EXPECT_THAT(ErrorOf(request).message(),
              HasSubstr("input \"cat\" is missing"));
  request = CreditRequest();
  request.mutable_inputs(1)->set_data(0, 1000);
  const absl::Status status = ErrorOf(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("index 1000"));
  request = CreditRequest();
  request.set_attribution(v1::ATTRIBUTION_INTEGRATED_GRADIENTS);
  EXPECT_THAT(ErrorOf(request).message(), HasSubstr("baseline"));
  request.set_attribution(static_cast<v1::Attribution>(9));
  EXPECT_THAT(ErrorOf(request).message(), HasSubstr("attribution 9"));
}

TEST_F(ReluHandlersTest, ModelsWithoutExplanationAreUnimplemented) {
  v1::ExplainRequest request;
  request.set_model_name("digits_leaky_prelu_elu");
  const absl::Status elu = ErrorOf(request);
  EXPECT_EQ(elu.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(elu.message(), HasSubstr("(Elu)"));
  request.set_model_name("coupled");
  EXPECT_EQ(ErrorOf(request).code(), absl::StatusCode::kUnimplemented);
}

TEST_F(ReluHandlersTest, TooMuchIsResourceExhausted) {
  v1::ExplainRequest request;
  request.set_model_name("digits_mlp");
  constexpr std::int64_t kRows = 20'000;
  AddRows(*request.mutable_inputs(), "input", {kRows, 64},
          std::vector<double>(kRows * 64, 0.25));
  const absl::Status status = ErrorOf(request);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("send fewer rows"));
}

}  // namespace
}  // namespace relu
