#include "core/metrics/guarantee_families.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

#include "core/metrics/guarantee_metrics.h"
#include "core/metrics/model_families.h"

namespace relu {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string GuaranteeText(const GuaranteeFigures& figures) {
  ModelFigures model;
  model.guarantees = figures;
  const std::vector<LabelledFigures> models = {{"m", "3", model}};
  return prometheus::TextSerializer().Serialize(GuaranteeFamilies(models));
}

TEST(GuaranteeFamiliesTest, EveryFigureIsExportedWithItsLabels) {
  const std::string text =
      GuaranteeText({.inputs = {.nans = 1, .infinities = 2, .rows = 3},
                     .outputs = {.nans = 4, .infinities = 5, .rows = 6},
                     .outside_rows = 7,
                     .outside_values = {{"x[0]", 8}, {"x[1-3]", 0}},
                     .certified = true,
                     .largest_value = 9.5});
  for (const char* line :
       {"relu_nonfinite_values_total{model=\"m\",version=\"3\","
        "tensor=\"input\",kind=\"nan\"} 1\n",
        "tensor=\"input\",kind=\"infinity\"} 2\n",
        "tensor=\"output\",kind=\"nan\"} 4\n",
        "tensor=\"output\",kind=\"infinity\"} 5\n",
        "relu_nonfinite_rows_total{model=\"m\",version=\"3\","
        "tensor=\"input\"} 3\n",
        "tensor=\"output\"} 6\n",
        "relu_out_of_domain_rows_total{model=\"m\",version=\"3\"} 7\n",
        "relu_out_of_domain_values_total{model=\"m\",version=\"3\","
        "elements=\"x[0]\"} 8\n",
        "elements=\"x[1-3]\"} 0\n",
        "relu_overflow_certified{model=\"m\",version=\"3\"} 1\n",
        "relu_proven_largest_value{model=\"m\",version=\"3\"} 9.5\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(GuaranteeFamiliesTest,
     ModelWithoutDomainAndCertificateHasNoFiguresOfThem) {
  const std::string text = GuaranteeText({});
  EXPECT_THAT(text, HasSubstr("kind=\"nan\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("relu_out_of_domain_rows_total{")));
  EXPECT_THAT(text, Not(HasSubstr("relu_out_of_domain_values_total{")));
  EXPECT_THAT(text, Not(HasSubstr("relu_overflow_certified{")));
  EXPECT_THAT(text, Not(HasSubstr("relu_proven_largest_value{")));
}

TEST(GuaranteeFamiliesTest, ModelThatIsNotCertifiedHasAZero) {
  EXPECT_THAT(GuaranteeText({.certified = false}),
              HasSubstr("relu_overflow_certified{model=\"m\","
                        "version=\"3\"} 0\n"));
}

}  // namespace
}  // namespace relu
