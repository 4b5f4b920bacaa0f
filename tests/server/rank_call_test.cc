#include "server/rank_call.h"

#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/in_flight_bytes.h"
#include "core/batching/inference_request.h"
#include "core/metrics/guarantee_metrics.h"
#include "core/metrics/model_metrics.h"
#include "core/repository/model.h"
#include "core/repository/model_guarantees.h"
#include "proto/relu.pb.h"
#include "server/access_log.h"
#include "server/infer_exchange.h"
#include "server/rpc_table.h"
#include "tests/core/repository/outcome.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/rank_testing.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class RankCallTest : public testing::Test {
 protected:
  absl::StatusOr<v1::RankResponse> Rank(const v1::RankRequest& request,
                                        const Rpc::Caller& caller = {}) {
    return CallRank(environment_, request, caller);
  }

  ModelFigures Figures() { return loaded_.model()->metrics().Read(); }

  LoadedRepository loaded_{{.models = {"digits_mlp", "credit_embed"}}};
  InFlightBytes in_flight_{1 << 20};
  AccessLog access_log_{{.share = 1}};
  InferEnvironment environment_{.repository = loaded_.repository(),
                                .metrics = loaded_.metrics(),
                                .in_flight_bytes = &in_flight_,
                                .max_message_bytes = 1 << 20};
};

TEST_F(RankCallTest, ScoresAreThoseOfFullRowsToTheBit) {
  std::uint32_t seed = 1;
  for (const std::int64_t items : {1, 2, 3, 17, 63, 64, 65, 200, 600}) {
    for (std::size_t shared = 0; shared <= 64; shared += items < 100 ? 8 : 32) {
      const DigitItems digits(items, shared, seed += 2);
      const auto response = Rank(digits.Request());
      ASSERT_TRUE(response.ok()) << response.status();
      const std::vector<float> expected =
          Answers(*loaded_.model(), items, digits.Expanded());
      ASSERT_EQ(response->scores_size(), items);
      EXPECT_EQ(response->items_size(), 0);
      for (int i = 0; i < items; ++i) {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(response->scores(i)),
                  std::bit_cast<std::uint32_t>(
                      expected[static_cast<std::size_t>(i) * 10 + 3]))
            << "item " << i << " of " << items << ", " << shared << " shared";
      }
    }
  }
}

TEST_F(RankCallTest, BestItemsHaveTheirScores) {
  const DigitItems digits(40, 20, 7);
  v1::RankRequest request = digits.Request();
  const v1::RankResponse all = Rank(request).value();
  request.set_top_k(5);
  const v1::RankResponse best = Rank(request).value();
  ASSERT_EQ(best.items_size(), 5);
  ASSERT_EQ(best.scores_size(), 5);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(best.scores(i), all.scores(static_cast<int>(best.items(i))));
    EXPECT_TRUE(i == 0 || best.scores(i) <= best.scores(i - 1));
  }
  EXPECT_EQ(best.model_name(), "digits_mlp");
  EXPECT_EQ(best.model_version(), "1");
  EXPECT_EQ(best.output(), loaded_.model()->compiled().outputs()[0].name);
}

TEST_F(RankCallTest, InputsOfSeveralAreSharedByName) {
  // Two loans to one person.
  v1::RankRequest request;
  request.set_model_name("credit_embed");
  v1::RankTensor& dense = *request.add_shared();
  dense.set_name("dense");
  dense.add_shape(1);
  dense.add_shape(9);
  for (const double value : {14, 48, 46, 60, 100, 3000, 0, 800, 1651}) {
    dense.add_data(value);
  }
  v1::RankTensor& cat = *request.add_items();
  cat.set_name("cat");
  cat.add_shape(2);
  cat.add_shape(4);
  for (const double value : {0, 2, 1, 1, 6, 2, 1, 1}) {
    cat.add_data(value);
  }
  const auto both = Rank(request);
  ASSERT_TRUE(both.ok()) << both.status();
  ASSERT_EQ(both->scores_size(), 2);
  EXPECT_NE(both->scores(0), both->scores(1));
  EXPECT_EQ(both->output(), "prob");
  // Each alone, with nothing shared.
  std::swap(*request.mutable_shared(), *request.mutable_items());
  request.mutable_shared(0)->set_shape(0, 1);
  request.mutable_shared(0)->mutable_data()->Truncate(4);
  EXPECT_EQ(Rank(request)->scores(0), both->scores(0));
}

TEST_F(RankCallTest, ItemWithoutAnswerIsNamed) {
  v1::RankRequest request;
  request.set_model_name("credit_embed");
  AddRaw(*request.mutable_shared(), "dense", 1, std::vector<float>(9));
  v1::RankTensor& cat = *request.add_items();
  cat.set_name("cat");
  cat.add_shape(2);
  cat.add_shape(4);
  for (const double value : {0, 2, 1, 1, 600, 2, 1, 1}) {
    cat.add_data(value);
  }
  const absl::Status status = Rank(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("row 1"));
}

TEST_F(RankCallTest, NanOfAnItemIsToldWithoutAnyConfiguration) {
  DigitItems items(4, 20, 1);
  items.own[2 * 44] = kNanFeature;
  const absl::StatusOr<v1::RankResponse> response = Rank(items.Request());
  ASSERT_TRUE(response.ok());
  EXPECT_TRUE(std::isnan(response->scores(2)));
  EXPECT_EQ(response->findings().nonfinite_items(), 1);
  EXPECT_EQ(response->findings().nonfinite_shared_values(), 0);
  EXPECT_EQ(response->findings().nonfinite_outputs(), 1);
  EXPECT_EQ(Figures().guarantees.inputs.rows, 1U);
  EXPECT_EQ(Figures().guarantees.inputs.nans, 1U);
  EXPECT_EQ(Figures().guarantees.outputs.rows, 1U);
  // What was said of one call is not said of the next.
  EXPECT_FALSE(Rank(DigitItems(4, 20, 1).Request())->has_findings());
}

TEST_F(RankCallTest, SharedInfinityIsCountedAsInFullRows) {
  DigitItems items(4, 20, 1);
  items.shared[7] = std::numeric_limits<float>::infinity();
  items.own[44] = kNanFeature;
  const absl::StatusOr<v1::RankResponse> response = Rank(items.Request());
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->findings().nonfinite_items(), 4);
  EXPECT_EQ(response->findings().nonfinite_shared_values(), 1);
  const GuaranteeFigures ranked = Figures().guarantees;
  // Beside these, the same of ModelInfer.
  std::vector<float> rows = items.Expanded();
  InferenceRequest full;
  full.rows = 4;
  full.inputs = {reinterpret_cast<const std::byte*>(rows.data())};
  std::vector<std::vector<std::byte>> copies(1);
  GuaranteeFindings findings;
  ASSERT_TRUE(
      loaded_.model()->guarantees().CheckInputs(full, copies, findings).ok());
  EXPECT_EQ(findings.nonfinite_input_rows, 4);
  const NonfiniteCounts both = Figures().guarantees.inputs;
  EXPECT_EQ(both.rows, 2 * ranked.inputs.rows);
  EXPECT_EQ(both.nans, 2 * ranked.inputs.nans);
  EXPECT_EQ(both.infinities, 2 * ranked.inputs.infinities);
}

TEST_F(RankCallTest, ItemsThatTopKLeavesOutAreToldOf) {
  DigitItems items(6, 20, 1);
  items.own[3 * 44] = kNanFeature;
  v1::RankRequest request = items.Request();
  request.set_top_k(2);
  const v1::RankResponse best = Rank(request).value();
  EXPECT_THAT(best.items(), testing::Not(testing::Contains(3)));
  EXPECT_EQ(best.findings().nonfinite_items(), 1);
  EXPECT_EQ(best.findings().nonfinite_outputs(), 1);
}

TEST_F(RankCallTest, CallsAreCountedAsRequestsAndByThemselves) {
  ASSERT_TRUE(Rank(DigitItems(70, 20, 1).Request()).ok());
  EXPECT_FALSE(Rank(DigitItems(2, 20, 1).Request(/*element=*/10)).ok());
  const ModelFigures figures = Figures();
  EXPECT_EQ(figures.ranked_items, 70U);
  EXPECT_EQ(figures.rank.total.count, 1U);
  EXPECT_EQ(figures.answered_rows, 70U);
  EXPECT_EQ(figures.requests[StatusIndex(absl::StatusCode::kOk)], 1U);
  EXPECT_EQ(figures.requests[StatusIndex(absl::StatusCode::kInvalidArgument)],
            1U);
  EXPECT_EQ(figures.requests_in_flight, 0);
  EXPECT_EQ(in_flight_.bytes(), 0U);
}

TEST_F(RankCallTest, ErrorsNameTheModel) {
  v1::RankRequest request = DigitItems(2, 20, 1).Request();
  request.clear_items();
  const absl::Status status = Rank(request).status();
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("model \"digits_mlp\": "),
                    HasSubstr("no tensor of items")));
  request.set_model_name("nothing");
  EXPECT_EQ(Rank(request).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RankCallTest, BytesThatAreNoRequestAreInvalid) {
  Deferred<std::string> answer;
  RankCall::Begin(environment_, "\x0a\x7f", {}, answer.done());
  EXPECT_EQ(answer.Wait().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RankCallTest, BytesBeyondTheLimitsAreRefused) {
  const v1::RankRequest request = DigitItems(600, 0, 1).Request();
  environment_.max_message_bytes = 600 * 40 - 1;
  EXPECT_EQ(Rank(request).status().code(),
            absl::StatusCode::kResourceExhausted);
  environment_.max_message_bytes = 600 * 40;
  EXPECT_TRUE(Rank(request).ok());
  ASSERT_TRUE(in_flight_.Take(1 << 20));
  EXPECT_EQ(Rank(request).status().code(),
            absl::StatusCode::kResourceExhausted);
  in_flight_.GiveBack(1 << 20);
  EXPECT_EQ(in_flight_.bytes(), 0U);
}

TEST_F(RankCallTest, DeadlineThatHasPassedIsExceeded) {
  const auto status = Rank(DigitItems(2, 20, 1).Request(),
                           {.deadline = std::chrono::steady_clock::now() -
                                        std::chrono::milliseconds(1)})
                          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(RankCallTest, CallThatWaitsCanBeCancelled) {
  const std::shared_ptr<Model> model = loaded_.model();
  SlotHolder first(*model);
  SlotHolder second(*model);
  Deferred<std::string> answer;
  const Rpc::Cancel cancel = RankCall::Begin(
      environment_, DigitItems(2, 20, 1).Request().SerializeAsString(), {},
      answer.done());
  cancel();
  EXPECT_EQ(answer.Wait().status().code(), absl::StatusCode::kCancelled);
  cancel();  // Too late is all right.
}

TEST_F(RankCallTest, AccessLogHasALineForEachCall) {
  environment_.access_log = &access_log_;
  v1::RankRequest request = DigitItems(3, 20, 1).Request();
  request.set_id("page-7");
  testing::internal::CaptureStderr();
  ASSERT_TRUE(Rank(request, {.ids = {.protocol = "grpc",
                                     .request_id = "r-1",
                                     .traceparent = ""}})
                  .ok());
  request.set_model_name("nothing");
  EXPECT_FALSE(Rank(request).ok());
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, AllOf(HasSubstr("digits_mlp"), HasSubstr("page-7"),
                         HasSubstr("r-1"), HasSubstr("nothing")));
}

}  // namespace
}  // namespace relu
