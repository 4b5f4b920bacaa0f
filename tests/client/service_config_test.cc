#include "client/service_config.h"

#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/client_options.h"
#include "nlohmann/json.hpp"

namespace relu {
namespace {

using std::chrono::milliseconds;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

nlohmann::json ConfigOf(const ClientOptions& options, bool retries = true) {
  return nlohmann::json::parse(ServiceConfig(options, retries));
}

std::vector<std::string> RetriedMethods(const nlohmann::json& config) {
  std::vector<std::string> methods;
  for (const auto& name : config["methodConfig"][0]["name"]) {
    methods.push_back(name["method"]);
  }
  return methods;
}

TEST(ServiceConfigTest, RetriesAreThoseOfTheOptions) {
  ClientOptions options;
  options.retry = {.max_attempts = 3,
                   .initial_backoff = milliseconds(20),
                   .max_backoff = milliseconds(1'500),
                   .backoff_multiplier = 1.5,
                   .budget_tokens = 50,
                   .budget_ratio = 0.25};
  const auto config = ConfigOf(options);
  const auto& policy = config["methodConfig"][0]["retryPolicy"];
  EXPECT_EQ(policy["maxAttempts"], 3);
  EXPECT_EQ(policy["initialBackoff"], "0.020s");
  EXPECT_EQ(policy["maxBackoff"], "1.500s");
  EXPECT_EQ(policy["backoffMultiplier"], 1.5);
  EXPECT_EQ(policy["retryableStatusCodes"], nlohmann::json({"UNAVAILABLE"}));
  EXPECT_FALSE(policy.contains("perAttemptRecvTimeout"));
  EXPECT_EQ(config["retryThrottling"]["maxTokens"], 50);
  EXPECT_EQ(config["retryThrottling"]["tokenRatio"], 0.25);
  options.retry.attempt_timeout = milliseconds(250);
  EXPECT_EQ(
      ConfigOf(
          options)["methodConfig"][0]["retryPolicy"]["perAttemptRecvTimeout"],
      "0.250s");
}

TEST(ServiceConfigTest, OnlyWhatMayBeRepeatedIsRetried) {
  const auto methods = RetriedMethods(ConfigOf({}));
  EXPECT_THAT(methods, Contains("ModelInfer"));
  EXPECT_THAT(methods, Contains("ModelStatistics"));
  EXPECT_THAT(methods, Contains("Check"));
  for (const char* method :
       {"RepositoryModelLoad", "RepositoryModelUnload", "ModelStreamInfer"}) {
    EXPECT_THAT(methods, Not(Contains(method)));
  }
}

TEST(ServiceConfigTest, WithoutRetriesThereIsNoPolicy) {
  EXPECT_FALSE(ConfigOf({}, /*retries=*/false).contains("methodConfig"));
  ClientOptions never;
  never.retry.max_attempts = 1;
  EXPECT_FALSE(ConfigOf(never).contains("methodConfig"));
}

TEST(ServiceConfigTest, BalancingIsThatOfTheOptions) {
  ClientOptions options;
  options.balancing.ejection_calls = 7;
  auto config = ConfigOf(options);
  const auto& ejection =
      config["loadBalancingConfig"][0]["outlier_detection_experimental"];
  EXPECT_EQ(ejection["interval"], "0.500s");
  EXPECT_EQ(ejection["failurePercentageEjection"]["requestVolume"], 7);
  EXPECT_EQ(ejection["failurePercentageEjection"]["threshold"], 50);
  EXPECT_TRUE(ejection["childPolicy"][0].contains("round_robin"));
  EXPECT_EQ(config["healthCheckConfig"]["serviceName"], "");
  options.balancing.ejection_calls = 0;
  options.balancing.health_checks = false;
  config = ConfigOf(options);
  EXPECT_TRUE(config["loadBalancingConfig"][0].contains("round_robin"));
  EXPECT_FALSE(config.contains("healthCheckConfig"));
  options.balancing.round_robin = false;
  options.balancing.health_checks = true;
  config = ConfigOf(options);
  EXPECT_TRUE(config["loadBalancingConfig"][0].contains("pick_first"));
  EXPECT_FALSE(config.contains("healthCheckConfig"));
}

void ExpectRefused(const ClientOptions& options, const std::string& name) {
  const absl::Status status = CheckServiceConfig(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
  EXPECT_THAT(std::string(status.message()), HasSubstr(name));
}

TEST(ServiceConfigTest, OptionsOutOfRangeAreRefused) {
  EXPECT_TRUE(CheckServiceConfig({}).ok());
  ExpectRefused({.retry = {.max_attempts = 0}}, "max_attempts");
  ExpectRefused({.retry = {.max_attempts = 6}}, "max_attempts");
  ExpectRefused({.retry = {.initial_backoff = milliseconds(0)}}, "backoff");
  ExpectRefused({.retry = {.max_backoff = milliseconds(-1)}}, "backoff");
  ExpectRefused({.retry = {.backoff_multiplier = NAN}}, "multiplier");
  ExpectRefused({.retry = {.attempt_timeout = milliseconds(-1)}},
                "attempt_timeout");
  ExpectRefused({.retry = {.budget_tokens = 1'001}}, "budget_tokens");
  ExpectRefused({.retry = {.budget_ratio = 0}}, "budget_ratio");
  ExpectRefused({.hedging = {.max_attempts = 6}}, "hedging");
  ExpectRefused({.hedging = {.delay = milliseconds(-1)}}, "hedging.delay");
  ExpectRefused({.balancing = {.ejection_calls = -1}}, "ejection_calls");
  ExpectRefused({.balancing = {.ejection_failed_percent = 101}},
                "ejection_failed_percent");
  ExpectRefused({.balancing = {.ejection_interval = milliseconds(0)}},
                "ejection_interval");
}

}  // namespace
}  // namespace relu
