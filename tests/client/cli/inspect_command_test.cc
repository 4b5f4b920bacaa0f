#include "client/cli/inspect_command.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "core/base/file.h"
#include "tests/client/cli/cli_support.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

InspectOptions OfFile(const std::string& file, bool json = false) {
  InspectOptions options;
  options.file = file;
  options.json = json;
  return options;
}

constexpr char kModel[] = "tests/testdata/quirks/rank3_input/model.onnx";

TEST(InspectCommandTest, GraphAndPlanArePrinted) {
  const Outcome outcome = RunInspect(OfFile(kModel));
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Graph: "));
  EXPECT_THAT(outcome.out, HasSubstr("Plan: "));
}

constexpr char kCredit[] = "deploy/models/credit_embed/1/model.onnx";
constexpr char kCreditRows[] = "deploy/models/credit_embed/rows.csv";

nlohmann::json InspectCredit(InspectOptions options) {
  options.file = kCredit;
  options.json = true;
  const Outcome outcome = RunInspect(options);
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  return nlohmann::json::parse(outcome.out)["network"];
}

InspectOptions WithRows() {
  InspectOptions options;
  options.rows = kCreditRows;
  options.label = "last";
  return options;
}

TEST(InspectCommandTest, WithoutRowsTheNetworkIsItsWeights) {
  const auto network = InspectCredit({});
  EXPECT_EQ(network["layers"].size(), 3U);
  EXPECT_GT(network["layers"][0]["spectral_norm"], 0.1);
  EXPECT_FALSE(network.contains("rows"));
  EXPECT_FALSE(network.contains("box"));
}

TEST(InspectCommandTest, RowsTellActivityAndBoundsOfTheirRange) {
  const auto network = InspectCredit(WithRows());
  EXPECT_EQ(network["rows"], 200);
  EXPECT_EQ(network["layers"][0]["on"].size(), 64U);
  EXPECT_EQ(network["box"], "in the range of the rows");
  EXPECT_LE(network["layers"][2]["linear_bound"],
            network["layers"][2]["interval_bound"]);
  EXPECT_EQ(network["fits_float32"], true);
}

TEST(InspectCommandTest, BoxesAreForFloats) {
  InspectOptions options;
  options.box = {0, 1};
  const auto any = InspectCredit(options);
  EXPECT_EQ(any["box"], "of floats from 0 to 1");
  EXPECT_EQ(any["fits_float32"], true);
  // With rows, integers are those that occur.
  InspectOptions rows = WithRows();
  rows.box = {0, 1};
  EXPECT_LE(InspectCredit(rows)["high"][0], any["high"][0]);
}

TEST(InspectCommandTest, DomainsAreThoseOfAConfig) {
  InspectOptions options = OfFile("deploy/models/digits_mlp/1/model.onnx");
  options.domain = {"input=0-31: [0, 1]; 32-63: 0.5"};
  EXPECT_THAT(RunInspect(options).out,
              AllOf(HasSubstr("for every input of the domain"),
                    HasSubstr("\ncertified: ")));
  options.domain = {"input=[0, inf]"};
  EXPECT_THAT(RunInspect(options).out, HasSubstr("\nnot certified: "));
}

TEST(InspectCommandTest, DomainThatDoesNotFitIsCodeTwo) {
  InspectOptions options = OfFile("deploy/models/digits_mlp/1/model.onnx");
  const auto error_of = [&](const std::string& domain) {
    options.domain = {domain};
    const Outcome outcome = RunInspect(options);
    EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
    return outcome.err;
  };
  EXPECT_THAT(error_of("input"), HasSubstr("wanted is INPUT=RULES"));
  EXPECT_THAT(error_of("input=[1, 0]"), HasSubstr("1 is above 0"));
  EXPECT_THAT(error_of("x=1"), HasSubstr("the model has \"input\""));
  EXPECT_THAT(error_of("input=3: 1"), HasSubstr("has no domain"));
  options.box = {0, 1};
  EXPECT_THAT(error_of("input=1"), HasSubstr("wanted is one of them"));
}

TEST(InspectCommandTest, OverflowIsNotCertified) {
  InspectOptions options = OfFile("deploy/models/digits_mlp/1/model.onnx");
  options.box = {0, 1};
  EXPECT_THAT(RunInspect(options).out, HasSubstr("\ncertified: "));
  options.box = {-3e38, 3e38};
  EXPECT_THAT(RunInspect(options).out, HasSubstr("\nnot certified: "));
}

TEST(InspectCommandTest, RowsThatDoNotFitAreCodeTwo) {
  InspectOptions options = WithRows();
  options.file = kModel;
  const Outcome rows = RunInspect(options);
  EXPECT_EQ(rows.code, ExitCode::kWrongInput);
  EXPECT_THAT(rows.err, HasSubstr("columns"));
  InspectOptions no_box = OfFile(kModel);
  no_box.box = {2, 1};
  const Outcome box = RunInspect(no_box);
  EXPECT_EQ(box.code, ExitCode::kWrongInput);
  EXPECT_THAT(box.err, HasSubstr("from 2 to 1"));
}

constexpr char kDigits[] = "deploy/models/digits_mlp/1/model.onnx";

InspectOptions DigitsWithRows() {
  InspectOptions options = OfFile(kDigits);
  options.rows = "deploy/models/digits_mlp/rows.csv";
  options.label = "last";
  return options;
}

TEST(InspectCommandTest, ReportIsAPage) {
  const TemporaryFolder folder;
  InspectOptions options = DigitsWithRows();
  options.report = folder.Write("report.html", "");
  const Outcome outcome = RunInspect(options);
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  const auto page = ReadFile(options.report, /*max_bytes=*/1 << 20);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(*page, StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(*page, HasSubstr("\"gradient\":"));
}

TEST(InspectCommandTest, ReportThatCannotBeWrittenIsCodeTwo) {
  InspectOptions options = OfFile(kModel);
  options.report = "/nonexistent/report.html";
  const Outcome outcome = RunInspect(options);
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, HasSubstr("/nonexistent/report.html"));
}

TEST(InspectCommandTest, CompactModelIsWrittenAndServed) {
  const TemporaryFolder folder;
  InspectOptions options =
      OfFile("tests/testdata/quirks/dead_and_duplicate_units/model.onnx");
  options.compact = folder.Write("small.onnx", "");
  options.box = {-1, 1};
  const Outcome outcome = RunInspect(options);
  ASSERT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Written: "));
  EXPECT_THAT(outcome.out, HasSubstr("100000 points"));
  const Outcome again = RunInspect(OfFile(options.compact));
  EXPECT_EQ(again.code, ExitCode::kOk) << again.err;
}

TEST(InspectCommandTest, ModelWithNothingToTakeOutIsCodeTwo) {
  const TemporaryFolder folder;
  InspectOptions options = OfFile(kModel);
  options.compact = folder.Write("small.onnx", "");
  const Outcome outcome = RunInspect(options);
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, HasSubstr("no neuron can be taken out"));
}

TEST(InspectCommandTest, JsonIsOneLine) {
  const Outcome outcome = RunInspect(OfFile(kModel, /*json=*/true));
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("{\"file\":"));
  EXPECT_EQ(outcome.out.find('\n'), outcome.out.size() - 1);
}

TEST(InspectCommandTest, MissingFileIsCodeTwoAndNamed) {
  const Outcome outcome = RunInspect(OfFile("/nonexistent/model.onnx"));
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, HasSubstr("/nonexistent/model.onnx"));
}

TEST(InspectCommandTest, FileThatIsNoModelIsCodeTwo) {
  const TemporaryFolder folder;
  const Outcome outcome =
      RunInspect(OfFile(folder.Write("model.onnx", "not a model")));
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, StartsWith("reluctl: "));
}

}  // namespace
}  // namespace relu
