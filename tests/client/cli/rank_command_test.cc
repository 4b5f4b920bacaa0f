#include "client/cli/rank_command.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/cli/outcome.h"
#include "client/cli/output_form.h"
#include "client/inference_client.h"
#include "proto/inference.grpc.pb.h"
#include "proto/relu.grpc.pb.h"
#include "proto/relu.pb.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Models: "one" has "x" of 3 floats, "two" has that and "c" of 1 integer.
// Scores are the numbers of the items, the last one first.
class FakeRanker {
 public:
  FakeRanker() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(&v2_);
    builder.RegisterService(&relu_);
    server_ = builder.BuildAndStart();
    client_ =
        InferenceClient::Create("127.0.0.1:" + std::to_string(port)).value();
  }
  ~FakeRanker() {
    client_.reset();
    server_->Shutdown();
  }
  FakeRanker(const FakeRanker&) = delete;
  FakeRanker& operator=(const FakeRanker&) = delete;

  InferenceClient& client() { return *client_; }
  const v1::RankRequest& request() const { return relu_.request; }
  void Refuse(const grpc::Status& status) { relu_.status = status; }

 private:
  struct V2 : inference::GRPCInferenceService::Service {
    grpc::Status ModelMetadata(
        grpc::ServerContext* /*context*/,
        const inference::ModelMetadataRequest* request,
        inference::ModelMetadataResponse* response) override {
      Add("x", "FP32", 3, *response);
      if (request->name() == "two") {
        Add("c", "INT64", 1, *response);
      }
      return grpc::Status::OK;
    }
    static void Add(const char* name, const char* type, std::int64_t size,
                    inference::ModelMetadataResponse& response) {
      auto& input = *response.add_inputs();
      input.set_name(name);
      input.set_datatype(type);
      input.add_shape(-1);
      input.add_shape(size);
    }
  };

  struct Relu : v1::ReluService::Service {
    grpc::Status Rank(grpc::ServerContext* /*context*/,
                      const v1::RankRequest* from,
                      v1::RankResponse* response) override {
      request = *from;
      response->set_output("y");
      for (auto item = request.items(0).shape(0) - 1; item >= 0; --item) {
        response->add_items(static_cast<std::uint32_t>(item));
        response->add_scores(static_cast<float>(item));
      }
      return status;
    }
    v1::RankRequest request;
    grpc::Status status;
  };

  V2 v2_;
  Relu relu_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<InferenceClient> client_;
};

class RankCommandTest : public testing::Test {
 protected:
  RankCommandTest()
      : folder_(std::filesystem::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::create_directories(folder_);
  }
  ~RankCommandTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    const std::filesystem::path file = folder_ / name;
    std::ofstream(file) << text;
    return file.string();
  }

  Outcome Run(const RankCommandOptions& options, const std::string& items) {
    std::istringstream input(items);
    return RunRank(fake_.client(), options, input);
  }

  RankCommandOptions One() {
    RankCommandOptions options;
    options.model = "one";
    options.shared = Write("user.csv", "1,2\n");
    options.shared_features = {"2"};
    return options;
  }

  RankCommandOptions Two() {
    RankCommandOptions options;
    options.model = "two";
    options.shared = Write("user.json", "[[1,2,3]]");
    options.shared_inputs = {"x"};
    return options;
  }

  const std::filesystem::path folder_;
  FakeRanker fake_;
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
  const v1::RankRequest& request = fake_.request();
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
  EXPECT_EQ(fake_.request().shared(0).name(), "x");
  EXPECT_EQ(fake_.request().items(0).name(), "c");
  EXPECT_EQ(fake_.request().items(0).datatype(), "INT64");
  EXPECT_FALSE(fake_.request().has_element());
}

TEST_F(RankCommandTest, WholeInputsAndFeaturesOfOthersAreShared) {
  RankCommandOptions options = Two();
  options.shared = Write("both.csv", "8,9,4\n");  // Of x two, and c.
  options.shared_inputs = {"c"};
  options.shared_features = {"x=2"};
  const Outcome outcome = Run(options, "5\n6\n");
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  const v1::RankRequest& request = fake_.request();
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
  options.shared = Write("users.csv", "1,2\n3,4\n");
  EXPECT_THAT(Run(options, "1\n").err, HasSubstr("2 rows, wanted is the one"));
  options.shared = "/nowhere.csv";
  EXPECT_EQ(Run(options, "1\n").code, ExitCode::kWrongInput);
}

TEST_F(RankCommandTest, RefusalIsShown) {
  fake_.Refuse({grpc::StatusCode::UNIMPLEMENTED, "rows depend"});
  const Outcome outcome = Run(One(), "1\n");
  EXPECT_EQ(outcome.code, ExitCode::kRefused);
  EXPECT_THAT(outcome.err, HasSubstr("rows depend"));
}

}  // namespace
}  // namespace relu
