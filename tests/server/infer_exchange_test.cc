#include "server/infer_exchange.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "core/base/in_flight_bytes.h"
#include "core/batching/scheduler.h"
#include "core/metrics/model_metrics.h"
#include "core/metrics/reject_reason.h"
#include "server/access_log.h"
#include "server/shared_memory.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/memory_object.h"

namespace relu {
namespace {

using Clock = InferExchange::Clock;

class InferExchangeTest : public testing::Test {
 protected:
  absl::Status Prepare() {
    const absl::Status status =
        exchange_.BeginDecode(Clock::now(), exchange_.message().ByteSizeLong());
    return status.ok() ? exchange_.Prepare(Clock::time_point::max()) : status;
  }

  // A whole call. Returns its status.
  absl::Status Call(const inference::ModelInferRequest& message) {
    exchange_.Reset();
    exchange_.message() = message;
    absl::Status status = Prepare();
    if (status.ok()) {
      exchange_.inference().done = [&](const absl::Status& result) {
        status = result;
      };
      InferenceRequest* const requests[] = {&exchange_.inference()};
      exchange_.model().scheduler().Submit(requests);
    }
    if (status.ok()) {
      status = exchange_.BeginEncode();
    }
    exchange_.Finish(status);
    return status;
  }

  ModelFigures Figures() { return loaded_.model()->metrics().Read(); }

  std::uint64_t Requests(absl::StatusCode code) {
    return Figures().requests[StatusIndex(code)];
  }

  // Preferred sizes count, and not what batches were measured to cost.
  LoadedRepository loaded_{
      {.broken_model = true,
       .config = "dynamic_batching { preferred_batch_size: 2 }"}};
  InFlightBytes in_flight_{10'000};
  SharedMemoryRegions shared_memory_;
  InferEnvironment environment_{.repository = loaded_.repository(),
                                .metrics = loaded_.metrics(),
                                .in_flight_bytes = &in_flight_,
                                .max_message_bytes = 1000,
                                .shared_memory = &shared_memory_};
  InferExchange exchange_{environment_};
};

TEST_F(InferExchangeTest, GoodRequestIsAnswered) {
  ASSERT_TRUE(Call(DigitsRequest(2)).ok());
  EXPECT_EQ(exchange_.response().raw_output_contents(0).size(), 80U);
}

TEST_F(InferExchangeTest, UsedAgainAnswersTheSame) {
  ASSERT_TRUE(Call(DigitsRequest(2)).ok());
  const std::string first = exchange_.response().SerializeAsString();
  ASSERT_FALSE(Call(DigitsRequest(0)).ok());
  ASSERT_TRUE(Call(DigitsRequest(20)).ok());
  ASSERT_TRUE(Call(DigitsRequest(2)).ok());
  EXPECT_EQ(exchange_.response().SerializeAsString(), first);
}

// Two rows of digits_mlp: 512 bytes of inputs at 0, 80 of outputs at 600.
class SharedExchangeTest : public InferExchangeTest {
 protected:
  SharedExchangeTest() {
    const inference::ModelInferRequest raw = DigitsRequest(2);
    object_.Fill(0, raw.raw_input_contents(0));
    EXPECT_TRUE(shared_memory_
                    .Register({.name = "r",
                               .key = object_.key(),
                               .offset = 0,
                               .byte_size = object_.bytes().size()})
                    .ok());
    request_ = raw;
    request_.clear_raw_input_contents();
    PutInSharedMemory(0, 512, *request_.mutable_inputs(0));
    request_.add_outputs()->set_name("output");
    PutInSharedMemory(600, 100, *request_.mutable_outputs(0));
  }

  MemoryObject object_{1024};
  inference::ModelInferRequest request_;
};

TEST_F(SharedExchangeTest, ValuesGoThroughSharedMemoryWithTheSameBits) {
  ASSERT_TRUE(Call(DigitsRequest(2)).ok());
  const std::string raw = exchange_.response().raw_output_contents(0);
  ASSERT_TRUE(Call(request_).ok());
  EXPECT_EQ(exchange_.response().raw_output_contents(0), "");
  EXPECT_EQ(exchange_.response().outputs(0).shape(0), 2);
  EXPECT_EQ(std::string(object_.Values<char>(600, 80).data(), 80), raw);
  EXPECT_EQ(object_.Values<char>(680, 1)[0], '\0');
}

TEST_F(SharedExchangeTest, RegionMayBeUnregisteredWhileItIsUsed) {
  exchange_.message() = request_;
  ASSERT_TRUE(Prepare().ok());
  shared_memory_.UnregisterAll();
  absl::Status status;
  exchange_.inference().done = [&](const absl::Status& result) {
    status = result;
  };
  InferenceRequest* const requests[] = {&exchange_.inference()};
  exchange_.model().scheduler().Submit(requests);
  ASSERT_TRUE(status.ok());
  EXPECT_TRUE(exchange_.BeginEncode().ok());
  exchange_.Finish(absl::OkStatus());
  EXPECT_NE(object_.Values<float>(600, 1)[0], 0.0F);
  EXPECT_EQ(Call(request_).code(), absl::StatusCode::kNotFound);
}

TEST_F(SharedExchangeTest, ObjectTruncatedMeanwhileFailsTheCall) {
  exchange_.message() = request_;
  ASSERT_TRUE(Prepare().ok());
  object_.Truncate(601);
  EXPECT_EQ(exchange_.BeginEncode().code(),
            absl::StatusCode::kFailedPrecondition);
  exchange_.Finish(absl::FailedPreconditionError("truncated"));
  EXPECT_EQ(Requests(absl::StatusCode::kFailedPrecondition), 1U);
}

TEST_F(SharedExchangeTest, InputsInSharedMemoryAreHeldAsBytesInFlight) {
  exchange_.message() = request_;
  ASSERT_TRUE(Prepare().ok());
  EXPECT_EQ(in_flight_.bytes(), request_.ByteSizeLong() + 512 + 80);
  exchange_.Finish(absl::OkStatus());
  exchange_.Reset();
  EXPECT_EQ(in_flight_.bytes(), 0U);
  ASSERT_TRUE(in_flight_.Take(9'400));
  EXPECT_EQ(Call(request_).code(), absl::StatusCode::kResourceExhausted);
  in_flight_.GiveBack(9'400);
  EXPECT_TRUE(Call(request_).ok());
}

TEST_F(SharedExchangeTest, InputsInSharedMemoryHaveTheLimitOfARequest) {
  PutInSharedMemory(0, 1001, *request_.mutable_inputs(0));
  EXPECT_EQ(Call(request_).code(), absl::StatusCode::kResourceExhausted);
  PutInSharedMemory(0, 1000, *request_.mutable_inputs(0));
  EXPECT_EQ(Call(request_).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(InferExchangeTest, UnknownModelReturnsNotFound) {
  exchange_.message() = DigitsRequest();
  exchange_.message().set_model_name("nope");
  const absl::Status status = Prepare();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "Request for unknown model: 'nope' is not found");
}

TEST_F(InferExchangeTest, UnknownVersionReturnsNotFound) {
  exchange_.message() = DigitsRequest();
  exchange_.message().set_model_version("7");
  EXPECT_EQ(Prepare().code(), absl::StatusCode::kNotFound);
}

TEST_F(InferExchangeTest, VersionThatIsNoneReturnsInvalidArgument) {
  exchange_.message() = DigitsRequest();
  exchange_.message().set_model_version("latest");
  EXPECT_EQ(Prepare().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(InferExchangeTest, ModelThatWasNotLoadedReturnsUnavailable) {
  exchange_.message() = DigitsRequest();
  exchange_.message().set_model_name("broken");
  EXPECT_EQ(Prepare().code(), absl::StatusCode::kUnavailable);
}

TEST_F(InferExchangeTest, WrongRequestReturnsInvalidArgument) {
  exchange_.message() = DigitsRequest(0);
  EXPECT_EQ(Prepare().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(InferExchangeTest, LargeAnswerReturnsResourceExhausted) {
  // 26 rows of 40 bytes.
  exchange_.message() = DigitsRequest(26);
  EXPECT_EQ(Prepare().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(InferExchangeTest, FinishCountsByModelAndCode) {
  ASSERT_TRUE(Call(DigitsRequest()).ok());
  ASSERT_TRUE(Call(DigitsRequest()).ok());
  ASSERT_FALSE(Call(DigitsRequest(0)).ok());
  EXPECT_EQ(Requests(absl::StatusCode::kOk), 2U);
  EXPECT_EQ(Requests(absl::StatusCode::kInvalidArgument), 1U);
  EXPECT_EQ(Figures().requests_in_flight, 0);
}

TEST_F(InferExchangeTest, FinishCountsRejectsByReason) {
  const auto rejects = [this](RejectReason reason) {
    return Figures().rejects[static_cast<std::size_t>(reason)];
  };
  ASSERT_FALSE(Call(DigitsRequest(0)).ok());
  ASSERT_FALSE(Call(DigitsRequest(26)).ok());
  loaded_.model()->scheduler().Close();
  ASSERT_FALSE(Call(DigitsRequest()).ok());
  // What the scheduler said of the last request is not said of the next.
  ASSERT_FALSE(Call(DigitsRequest(0)).ok());
  EXPECT_EQ(rejects(RejectReason::kBadRequest), 2U);
  EXPECT_EQ(rejects(RejectReason::kMessageBytes), 1U);
  EXPECT_EQ(rejects(RejectReason::kDraining), 1U);
}

TEST_F(InferExchangeTest, FinishObservesTheTimesOfGoodRequests) {
  ASSERT_TRUE(Call(DigitsRequest()).ok());
  ASSERT_FALSE(Call(DigitsRequest(0)).ok());
  const ModelFigures figures = Figures();
  for (const TimeHistogram& times :
       {figures.decode, figures.queue, figures.encode, figures.request}) {
    EXPECT_EQ(times.total.count, 1U);
  }
  EXPECT_EQ(figures.failed.count, 1U);
  // The whole is not less than its parts.
  EXPECT_GE(figures.request.total.sum,
            figures.decode.total.sum + figures.queue.total.sum +
                figures.compute_input.sum + figures.compute_infer.sum +
                figures.compute_output.sum + figures.encode.total.sum);
  EXPECT_GT(figures.compute_infer.sum.count(), 0);
}

TEST_F(InferExchangeTest, FinishCountsUnknownModelsWithoutTheirName) {
  inference::ModelInferRequest message = DigitsRequest();
  message.set_model_name("made up");
  ASSERT_FALSE(Call(message).ok());
  const std::string text = loaded_.metrics().Text();
  EXPECT_NE(text.find("relu_requests_total{model=\"\",version=\"\","
                      "code=\"NOT_FOUND\"} 1"),
            std::string::npos);
  EXPECT_NE(text.find("relu_rejects_total{model=\"\",version=\"\","
                      "reason=\"not_found\"} 1"),
            std::string::npos);
  EXPECT_EQ(text.find("made up"), std::string::npos);
}

TEST_F(InferExchangeTest, RequestHoldsTheBytesOfItsValuesAndOfItsAnswer) {
  exchange_.message() = DigitsRequest(3);
  ASSERT_TRUE(Prepare().ok());
  EXPECT_EQ(exchange_.inference().bytes, 3 * (64 + 10) * sizeof(float));
}

TEST_F(InferExchangeTest, BytesAreHeldFromTheRequestToTheReset) {
  const std::size_t message_bytes = DigitsRequest(3).ByteSizeLong();
  ASSERT_TRUE(Call(DigitsRequest(3)).ok());
  EXPECT_EQ(in_flight_.bytes(), message_bytes + 3 * 10 * sizeof(float));
  exchange_.Reset();
  EXPECT_EQ(in_flight_.bytes(), 0U);
}

TEST_F(InferExchangeTest, RequestThatDoesNotFitReturnsResourceExhausted) {
  ASSERT_TRUE(in_flight_.Take(9'000));
  exchange_.message() = DigitsRequest(5);
  const absl::Status status = Prepare();
  exchange_.Finish(status);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(status.message().find("take 9000 bytes"), std::string::npos);
  EXPECT_NE(status.message().find("limit of 10000"), std::string::npos);
  EXPECT_GT(exchange_.inference().retry_pushback.count(), 0);
  EXPECT_NE(loaded_.metrics().Text().find("reason=\"in_flight_bytes\"} 1"),
            std::string::npos);
  exchange_.Reset();
  EXPECT_EQ(in_flight_.bytes(), 9'000U);
  // A smaller one fits.
  EXPECT_TRUE(Call(DigitsRequest(1)).ok());
}

TEST_F(InferExchangeTest, AnswerThatDoesNotFitReturnsResourceExhausted) {
  const std::size_t message_bytes = DigitsRequest(5).ByteSizeLong();
  ASSERT_TRUE(in_flight_.Take(10'000 - message_bytes - 1));
  exchange_.message() = DigitsRequest(5);
  EXPECT_EQ(Prepare().code(), absl::StatusCode::kResourceExhausted);
  exchange_.Reset();
  EXPECT_EQ(in_flight_.bytes(), 10'000 - message_bytes - 1);
}

TEST_F(InferExchangeTest, NothingIsLoggedWithoutAnAccessLog) {
  ASSERT_TRUE(Call(DigitsRequest()).ok());
  EXPECT_FALSE(exchange_.logged());
}

TEST_F(InferExchangeTest, AccessLogSaysWhatBecameOfACall) {
  AccessLog access_log({.share = 1});
  environment_.access_log = &access_log;
  inference::ModelInferRequest request = DigitsRequest(2);
  request.set_id("i1");
  ASSERT_TRUE(Call(request).ok());
  ASSERT_TRUE(exchange_.logged());
  testing::internal::CaptureStderr();
  exchange_.LogAccess(
      {.protocol = "grpc", .request_id = "r1", .traceparent = {}});
  EXPECT_FALSE(Call(DigitsRequest(0)).ok());
  exchange_.LogAccess(
      {.protocol = "grpc", .request_id = {}, .traceparent = {}});
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_NE(lines.find("model=digits_mlp version=1 code=OK"),
            std::string::npos);
  EXPECT_NE(lines.find("rows=2 batch_rows=2"), std::string::npos);
  EXPECT_NE(lines.find("id=i1 request_id=r1"), std::string::npos);
  EXPECT_NE(lines.find("code=INVALID_ARGUMENT reason=bad_request"),
            std::string::npos);
  exchange_.Reset();
  EXPECT_FALSE(exchange_.logged());
}

TEST_F(InferExchangeTest, CancelledBeforeItIsSubmittedIsNotRun) {
  exchange_.message() = DigitsRequest();
  ASSERT_TRUE(Prepare().ok());
  exchange_.Cancel();
  absl::Status status;
  exchange_.inference().done = [&](const absl::Status& result) {
    status = result;
  };
  InferenceRequest* const requests[] = {&exchange_.inference()};
  exchange_.model().scheduler().Submit(requests);
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
}

TEST_F(InferExchangeTest, CancelBeforePrepareDoesNothing) {
  exchange_.Cancel();
}

TEST_F(InferExchangeTest, ResetLetsGoOfLargeMessages) {
  exchange_.message() = DigitsRequest(2000);
  exchange_.Reset();
  EXPECT_LT(exchange_.message().SpaceUsedLong(), 1000U);
}

TEST_F(InferExchangeTest, ResetClearsCancellationAndDeadline) {
  exchange_.inference().cancelled = true;
  exchange_.inference().deadline = Clock::time_point::min();
  exchange_.Reset();
  EXPECT_FALSE(exchange_.inference().cancelled);
  EXPECT_EQ(exchange_.inference().deadline, Clock::time_point::max());
}

}  // namespace
}  // namespace relu
