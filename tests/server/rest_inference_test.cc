#include "server/rest_inference.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "server/rest_infer_request.h"
#include "server/rest_routes.h"
#include "tests/server/rest_fixture.h"

namespace relu {
namespace {

// What RestHandler does with it is tested there.
TEST(RestInferenceTest, IsUsedAgainForTheNextRequest) {
  LoadedRepository loaded;
  const InferEnvironment environment = {.repository = loaded.repository(),
                                        .metrics = loaded.metrics(),
                                        .max_message_bytes = 1000};
  RestInferReader reader;
  std::vector<RestInference*> idle;
  RestInference inference(environment, reader, idle);
  TaskQueue tasks;
  for (const std::string body : {"{", "{}", "[]"}) {
    const auto call = std::make_shared<FakeHttpCall>(
        FakeHttpCall::Request{.method = "POST",
                              .target = "/v2/models/digits_mlp/infer",
                              .body = body},
        tasks);
    inference.Begin(MatchRestRoute(call->method(), call->target()), call);
    EXPECT_FALSE(inference.Prepare());
    inference.Send(nullptr);
    inference.WatchClient();  // Too late: does nothing.
    EXPECT_EQ(call->Wait().status, 400) << body;
    EXPECT_THAT(idle, testing::ElementsAre(&inference));
    idle.clear();
  }
}

}  // namespace
}  // namespace relu
