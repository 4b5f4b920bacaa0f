#include "client/cli/inspect_command.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr char kModel[] = "tests/testdata/quirks/rank3_input/model.onnx";

TEST(InspectCommandTest, GraphAndPlanArePrinted) {
  const Outcome outcome = RunInspect({.file = kModel});
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Graph: "));
  EXPECT_THAT(outcome.out, HasSubstr("Plan: "));
}

TEST(InspectCommandTest, JsonIsOneLine) {
  const Outcome outcome = RunInspect({.file = kModel, .json = true});
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("{\"inputs\":"));
  EXPECT_EQ(outcome.out.find('\n'), outcome.out.size() - 1);
}

TEST(InspectCommandTest, MissingFileIsCodeTwoAndNamed) {
  const Outcome outcome = RunInspect({.file = "/nonexistent/model.onnx"});
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, HasSubstr("/nonexistent/model.onnx"));
}

TEST(InspectCommandTest, FileThatIsNoModelIsCodeTwo) {
  const TemporaryFolder folder;
  const Outcome outcome =
      RunInspect({.file = folder.Write("model.onnx", "not a model")});
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, StartsWith("reluctl: "));
}

}  // namespace
}  // namespace relu
