#include "client/load/network_transport.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/load/expected_answer.h"
#include "client/load/message_reader.h"
#include "client/load/request.h"
#include "client/load/socket.h"
#include "proto/inference.pb.h"
#include "tests/client/load/http2_server.h"

namespace relu::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

Http2Answer Good() {
  Http2Answer answer;
  answer.body = EmptyAnswerBody();
  return answer;
}

NetworkOptions OptionsFor(const std::string& address, int streams = 0) {
  NetworkOptions options;
  options.addresses = ResolveTarget(address).value();
  options.form.streams = streams;
  options.form.headers.path =
      streams > 0 ? "/inference.GRPCInferenceService/ModelStreamInfer"
                  : "/inference.GRPCInferenceService/ModelInfer";
  options.form.headers.authority = AuthorityOf(address);
  options.form.headers.timeout = "1000m";
  options.form.headers.user_agent = "test";
  options.form.headers.metadata = {{"authorization", "Bearer secret"}};
  return options;
}

std::unique_ptr<NetworkTransport> Connected(NetworkOptions options) {
  auto transport = NetworkTransport::Connect(std::move(options), seconds(120));
  EXPECT_TRUE(transport.ok()) << transport.status();
  return *std::move(transport);
}

// A message of `size` bytes with gRPC's prefix. For streams it ends with an id.
Request RequestOf(std::size_t size = 10, bool with_id = false) {
  InferRequest request("m");
  const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(size)};
  const std::vector<std::uint8_t> values(size, 7);
  request.AddInput<std::uint8_t>("x", shape, values);
  return {.message = EncodeRequest(request, Contents::kRaw, with_id).value()};
}

// Waits until `count` calls are over.
std::vector<Call*> WaitFor(NetworkTransport& transport, std::size_t count) {
  std::vector<Call*> over;
  const TimePoint end = transport.Now() + seconds(60);
  while (over.size() < count && transport.Now() < end) {
    transport.Wait(transport.Now() + milliseconds(50), over);
  }
  EXPECT_EQ(over.size(), count);
  return over;
}

// The call after it is over.
Call Answered(NetworkTransport& transport, const Request& request) {
  Call call;
  call.request = &request;
  transport.Start(call);
  WaitFor(transport, 1);
  return call;
}

TEST(NetworkTransportTest, SendsTheCallAsGrpcWantsIt) {
  Http2Request got;
  Http2Server server([&got](const Http2Request& request) {
    got = request;
    return Good();
  });
  const auto transport = Connected(OptionsFor(server.address()));
  const Request request = RequestOf();
  const Call call = Answered(*transport, request);
  EXPECT_EQ(call.code, absl::StatusCode::kOk) << call.error;
  EXPECT_LE(call.sent, call.answered);
  EXPECT_EQ(got.headers[":method"], "POST");
  EXPECT_EQ(got.headers[":path"], "/inference.GRPCInferenceService/ModelInfer");
  EXPECT_EQ(got.headers[":authority"], server.address());
  EXPECT_EQ(got.headers["te"], "trailers");
  EXPECT_EQ(got.headers["content-type"], "application/grpc");
  EXPECT_EQ(got.headers["grpc-timeout"], "1000m");
  EXPECT_EQ(got.headers["authorization"], "Bearer secret");
  EXPECT_EQ(WithMessagePrefix(got.message), request.message);
  EXPECT_GT(transport->bytes_sent(), request.message.size());
  EXPECT_GT(transport->bytes_received(), 0U);
}

TEST(NetworkTransportTest, ManyLargeCallsAtOnceAllArrive) {
  std::size_t bytes = 0;
  Http2Server server([&bytes](const Http2Request& request) {
    bytes += request.message.size();
    Http2Answer answer = Good();
    answer.body = WithMessagePrefix(std::string(300'000, 'x'));
    return answer;
  });
  NetworkOptions options = OptionsFor(server.address());
  options.connections = 3;
  const auto transport = Connected(std::move(options));
  const Request request = RequestOf(500'000);
  std::vector<Call> calls(20);
  for (Call& call : calls) {
    call.request = &request;
    transport->Start(call);
  }
  WaitFor(*transport, calls.size());
  for (const Call& call : calls) {
    EXPECT_EQ(call.code, absl::StatusCode::kOk) << call.error;
    EXPECT_EQ(call.answer_bytes, 300'000U);
  }
  EXPECT_EQ(server.connections(), 3);
  EXPECT_EQ(bytes, 20 * (request.message.size() - kMessagePrefixBytes));
}

TEST(NetworkTransportTest, StatusOfTheServerIsThatOfTheCall) {
  Http2Server server([](const Http2Request&) {
    Http2Answer answer;
    answer.trailers = {{"grpc-status", "8"},
                       {"grpc-message", "queue%20full%3A%2"}};
    return answer;
  });
  const auto transport = Connected(OptionsFor(server.address()));
  const Request request = RequestOf();
  const Call call = Answered(*transport, request);
  EXPECT_EQ(call.code, absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(call.error, "queue full:%2");
}

// What a server sends that is no answer, and the status that stands for it.
struct Malformed {
  const char* name;
  Http2Answer answer;
  absl::StatusCode code;
};

TEST(NetworkTransportTest, AnswersThatAreNoneHaveAStatusThatSaysWhy) {
  const std::vector<Malformed> cases = {
      {"no message", {.body = {}}, absl::StatusCode::kInternal},
      {"no trailers",
       {.body = EmptyAnswerBody(), .trailers = {}},
       absl::StatusCode::kInternal},
      {"compressed",
       {.body = std::string("\x01\0\0\0\0", 5)},
       absl::StatusCode::kInternal},
      {"HTTP 503",
       {.body = {}, .http_status = 503, .trailers = {}},
       absl::StatusCode::kUnavailable},
      {"HTTP 404",
       {.body = {}, .http_status = 404, .trailers = {}},
       absl::StatusCode::kUnimplemented},
      {"refused", {.body = {}, .reset = 7}, absl::StatusCode::kUnavailable},
      {"cancelled", {.body = {}, .reset = 8}, absl::StatusCode::kCancelled},
      {"odd status",
       {.body = EmptyAnswerBody(), .trailers = {{"grpc-status", "77"}}},
       absl::StatusCode::kUnknown},
      {"hung up",
       {.body = {}, .hang_up = true},
       absl::StatusCode::kUnavailable},
  };
  for (const Malformed& malformed : cases) {
    Http2Server server(
        [&malformed](const Http2Request&) { return malformed.answer; });
    const auto transport = Connected(OptionsFor(server.address()));
    const Request request = RequestOf();
    const Call call = Answered(*transport, request);
    EXPECT_EQ(call.code, malformed.code)
        << malformed.name << ": " << call.error;
    EXPECT_FALSE(call.error.empty() &&
                 malformed.code != absl::StatusCode::kUnknown)
        << malformed.name;
  }
}

TEST(NetworkTransportTest, CancelledCallIsNotReturned) {
  Http2Server server([](const Http2Request& request) {
    Http2Answer answer = Good();
    answer.delay = request.message.size() > 100 ? seconds(60) : seconds(0);
    return answer;
  });
  const auto transport = Connected(OptionsFor(server.address()));
  const Request slow_request = RequestOf(1'000);
  const Request request = RequestOf();
  Call at_once{.request = &slow_request};
  transport->Start(at_once);
  transport->Cancel(at_once);  // Before it was sent.
  Call slow{.request = &slow_request};
  transport->Start(slow);
  EXPECT_EQ(Answered(*transport, request).code, absl::StatusCode::kOk);
  transport->Cancel(slow);
  EXPECT_EQ(Answered(*transport, request).code, absl::StatusCode::kOk);
}

TEST(NetworkTransportTest, LostConnectionIsOpenedAgain) {
  int calls = 0;
  Http2Server server([&calls](const Http2Request&) {
    Http2Answer answer = Good();
    answer.hang_up = ++calls == 1;
    return answer;
  });
  const auto transport = Connected(OptionsFor(server.address()));
  const Request request = RequestOf();
  EXPECT_EQ(Answered(*transport, request).code, absl::StatusCode::kUnavailable);
  EXPECT_EQ(Answered(*transport, request).code, absl::StatusCode::kOk);
  EXPECT_EQ(server.connections(), 2);
}

TEST(NetworkTransportTest, DrainedConnectionIsReplacedWithoutLoss) {
  int calls = 0;
  Http2Server server([&calls](const Http2Request&) {
    Http2Answer answer = Good();
    answer.go_away = ++calls == 1;
    return answer;
  });
  const auto transport = Connected(OptionsFor(server.address()));
  const Request request = RequestOf();
  EXPECT_EQ(Answered(*transport, request).code, absl::StatusCode::kOk);
  EXPECT_EQ(Answered(*transport, request).code, absl::StatusCode::kOk);
  EXPECT_EQ(server.connections(), 2);
}

TEST(NetworkTransportTest, CallsFailWhenTheServerStaysAway) {
  auto server =
      std::make_unique<Http2Server>([](const Http2Request&) { return Good(); });
  const auto transport = Connected(OptionsFor(server->address()));
  server.reset();
  const Request request = RequestOf();
  // The first may still meet the old connection; the second cannot.
  EXPECT_EQ(Answered(*transport, request).code, absl::StatusCode::kUnavailable);
  const Call call = Answered(*transport, request);
  EXPECT_EQ(call.code, absl::StatusCode::kUnavailable);
  EXPECT_THAT(call.error, HasSubstr("connection"));
}

TEST(NetworkTransportTest, ConnectFailsWithoutAServer) {
  EXPECT_EQ(NetworkTransport::Connect(
                OptionsFor("unix:/nonexistent/relud.sock"), seconds(1))
                .status()
                .code(),
            absl::StatusCode::kUnavailable);
}

TEST(NetworkTransportTest, ChecksAnswersAgainstWhatIsExpected) {
  inference::ModelInferResponse response;
  auto& output = *response.add_outputs();
  output.set_name("y");
  output.set_datatype("UINT8");
  output.add_shape(1);
  response.add_raw_output_contents("\x05");
  Http2Server server([&response](const Http2Request&) {
    Http2Answer answer;
    answer.body = WithMessagePrefix(response.SerializeAsString());
    return answer;
  });
  const auto transport = Connected(OptionsFor(server.address()));
  Request request = RequestOf();
  const auto expect = [](const std::string& bytes) {
    return std::make_shared<const ExpectedAnswer>(
        std::vector<ExpectedOutput>{
            {.name = "y", .datatype = "UINT8", .bytes = bytes}},
        /*tolerance=*/0);
  };
  request.expected = expect("\x05");
  EXPECT_FALSE(Answered(*transport, request).mismatch);
  request.expected = expect("\x06");
  const Call wrong = Answered(*transport, request);
  EXPECT_TRUE(wrong.mismatch);
  EXPECT_EQ(wrong.code, absl::StatusCode::kOk);
  EXPECT_THAT(wrong.error, HasSubstr("output \"y\""));
}

// --- Streams ---

// A ModelStreamInferResponse for `request` with gRPC's prefix.
std::string StreamAnswerTo(const Http2Request& request,
                           const std::string& error = "") {
  inference::ModelInferRequest parsed;
  EXPECT_TRUE(parsed.ParseFromString(request.message));
  inference::ModelStreamInferResponse response;
  response.set_error_message(error);
  response.mutable_infer_response()->set_id(parsed.id());
  return WithMessagePrefix(response.SerializeAsString());
}

TEST(NetworkTransportTest, CallsShareAStreamAndGetTheirOwnAnswers) {
  std::atomic<std::size_t> calls = 0;
  Http2Server server([&calls](const Http2Request& request) {
    const std::size_t number = ++calls;
    Http2Answer answer;
    // Every third fails; every other is overtaken by the one after it.
    answer.body = StreamAnswerTo(request, number % 3 == 0 ? "no" : "");
    answer.delay = milliseconds(number % 2 == 0 ? 0 : 20);
    return answer;
  });
  const auto transport = Connected(OptionsFor(server.address(), 2));
  const Request request = RequestOf(10, /*with_id=*/true);
  std::vector<Call> all(30);
  std::vector<Call*> over;
  const TimePoint end = transport->Now() + seconds(60);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].request = &request;
    transport->Start(all[i]);
    // One at a time reaches the server: the count tells which it is.
    while (calls < i + 1 && transport->Now() < end) {
      transport->Wait(transport->Now() + milliseconds(1), over);
    }
  }
  while (over.size() < all.size() && transport->Now() < end) {
    transport->Wait(transport->Now() + milliseconds(10), over);
  }
  EXPECT_EQ(over.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].code, (i + 1) % 3 == 0 ? absl::StatusCode::kUnknown
                                            : absl::StatusCode::kOk)
        << i;
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(NetworkTransportTest, StreamThatEndsFailsItsCallsAndIsBegunAgain) {
  int calls = 0;
  Http2Server server([&calls](const Http2Request& request) {
    Http2Answer answer;
    answer.body = StreamAnswerTo(request);
    if (++calls == 1) {
      answer.body.clear();
      answer.trailers = {{"grpc-status", "13"}, {"grpc-message", "broken"}};
    }
    return answer;
  });
  const auto transport = Connected(OptionsFor(server.address(), 1));
  const Request request = RequestOf(10, /*with_id=*/true);
  const Call first = Answered(*transport, request);
  EXPECT_EQ(first.code, absl::StatusCode::kInternal);
  EXPECT_EQ(first.error, "broken");
  EXPECT_EQ(Answered(*transport, request).code, absl::StatusCode::kOk);
}

TEST(NetworkTransportTest, CancelledCallOfAStreamIsNotReturned) {
  Http2Server server([](const Http2Request& request) {
    Http2Answer answer;
    answer.body = StreamAnswerTo(request);
    return answer;
  });
  const auto transport = Connected(OptionsFor(server.address(), 1));
  const Request request = RequestOf(10, /*with_id=*/true);
  Call cancelled{.request = &request};
  transport->Start(cancelled);
  transport->Cancel(cancelled);
  EXPECT_EQ(Answered(*transport, request).code, absl::StatusCode::kOk);
}

}  // namespace
}  // namespace relu::load
