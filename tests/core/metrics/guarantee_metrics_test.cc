#include "core/metrics/guarantee_metrics.h"

#include <cstdint>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(GuaranteeMetricsTest, WhatIsFoundAddsUp) {
  GuaranteeMetrics metrics;
  metrics.CountInputs({.nans = 3, .infinities = 1, .rows = 2});
  metrics.CountInputs({.nans = 1, .infinities = 0, .rows = 1});
  metrics.CountOutputs({.nans = 0, .infinities = 5, .rows = 4});
  const GuaranteeFigures figures = metrics.Read();
  EXPECT_EQ(figures.inputs.nans, 4U);
  EXPECT_EQ(figures.inputs.infinities, 1U);
  EXPECT_EQ(figures.inputs.rows, 3U);
  EXPECT_EQ(figures.outputs.nans, 0U);
  EXPECT_EQ(figures.outputs.infinities, 5U);
  EXPECT_EQ(figures.outputs.rows, 4U);
}

TEST(GuaranteeMetricsTest, ValuesOutsideAreCountedByLabelFromTheStart) {
  GuaranteeMetrics metrics;
  EXPECT_TRUE(metrics.Read().outside_values.empty());
  const std::vector<std::string> labels = {"x[0]", "x[1-3]"};
  metrics.DeclareDomain(labels);
  EXPECT_THAT(metrics.Read().outside_values,
              ElementsAre(Pair("x[0]", 0), Pair("x[1-3]", 0)));
  metrics.CountOutside(2, labels, {0, 7});
  metrics.CountOutside(1, labels, {1, 1});
  // The same version, loaded again with another domain.
  metrics.DeclareDomain({"x[0]"});
  EXPECT_EQ(metrics.Read().outside_rows, 3U);
  EXPECT_THAT(metrics.Read().outside_values,
              ElementsAre(Pair("x[0]", 1), Pair("x[1-3]", 8)));
}

TEST(GuaranteeMetricsTest, CertificateIsNoneUntilItIsSet) {
  GuaranteeMetrics metrics;
  EXPECT_FALSE(metrics.Read().certified.has_value());
  metrics.SetCertificate(false, 0.0);
  EXPECT_EQ(metrics.Read().certified, false);
  metrics.SetCertificate(true, 12.5);
  EXPECT_EQ(metrics.Read().certified, true);
  EXPECT_EQ(metrics.Read().largest_value, 12.5);
}

}  // namespace
}  // namespace relu
