#include "client/cli/rank_command.h"

#include <cstdint>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"
#include "proto/relu.pb.h"
#include "tests/client/cli/cli_support.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Scores are the numbers of the items, the last one first.
grpc::Status LastFirst(const v1::RankRequest& request,
                       v1::RankResponse& response) {
  response.set_output("y");
  for (auto item = request.items(0).shape(0) - 1; item >= 0; --item) {
    response.add_items(static_cast<std::uint32_t>(item));
    response.add_scores(static_cast<float>(item));
  }
  return grpc::Status::OK;
}

// Models: "one" has "x" of 3 floats, "two" has that and "c" of 1 integer.
class RankCommandTest : public testing::Test {
 protected:
  Outcome Run(const RankCommandOptions& options, const std::string& items) {
    FakeAnswers answers;
    answers.AddInput("x", "FP32", {-1, 3});
    if (options.model == "two") {
      answers.AddInput("c", "INT64", {-1, 1});
    }
    answers.rank = [this](const v1::RankRequest& request,
                          v1::RankResponse& response) {
      request_ = request;
      if (findings_.ByteSizeLong() > 0) {
        *response.mutable_findings() = findings_;
      }
      return status_.ok() ? LastFirst(request, response) : status_;
    };
    const FakeServer server(std::move(answers));
    const auto client = InferenceClient::Create(server.address()).value();
    std::istringstream input(items);
    return RunRank(*client, options, input);
  }

  RankCommandOptions One() {
    RankCommandOptions options;
    options.model = "one";
    options.shared = folder_.Write("user.csv", "1,2\n");
    options.shared_features = {"2"};
    return options;
  }

  RankCommandOptions Two() {
    RankCommandOptions options;
    options.model = "two";
    options.shared = folder_.Write("user.json", "[[1,2,3]]");
    options.shared_inputs = {"x"};
    return options;
  }

  const TemporaryFolder folder_;
  v1::RankRequest request_;
  v1::RankFindings findings_;  // What the server finds; empty: nothing.
  grpc::Status status_;        // That it answers with.
};

std::string RawOf(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()),
          values.size() * sizeof(float)};
}

TEST_F(RankCommandTest, FeaturesOfOneInputAreSplit) {
  RankCommandOptions options = One();
  options.element = 4;
  options.top_k = 7;
  options.output = "y";
  const Outcome outcome = Run(options, "30\n40\n");
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  EXPECT_EQ(outcome.out, "item  y\n1     1\n0     0\n");
  const v1::RankRequest& request = request_;
  EXPECT_EQ(request.model_name(), "one");
  ASSERT_EQ(request.shared_size(), 1);
  EXPECT_THAT(request.shared(0).shape(), ElementsAre(1, 2));
  EXPECT_EQ(request.shared(0).raw(), RawOf({1, 2}));
  EXPECT_THAT(request.items(0).shape(), ElementsAre(2, 1));
  EXPECT_EQ(request.items(0).raw(), RawOf({30, 40}));
  EXPECT_EQ(request.items(0).datatype(), "FP32");
  EXPECT_EQ(request.element(), 4U);
  EXPECT_EQ(request.top_k(), 7U);
  EXPECT_EQ(request.output(), "y");
}

TEST_F(RankCommandTest, SeveralInputsAreSharedByName) {
  RankCommandOptions options = Two();
  options.label = "last";
  options.form = OutputForm::kCsv;
  const Outcome outcome = Run(options, "c,clicked\n5,0\n6,1\n7,0\n");
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  EXPECT_EQ(outcome.out, "item,score,label\n2,2,0\n1,1,1\n0,0,0\n");
  EXPECT_EQ(request_.shared(0).name(), "x");
  EXPECT_EQ(request_.items(0).name(), "c");
  EXPECT_EQ(request_.items(0).datatype(), "INT64");
  EXPECT_FALSE(request_.has_element());
}

TEST_F(RankCommandTest, WholeInputsAndFeaturesOfOthersAreShared) {
  RankCommandOptions options = Two();
  options.shared = folder_.Write("both.csv", "8,9,4\n");  // Of x two, and c.
  options.shared_inputs = {"c"};
  options.shared_features = {"x=2"};
  const Outcome outcome = Run(options, "5\n6\n");
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  const v1::RankRequest& request = request_;
  ASSERT_EQ(request.shared_size(), 2);
  EXPECT_EQ(request.shared(0).raw(), RawOf({8, 9}));
  EXPECT_EQ(request.shared(1).name(), "c");
  ASSERT_EQ(request.items_size(), 1);
  EXPECT_EQ(request.items(0).raw(), RawOf({5, 6}));
  EXPECT_THAT(request.items(0).shape(), ElementsAre(2, 1));
}

TEST_F(RankCommandTest, WrongSplitsAreWrongInput) {
  for (const char* features : {"-1", "0", "3", "4"}) {
    RankCommandOptions options = One();
    options.shared_features = {features};
    const Outcome outcome = Run(options, "1\n");
    EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
    EXPECT_THAT(outcome.err, HasSubstr("1 to 2 features"));
  }
  for (const char* features : {"", "x", "x=", "2x", "z=1"}) {
    RankCommandOptions options = One();
    options.shared_features = {features};
    EXPECT_EQ(Run(options, "1\n").code, ExitCode::kWrongInput) << features;
  }
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{}, {"x", "c"}, {"z"}}) {
    RankCommandOptions options = Two();
    options.shared_inputs = names;
    EXPECT_EQ(Run(options, "1\n").code, ExitCode::kWrongInput);
  }
  RankCommandOptions options = Two();
  options.shared_features = {"2"};
  EXPECT_THAT(Run(options, "1\n").err, HasSubstr("NAME=N"));
}

TEST_F(RankCommandTest, RowsThatDoNotFitAreWrongInput) {
  EXPECT_THAT(Run(One(), "1,2\n").err, HasSubstr("1 ("));
  RankCommandOptions options = One();
  options.shared = folder_.Write("users.csv", "1,2\n3,4\n");
  EXPECT_THAT(Run(options, "1\n").err, HasSubstr("2 rows, wanted is the one"));
  options.shared = "/nowhere.csv";
  EXPECT_EQ(Run(options, "1\n").code, ExitCode::kWrongInput);
}

TEST_F(RankCommandTest, FindingsAreNotesBesideTheScores) {
  EXPECT_EQ(Run(One(), "30\n40\n").err, "");
  findings_.set_nonfinite_items(1);
  findings_.set_out_of_domain_items(2);
  findings_.set_out_of_domain_first("row 0 is odd");
  const Outcome outcome = Run(One(), "30\n40\n");
  EXPECT_EQ(outcome.code, ExitCode::kOk);
  EXPECT_EQ(outcome.out, "item  y\n1     1\n0     0\n");
  EXPECT_EQ(outcome.err,
            "reluctl: note: 1 rows that were sent have NaN or infinity\n"
            "reluctl: note: 2 rows are outside of the model's domain; the "
            "first: row 0 is odd\n");
}

TEST_F(RankCommandTest, RefusalIsShown) {
  status_ = {grpc::StatusCode::UNIMPLEMENTED, "rows depend"};
  const Outcome outcome = Run(One(), "1\n");
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("rows depend"));
}

}  // namespace
}  // namespace relu
