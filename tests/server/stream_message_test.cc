#include "server/stream_message.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "core/metrics/model_metrics.h"
#include "proto/inference.pb.h"
#include "server/infer_exchange.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

class TestMessage final : public StreamMessage {
 public:
  explicit TestMessage(const InferEnvironment& environment)
      : StreamMessage(environment) {}

  void Send(const ArrivedCall* /*next*/) override {}
  int computed = 0;

 private:
  void OnComputed() override { ++computed; }
};

class StreamMessageTest : public testing::Test {
 protected:
  // The whole way of a request. Returns the answer.
  inference::ModelStreamInferResponse Call(
      const inference::ModelInferRequest& request) {
    message_.request_bytes() = ToByteBuffer(request.SerializeAsString());
    message_.NoteArrived(StreamMessage::Clock::time_point::max());
    if (message_.Prepare()) {
      InferenceRequest* const requests[] = {&message_.inference()};
      message_.inference().scheduler->Submit(requests);
    }
    message_.Encode();
    inference::ModelStreamInferResponse answer;
    EXPECT_TRUE(answer.ParseFromString(ToString(message_.answer_bytes())));
    message_.Reset();
    return answer;
  }

  LoadedRepository loaded_;
  InferEnvironment environment_{.repository = loaded_.repository(),
                                .metrics = loaded_.metrics(),
                                .max_message_bytes = 1 << 20};
  TestMessage message_{environment_};
};

TEST_F(StreamMessageTest, GoodRequestIsAnswered) {
  inference::ModelInferRequest request = DigitsRequest(3);
  request.set_id("a");

  const auto answer = Call(request);

  EXPECT_EQ(answer.error_message(), "");
  EXPECT_EQ(answer.infer_response().id(), "a");
  EXPECT_EQ(answer.infer_response().raw_output_contents(0).size(), 120U);
  EXPECT_EQ(message_.computed, 1);
}

TEST_F(StreamMessageTest, BadRequestIsAnsweredWithItsErrorAndId) {
  inference::ModelInferRequest request = DigitsRequest(0);
  request.set_id("b");

  const auto answer = Call(request);

  EXPECT_NE(answer.error_message().find(">= 1"), std::string::npos)
      << answer.error_message();
  EXPECT_EQ(answer.infer_response().id(), "b");
  EXPECT_EQ(message_.computed, 0);
}

TEST_F(StreamMessageTest, UsedAgainAnswersTheSame) {
  const std::string first = Call(DigitsRequest(2)).SerializeAsString();
  Call(DigitsRequest(0));
  Call(DigitsRequest(20));

  EXPECT_EQ(Call(DigitsRequest(2)).SerializeAsString(), first);
}

TEST_F(StreamMessageTest, EveryRequestIsCounted) {
  Call(DigitsRequest(2));
  Call(DigitsRequest(0));

  const ModelFigures figures = loaded_.model()->metrics().Read();
  EXPECT_EQ(figures.requests[0], 1U);
  EXPECT_EQ(figures.failed.count, 1U);
  EXPECT_EQ(figures.requests_in_flight, 0);
}

}  // namespace
}  // namespace relu
