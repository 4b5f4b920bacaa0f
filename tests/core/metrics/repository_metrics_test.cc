#include "core/metrics/repository_metrics.h"

#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace relu {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RepositoryMetricsTest : public ::testing::Test {
 protected:
  std::string Text() const {
    return prometheus::TextSerializer().Serialize(registry_.Collect());
  }

  prometheus::Registry registry_;
  RepositoryMetrics metrics_{registry_};
};

TEST_F(RepositoryMetricsTest, VersionsTellWhetherTheyAreServed) {
  metrics_.SetVersion("m", 2, true, 1234);
  metrics_.SetVersion("m", 3, false, 0);

  const std::string text = Text();

  EXPECT_THAT(text,
              HasSubstr("relu_model_ready{model=\"m\",version=\"2\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("relu_model_ready{model=\"m\",version=\"3\"} 0\n"));
  EXPECT_THAT(
      text,
      HasSubstr("relu_model_memory_bytes{model=\"m\",version=\"2\"} 1234\n"));
}

TEST_F(RepositoryMetricsTest, ForgottenVersionsAreNotExported) {
  metrics_.SetVersion("m", 2, true, 1234);

  metrics_.ForgetVersion("m", 2);

  EXPECT_THAT(Text(), Not(HasSubstr("version=\"2\"")));
}

TEST_F(RepositoryMetricsTest, GoodLoadsAreTimedAndNoFailures) {
  metrics_.CountLoad("m", std::chrono::milliseconds(15), true);

  const std::string text = Text();

  EXPECT_THAT(text,
              HasSubstr("relu_model_load_seconds_sum{model=\"m\"} 0.015\n"));
  EXPECT_THAT(text,
              HasSubstr("relu_model_load_failures_total{model=\"m\"} 0\n"));
}

TEST_F(RepositoryMetricsTest, FailedLoadsAreCounted) {
  metrics_.CountLoad("m", std::chrono::milliseconds(1), false);
  metrics_.CountLoad("m", std::chrono::milliseconds(1), false);

  const std::string text = Text();

  EXPECT_THAT(text,
              HasSubstr("relu_model_load_failures_total{model=\"m\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("relu_model_load_seconds_count{model=\"m\"} 2\n"));
}

}  // namespace
}  // namespace relu
