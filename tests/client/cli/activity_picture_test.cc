#include "client/cli/activity_picture.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/activity.h"
#include "tests/client/cli/activity_testing.h"

namespace relu {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::size_t CountOf(std::string_view part, std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(ActivityPictureTest, HasTwoCellsForEachNeuron) {
  const std::string svg = ActivityPicture(DriftedActivity());
  EXPECT_THAT(svg, StartsWith("<svg "));
  EXPECT_THAT(svg, HasSubstr("</svg>"));
  EXPECT_EQ(CountOf("] on in ", svg), 6U);
  EXPECT_EQ(CountOf("] moved by ", svg), 6U);
  EXPECT_THAT(svg, HasSubstr("relu1[2] moved by +6.0 standard errors"));
  EXPECT_THAT(svg, HasSubstr(">income<"));
  EXPECT_EQ(CountOf("<rect", svg), CountOf("</rect>", svg) + 1);
}

TEST(ActivityPictureTest, WithoutCalibrationThereAreNoShifts) {
  ActivityResult result = DriftedActivity();
  result.baseline_rows = 0;
  result.inputs[0].score.clear();
  for (LayerActivity& layer : result.layers) {
    layer.firing_shift.clear();
  }
  const std::string svg = ActivityPicture(result);
  EXPECT_EQ(CountOf("] on in ", svg), 6U);
  EXPECT_THAT(svg, Not(HasSubstr("moved")));
}

TEST(ActivityPictureTest, NamesAreEscaped) {
  ActivityResult result = DriftedActivity();
  result.layers[0].name = "<script>&\"\n";
  const std::string svg = ActivityPicture(result);
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;&amp;&quot;?"));
}

}  // namespace
}  // namespace relu
