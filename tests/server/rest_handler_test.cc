#include "server/rest_handler.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/metrics/model_metrics.h"
#include "server/http/http_message.h"
#include "tests/server/rest_fixture.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using Json = nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

constexpr char kInfer[] = "/v2/models/digits_mlp/infer";

// Rows of 64 pixels; row i is filled with (first_row + i) / 1000, as
// DigitsRequest has them.
Json DigitsJson(int rows = 1, int first_row = 0) {
  std::vector<float> values;
  for (int i = 0; i < rows; ++i) {
    values.insert(values.end(), 64, static_cast<float>(first_row + i) / 1000);
  }
  return {{"inputs",
           {{{"name", "input"},
             {"shape", {rows, 64}},
             {"datatype", "FP32"},
             {"data", values}}}}};
}

std::vector<float> Values(const HttpResponse& response) {
  const Json body = Json::parse(response.body);
  EXPECT_EQ(response.status, 200) << response.body;
  return response.status == 200
             ? body["outputs"][0]["data"].get<std::vector<float>>()
             : std::vector<float>();
}

std::string Error(const HttpResponse& response) {
  return Json::parse(response.body)["error"];
}

TEST(RestHandlerTest, InferenceIsAnswered) {
  RestFixture rest;
  Json request = DigitsJson(2);
  request["id"] = "r1";
  const HttpResponse response = rest.Post(kInfer, request.dump());
  EXPECT_EQ(Values(response).size(), 20U);
  const Json body = Json::parse(response.body);
  EXPECT_EQ(body["id"], "r1");
  EXPECT_EQ(body["model_name"], "digits_mlp");
  EXPECT_EQ(body["model_version"], "1");
  EXPECT_EQ(body["outputs"][0]["shape"], Json::array({2, 10}));
}

TEST(RestHandlerTest, BytesAndJsonHaveTheSameBits) {
  RestFixture rest;
  const std::vector<float> as_json =
      Values(rest.Post(kInfer, DigitsJson(3).dump()));
  Json request = DigitsJson(3);
  request["parameters"]["binary_data_output"] = true;
  request["inputs"][0].erase("data");
  request["inputs"][0]["parameters"]["binary_data_size"] = 3 * 64 * 4;
  const std::string head = request.dump();
  const HttpResponse response =
      rest.Call({.method = "POST",
                 .target = kInfer,
                 .headers = {{"Inference-Header-Content-Length",
                              std::to_string(head.size())}},
                 .body = head + DigitsRequest(3).raw_input_contents(0)});
  ASSERT_EQ(response.status, 200) << response.body;
  const std::size_t size = std::stoul(response.headers.at(0).second);
  ASSERT_EQ(response.body.size() - size, as_json.size() * 4);
  EXPECT_EQ(std::memcmp(response.body.data() + size, as_json.data(),
                        as_json.size() * 4),
            0);
}

TEST(RestHandlerTest, RequestsThatArrivedTogetherRunAsOneBatch) {
  // Preferred sizes count, and not what batches were measured to cost.
  RestFixture rest({.config = "dynamic_batching { preferred_batch_size: 5 }"});
  const std::uint64_t before = rest.loaded().model()->metrics().Read().batches;
  std::vector<std::shared_ptr<FakeHttpCall>> calls;
  for (int i = 0; i < 5; ++i) {
    calls.push_back(rest.Begin(
        {.method = "POST", .target = kInfer, .body = DigitsJson(1, i).dump()}));
  }
  EXPECT_EQ(rest.handler().arrived(), 5U);
  EXPECT_FALSE(calls[0]->response().has_value());
  rest.RunArrived();
  EXPECT_EQ(rest.handler().arrived(), 0U);
  const std::vector<float> together =
      Values(rest.Post(kInfer, DigitsJson(5).dump()));
  for (std::size_t i = 0; i < 5; ++i) {
    const std::vector<float> row = Values(calls[i]->Wait());
    EXPECT_EQ(std::memcmp(row.data(), together.data() + i * 10, 40), 0);
  }
  // That of the five requests, and of the one.
  EXPECT_EQ(rest.loaded().model()->metrics().Read().batches - before, 2U);
}

TEST(RestHandlerTest, RequestsOfSeveralModelsAreAnswered) {
  RestFixture rest({.models = {"digits_mlp", "iris_argmax"}});
  const auto digits = rest.Begin(
      {.method = "POST", .target = kInfer, .body = DigitsJson().dump()});
  const auto iris =
      rest.Begin({.method = "POST",
                  .target = "/v2/models/iris_argmax/versions/1/infer",
                  .body = R"({"inputs": [{"name": "input", "shape": [1, 4],
                   "datatype": "FP32", "data": [5.1, 3.5, 1.4, 0.2]}]})"});
  rest.RunArrived();
  EXPECT_EQ(digits->Wait().status, 200);
  EXPECT_EQ(iris->Wait().status, 200) << iris->response()->body;
}

TEST(RestHandlerTest, RequestsThatWaitAreAnsweredByTheThreadThatHasTheSlot) {
  RestFixture rest({.slots = 1});
  SlotHolder holder(*rest.loaded().model());
  const auto call = rest.Begin(
      {.method = "POST", .target = kInfer, .body = DigitsJson().dump()});
  rest.RunArrived();
  EXPECT_FALSE(call->response().has_value());
  holder.Release();
  EXPECT_EQ(Values(call->Wait()).size(), 10U);
}

TEST(RestHandlerTest, ARequestWhoseClientGoesIsDropped) {
  RestFixture rest({.slots = 1});
  SlotHolder holder(*rest.loaded().model());
  const auto call = rest.Begin(
      {.method = "POST", .target = kInfer, .body = DigitsJson().dump()});
  rest.RunArrived();
  call->HangUp();
  EXPECT_EQ(call->Wait().status, 499);
  holder.Release();
}

TEST(RestHandlerTest, BadRequestsGetTheStatusAndReasonOfTheirError) {
  RestFixture rest({.broken_model = true});
  const auto status = [&](const std::string& path, const std::string& body) {
    return rest.Post(path, body).status;
  };
  EXPECT_EQ(status(kInfer, "{"), 400);
  EXPECT_EQ(status(kInfer, R"({"inputs": []})"), 400);
  EXPECT_EQ(status("/v2/models/none/infer", DigitsJson().dump()), 404);
  EXPECT_EQ(status("/v2/models/broken/infer", DigitsJson().dump()), 503);
  EXPECT_EQ(
      status("/v2/models/digits_mlp/versions/7/infer", DigitsJson().dump()),
      404);
  EXPECT_EQ(
      status("/v2/models/digits_mlp/versions/x/infer", DigitsJson().dump()),
      400);
  Json request = DigitsJson();
  request["inputs"][0]["name"] = "other";
  EXPECT_THAT(Error(rest.Post(kInfer, request.dump())),
              HasSubstr("unexpected inference input 'other'"));
  request = DigitsJson();
  request["parameters"]["sequence_id"] = 1;
  EXPECT_EQ(status(kInfer, request.dump()), 501);
  // And the handler goes on.
  EXPECT_EQ(status(kInfer, DigitsJson().dump()), 200);
}

TEST(RestHandlerTest, LengthsOfJsonThatCannotBeAreRefused) {
  RestFixture rest;
  for (const char* bad : {"x", "-1", "1e2", "9999999", "0", "5 "}) {
    const HttpResponse response =
        rest.Call({.method = "POST",
                   .target = kInfer,
                   .headers = {{"Inference-Header-Content-Length", bad}},
                   .body = DigitsJson().dump()});
    EXPECT_EQ(response.status, 400) << bad;
    EXPECT_THAT(Error(response), HasSubstr("Inference-Header-Content-Length"));
  }
}

TEST(RestHandlerTest, EveryRequestIsCounted) {
  RestFixture rest;
  rest.Post(kInfer, DigitsJson().dump());
  rest.Post(kInfer, R"({"inputs": []})");
  rest.Post("/v2/models/none/infer", DigitsJson().dump());
  const std::string text = rest.loaded().metrics().Text();
  for (const char* line : {"relu_requests_total{model=\"digits_mlp\",version="
                           "\"1\",code=\"OK\"} 1\n",
                           "relu_requests_total{model=\"digits_mlp\",version="
                           "\"1\",code=\"INVALID_ARGUMENT\"} "
                           "1\n",
                           "relu_requests_total{model=\"\",version=\"\",code="
                           "\"NOT_FOUND\"} 1\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(RestHandlerTest, OtherRpcsAreAnswered) {
  RestFixture rest;
  EXPECT_EQ(Json::parse(rest.Get("/v2").body)["name"], "relud");
  EXPECT_EQ(rest.Get("/v2/health/live").status, 200);
  EXPECT_EQ(rest.Post("/v2/repository/index", "").status, 200);
  EXPECT_EQ(rest.Get("/v2/models/none").status, 404);
  EXPECT_EQ(rest.Get("/v2/cudasharedmemory/status").status, 501);
}

TEST(RestHandlerTest, OtherPathsAndMethodsAreRefused) {
  RestFixture rest;
  EXPECT_EQ(rest.Get("/v1/models").status, 404);
  EXPECT_EQ(rest.Get("/metrics").status, 404);  // They have their own port.
  const HttpResponse response = rest.Get(kInfer);
  EXPECT_EQ(response.status, 405);
  EXPECT_THAT(response.headers, Contains(Pair("Allow", "POST")));
}

TEST(RestHandlerTest, LargeBodiesOfSmallRequestsAreRefused) {
  RestFixture rest;
  EXPECT_EQ(rest.Post("/v2/repository/index", std::string(2 << 20, ' ')).status,
            413);
}

TEST(RestHandlerTest, TraceAndIdOfARequestAreCarriedToItsAnswer) {
  RestFixture rest;
  const std::string trace =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (const char* target : {kInfer, "/v2/repository/index"}) {
    const HttpResponse response =
        rest.Call({.method = "POST",
                   .target = target,
                   .headers = {{"traceparent", trace}, {"X-Request-Id", "r-1"}},
                   .body = DigitsJson().dump()});
    EXPECT_THAT(response.headers, Contains(Pair("traceparent", trace)));
    EXPECT_THAT(response.headers, Contains(Pair("X-Request-Id", "r-1")));
  }
}

TEST(RestHandlerTest, MetricsPortServesMetricsAndHealthAlone) {
  RestFixture rest;
  const auto call = [&](const std::string& method, const std::string& target) {
    return rest.Call(
        {.method = method, .target = target, .role = RestRole::kMetrics});
  };
  const HttpResponse metrics = call("GET", "/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(metrics.body,
              HasSubstr("relu_build_info{version=\"1.2.3\"} 1\n"));
  EXPECT_EQ(call("HEAD", "/metrics").status, 200);
  EXPECT_EQ(call("POST", "/metrics").status, 405);
  EXPECT_EQ(call("GET", "/metrics/more").status, 404);
  EXPECT_EQ(call("GET", "/v2/health/ready").status, 200);
  EXPECT_EQ(call("GET", "/v2/models/digits_mlp/ready").status, 200);
  EXPECT_EQ(call("GET", "/v2").status, 404);
  EXPECT_EQ(call("POST", kInfer).status, 404);
  EXPECT_EQ(call("POST", "/v2/repository/models/m/load").status, 404);
}

TEST(RestHandlerTest, ControlIsOffButOnItsOwnPort) {
  RestFixture rest;
  const auto load = [&](RestRole role) {
    return rest
        .Call({.method = "POST",
               .target = "/v2/repository/models/none/load",
               .role = role})
        .status;
  };
  EXPECT_EQ(load(RestRole::kMain), 403);
  EXPECT_NE(load(RestRole::kControl), 403);
}

TEST(RestHandlerTest, OtherRequestsAreAnsweredWhileAModelIsLoaded) {
  RestFixture rest({.control = ControlMode::kExplicit});
  LoaderHolder holder(rest.loaded().repository());
  const auto load = rest.Begin({.method = "POST",
                                .target = "/v2/repository/models/none/load",
                                .role = RestRole::kControl});
  EXPECT_EQ(rest.Get("/v2/models/digits_mlp/ready").status, 200);
  EXPECT_FALSE(load->response().has_value());
  holder.Release();
  EXPECT_EQ(load->Wait().status, 404);
}

TEST(RestHandlerTest, TokensAreAskedForByGroup) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "rest_handler_test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "inference") << "inference-token-01\n";
  std::ofstream(folder / "metrics") << "metrics-token-0001\n";
  RestFixture rest(
      {}, {.inference = folder / "inference", .metrics = folder / "metrics"});
  const auto call = [&](FakeHttpCall::Request request,
                        const std::string& token) {
    if (!token.empty()) {
      request.headers["Authorization"] = "Bearer " + token;
    }
    return rest.Call(request);
  };
  const FakeHttpCall::Request infer = {
      .method = "POST", .target = kInfer, .body = DigitsJson().dump()};
  const FakeHttpCall::Request metrics = {.target = "/metrics",
                                         .role = RestRole::kMetrics};
  const HttpResponse refused = call(infer, "");
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.headers, Contains(Pair("WWW-Authenticate", "Bearer")));
  EXPECT_EQ(call(infer, "metrics-token-0001").status, 403);
  EXPECT_EQ(call(infer, "inference-token-01").status, 200);
  EXPECT_EQ(call(metrics, "").status, 401);
  EXPECT_EQ(call(metrics, "metrics-token-0001").status, 200);
  EXPECT_EQ(call({.target = "/v2"}, "").status, 401);
  EXPECT_EQ(call({.target = "/v2"}, "inference-token-01").status, 200);
  EXPECT_EQ(call({.target = "/v2/health/ready"}, "").status, 200);
  // The two inferences, not the others.
  EXPECT_THAT(rest.loaded().metrics().Text(),
              HasSubstr("relu_rejects_total{model=\"\",version=\"\","
                        "reason=\"access\"} 2\n"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace relu
