#include "client/cli/model_compaction.h"

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/base/file.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/relu/leaf_box.h"
#include "core/relu/piecewise_lowering.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/value_bounds.h"
#include "proto/onnx.pb.h"
#include "tests/client/cli/cli_support.h"
#include "tests/core/graph/model_builder.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

// relu(x0 + x1, x0 - x1 - 3, -1, x1) -> the sum of all but the last: for x
// from -1 to 1, the second is dead; the third always is; none reads the last.
onnx::ModelProto FourNeurons() {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 2}})
      .Floats("w1", {2, 4}, {1, 1, 0, 0, 1, -1, 0, 1})
      .Floats("b1", {4}, {0, -3, -1, 0})
      .Node("Gemm", {"x", "w1", "b1"}, "sum")
      .Node("Relu", {"sum"}, "h")
      .Floats("w2", {4, 1}, {1, 1, 1, 0})
      .Node("MatMul", {"h", "w2"}, "y")
      .Output("y", {.sizes = {-1, 1}});
  return builder.model();
}

// A file, and what is known of it.
class Subject {
 public:
  explicit Subject(const onnx::ModelProto& proto)
      : file_(folder_.Write("model.onnx", proto.SerializeAsString())),
        graph_(ImportOnnx(std::filesystem::path(file_))),
        model_(CompiledModel::Compile(*graph_)),
        network_(LowerToPiecewise(*graph_, "")) {
    CHECK(model_.ok() && network_.ok());
  }

  void SetBox(const InputBox& box) {
    box_ = box;
    bounds_ = LinearBounds(*network_, box_);
    facts_.box = &box_;
    facts_.bounds = &bounds_;
  }

  ModelCompaction Compact(bool drops_zero_inputs = false) {
    facts_.network = &*network_;
    facts_.drops_zero_inputs = drops_zero_inputs;
    auto compaction = ModelCompaction::Of(file_, *model_, facts_);
    CHECK(compaction.ok());
    return *std::move(compaction);
  }

  std::string output() const { return file_ + ".small"; }
  const std::string& file() const { return file_; }
  const CompiledModel& model() const { return *model_; }
  const CompactionFacts& facts() const { return facts_; }

 private:
  TemporaryFolder folder_;
  std::string file_;
  absl::StatusOr<Graph> graph_;
  absl::StatusOr<CompiledModel> model_;
  absl::StatusOr<PiecewiseNetwork> network_;
  InputBox box_;
  ValueBounds bounds_;
  CompactionFacts facts_;
};

const InputBox kUnitBox = {.low = {-1, -1}, .high = {1, 1}};

TEST(ModelCompactionTest, WithoutABoxWhatIsAlwaysZeroGoes) {
  Subject subject(FourNeurons());
  const ModelCompaction compaction = subject.Compact();
  const Json json = Json::parse(compaction.Json());
  EXPECT_EQ(json["needs_box"], false);
  EXPECT_EQ(json["layers"][0]["node"], "sum");
  EXPECT_EQ(json["layers"][0]["dead"], 1);
  EXPECT_EQ(json["layers"][0]["unread"], 1);
  EXPECT_EQ(json["layers"][0]["kept"], 2);
  EXPECT_EQ(json["layers"][1]["obstacle"], "\"y\" is an output");
  EXPECT_EQ(json["before"]["parameters"], 17);
  EXPECT_EQ(json["after"]["parameters"], 9);
  EXPECT_FALSE(json.contains("written"));
  EXPECT_THAT(compaction.Text(), HasSubstr("2 neurons can be taken out"));
  EXPECT_THAT(compaction.Text(), HasSubstr("parameters 17 -> 9 (47.1 % less)"));
}

TEST(ModelCompactionTest, BoxIsRecordedInTheFile) {
  Subject subject(FourNeurons());
  subject.SetBox(kUnitBox);
  ModelCompaction compaction = subject.Compact();
  const absl::Status written =
      compaction.Write(subject.output(), subject.model(), subject.facts());
  ASSERT_TRUE(written.ok()) << written;
  const Json json = Json::parse(compaction.Json());
  EXPECT_EQ(json["needs_box"], true);
  EXPECT_EQ(json["layers"][0]["kept"], 1);
  EXPECT_EQ(json["checked_points"], 100'000);
  EXPECT_EQ(json["checked_alone"], 1563);
  const auto bytes = ReadFile(subject.output(), /*max_bytes=*/1 << 16);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_THAT(*bytes, HasSubstr("relud.compact.box.x"));
  EXPECT_THAT(*bytes, HasSubstr("0-1: [-1, 1]"));
  EXPECT_FALSE(std::filesystem::exists(subject.output() + ".part"));
}

TEST(ModelCompactionTest, NeuronThatIsDeadForAOneHotGroupGoes) {
  // relu(x0 + x1, x0 + x1 - 1.5): the second is on where both are 1.
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 2}})
      .Floats("w1", {2, 2}, {1, 1, 1, 1})
      .Floats("b1", {2}, {0, -1.5F})
      .Node("Gemm", {"x", "w1", "b1"}, "sum")
      .Node("Relu", {"sum"}, "h")
      .Floats("w2", {2, 1}, {1, 1})
      .Node("MatMul", {"h", "w2"}, "y")
      .Output("y", {.sizes = {-1, 1}});
  Subject subject(builder.model());
  subject.SetBox(
      {.low = {0, 0}, .high = {1, 1}, .one_hot = {{.first = 0, .size = 2}}});
  ModelCompaction compaction = subject.Compact();
  const absl::Status written =
      compaction.Write(subject.output(), subject.model(), subject.facts());
  ASSERT_TRUE(written.ok()) << written;
  EXPECT_EQ(Json::parse(compaction.Json())["layers"][0]["kept"], 1);
  const auto bytes = ReadFile(subject.output(), /*max_bytes=*/1 << 16);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_THAT(*bytes, HasSubstr("0-1: one_hot"));
}

TEST(ModelCompactionTest, ZeroInputsGoIfThatIsWanted) {
  Subject subject(FourNeurons());
  subject.SetBox({.low = {-9, 0}, .high = {9, 0}});
  EXPECT_EQ(Json::parse(subject.Compact().Json())["layers"].size(), 2U);
  ModelCompaction compaction = subject.Compact(/*drops_zero_inputs=*/true);
  const Json json = Json::parse(compaction.Json());
  EXPECT_EQ(json["layers"][0]["input"], "x");
  EXPECT_EQ(json["layers"][0]["dead"], 1);
  EXPECT_EQ(json["layers"][0]["kept"], 1);
  EXPECT_EQ(json["needs_box"], true);
  const absl::Status written =
      compaction.Write(subject.output(), subject.model(), subject.facts());
  EXPECT_TRUE(written.ok()) << written;
}

TEST(ModelCompactionTest, ModelsOfABoxAreNotMadeSmallerAgain) {
  Subject subject(FourNeurons());
  subject.SetBox(kUnitBox);
  ModelCompaction compaction = subject.Compact();
  ASSERT_TRUE(
      compaction.Write(subject.output(), subject.model(), subject.facts())
          .ok());
  // With one more neuron to take out, it still is a model of that box.
  auto bytes = ReadFile(subject.output(), /*max_bytes=*/1 << 16);
  ASSERT_TRUE(bytes.ok());
  onnx::ModelProto proto;
  ASSERT_TRUE(proto.ParseFromString(*bytes));
  onnx::ModelProto original = FourNeurons();
  proto.mutable_graph()->Swap(original.mutable_graph());
  Subject again(proto);
  const absl::Status status =
      again.Compact().Write(again.output(), again.model(), again.facts());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("start from the original"));
}

TEST(ModelCompactionTest, BitsThatDifferAreNotWritten) {
  Subject subject(FourNeurons());
  // The facts are of a smaller box than the one that is checked.
  subject.SetBox(kUnitBox);
  ModelCompaction compaction = subject.Compact();
  subject.SetBox({.low = {-9, -9}, .high = {9, 9}});
  const absl::Status status =
      compaction.Write(subject.output(), subject.model(), subject.facts());
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(status.message(), HasSubstr("not written"));
  EXPECT_FALSE(std::filesystem::exists(subject.output()));
  EXPECT_FALSE(std::filesystem::exists(subject.output() + ".part"));
}

TEST(ModelCompactionTest, OriginalIsNotOverwritten) {
  Subject subject(FourNeurons());
  const absl::Status status =
      subject.Compact().Write(subject.file(), subject.model(), subject.facts());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("a file of its own"));
}

TEST(ModelCompactionTest, FileThatCannotBeWrittenIsNamed) {
  Subject subject(FourNeurons());
  const absl::Status status = subject.Compact().Write(
      "/nonexistent/small.onnx", subject.model(), subject.facts());
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("/nonexistent/small.onnx"));
}

}  // namespace
}  // namespace relu
