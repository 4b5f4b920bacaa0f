#include "server/rest_rpc.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "server/health.h"
#include "server/inference_handlers.h"
#include "server/rest_routes.h"
#include "server/rpc_table.h"
#include "tests/core/repository/outcome.h"
#include "tests/server/loaded_repository.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using Json = nlohmann::json;

class RestRpcTest : public testing::Test {
 protected:
  absl::StatusOr<HttpResponse> Call(std::string_view method,
                                    std::string_view target,
                                    std::string_view body = "") {
    Deferred<HttpResponse> response;
    CallRpc(rpcs_, MatchRestRoute(method, target), body, Rpc::Caller(),
            response.done());
    return response.Wait();
  }

  Json ParseBody(const absl::StatusOr<HttpResponse>& response) {
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? Json::parse(response->body) : Json();
  }

  LoadedRepository loaded_{
      {.broken_model = true, .control = ControlMode::kExplicit}};
  InferenceHandlers handlers_{loaded_.repository(), /*strict_readiness=*/false};
  Health health_;
  RpcTable rpcs_{handlers_, health_};
};

TEST_F(RestRpcTest, PathsAreThoseOfTheService) {
  EXPECT_EQ(RpcPath(*MatchRestRoute("GET", "/v2").route),
            "/inference.GRPCInferenceService/ServerMetadata");
  EXPECT_EQ(RpcPath(*MatchRestRoute("POST", "/v2/models/m/explain").route),
            "/relu.v1.ReluService/Explain");
}

TEST_F(RestRpcTest, AnswersAreTheMessagesAsJson) {
  const Json server = ParseBody(Call("GET", "/v2"));
  EXPECT_EQ(server["name"], "relud");
  const Json model = ParseBody(Call("GET", "/v2/models/digits_mlp"));
  EXPECT_EQ(model["name"], "digits_mlp");
  EXPECT_EQ(model["inputs"][0]["shape"], Json::array({-1, 64}));
}

TEST_F(RestRpcTest, HealthIsAStatusToo) {
  EXPECT_EQ(Call("GET", "/v2/health/live")->status, 200);
  EXPECT_EQ(Call("GET", "/v2/health/ready")->status, 200);
  EXPECT_EQ(Call("GET", "/v2/models/digits_mlp/ready")->status, 200);
  EXPECT_EQ(Call("GET", "/v2/models/digits_mlp/versions/1/ready")->status, 200);
  for (const char* name : {"broken", "none"}) {
    const auto ready =
        Call("GET", std::string("/v2/models/") + name + "/ready");
    EXPECT_EQ(ready->status, 400) << name;
    EXPECT_EQ(ParseBody(ready)["ready"], false);
  }
  handlers_.BeginShutdown();
  EXPECT_EQ(Call("GET", "/v2/health/ready")->status, 400);
  EXPECT_EQ(Call("GET", "/v2/health/live")->status, 200);
}

TEST_F(RestRpcTest, IndexIsAListAndTakesABody) {
  EXPECT_EQ(ParseBody(Call("POST", "/v2/repository/index")).size(), 2U);
  const Json ready =
      ParseBody(Call("POST", "/v2/repository/index", R"({"ready": true})"));
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_EQ(ready[0]["name"], "digits_mlp");
  EXPECT_EQ(ready[0]["state"], "READY");
}

TEST_F(RestRpcTest, ExplanationsAreJson) {
  std::string data = "0.25";
  for (int i = 1; i < 64; ++i) {
    data += ",0.25";
  }
  const std::string body = R"({"inputs": [{"name": "input", "shape": [1, 64],
      "data": [[)" + data + R"(]]}], "top_k": 2, "elements": [3]})";
  for (const char* path : {"/v2/models/digits_mlp/explain",
                           "/v2/models/digits_mlp/versions/1/explain"}) {
    const Json answer = ParseBody(Call("POST", path, body));
    EXPECT_EQ(answer["model_name"], "digits_mlp");
    const Json& explanation = answer["explanations"][0];
    EXPECT_EQ(explanation["element"], 3);
    EXPECT_TRUE(explanation["value"].is_number());
    ASSERT_EQ(explanation["contributions"].size(), 2U);
    EXPECT_EQ(explanation["contributions"][0]["input"], "input");
  }
  EXPECT_EQ(Call("POST", "/v2/models/none/explain", body).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(RestRpcTest, ActivityIsJson) {
  for (const char* path : {"/v2/models/digits_mlp/activity",
                           "/v2/models/digits_mlp/versions/1/activity"}) {
    const Json answer = ParseBody(Call("GET", path));
    EXPECT_EQ(answer["model_name"], "digits_mlp");
    EXPECT_EQ(answer["sampled_rows"], 0);
    EXPECT_EQ(answer["unseen_bound"], 1);
    EXPECT_EQ(answer["inputs"][0]["mean"].size(), 64U);
  }
  EXPECT_EQ(Call("GET", "/v2/models/none/activity").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(RestRpcTest, ModelsAreUnloadedAndLoaded) {
  const std::string model = "/v2/repository/models/digits_mlp/";
  EXPECT_EQ(ParseBody(Call("POST", model + "unload")), Json::object());
  EXPECT_EQ(Call("GET", "/v2/models/digits_mlp/ready")->status, 400);
  EXPECT_EQ(ParseBody(Call("POST", model + "load")), Json::object());
  EXPECT_EQ(Call("GET", "/v2/models/digits_mlp/ready")->status, 200);
}

TEST_F(RestRpcTest, ModelsAreLoadedWithTheConfigOfTheBody) {
  const std::string load = "/v2/repository/models/digits_mlp/load";
  ParseBody(Call("POST", load,
                 R"({"parameters": {"config": "{\"max_batch_size\": 3}"}})"));
  EXPECT_EQ(
      ParseBody(Call("GET", "/v2/models/digits_mlp/config"))["max_batch_size"],
      3);
  EXPECT_EQ(
      Call("POST", load, R"({"parameters": {"config": 7}})").status().code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_F(RestRpcTest, ThePathWinsOverTheBody) {
  EXPECT_EQ(
      Call("POST", "/v2/repository/other/index", R"({"repository_name": ""})")
          .status()
          .code(),
      absl::StatusCode::kUnimplemented);
}

TEST_F(RestRpcTest, ErrorsAreThoseOfTheRpc) {
  EXPECT_EQ(Call("GET", "/v2/models/none").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Call("GET", "/v2/models/broken").status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(Call("GET", "/v2/models/digits_mlp/versions/x").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Call("POST", "/v2/repository/index", "{").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Call("POST", "/v2/repository/models/none/load").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(
      Call("POST", "/v2/repository/models/..%2F..%2Fetc/load").status().code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Call("GET", "/v2/cudasharedmemory/status").status().code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace relu
