// Files made to break the import: damaged in every way, or small with a claim
// to much.

#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/stubs/logging.h"
#include "gtest/gtest.h"

#include "core/base/status_macros.h"
#include "core/graph/interpreter.h"
#include "core/graph/onnx_file.h"
#include "core/graph/onnx_import.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"
#include "tests/support/sanitizers.h"

namespace relu {
namespace {

constexpr std::uint32_t kSeed = 20240613;
constexpr int kDamages = 5000;

absl::StatusOr<Graph> ImportWhole(const std::string& bytes) {
  ASSIGN_OR_RETURN(onnx::ModelProto model, ParseOnnx(bytes));
  return ImportOnnx(std::move(model), "");
}

// Imports the bytes of a file, both ways, and, if they are good, runs the graph
// on a row.
absl::Status Use(const std::string& bytes) {
  static TestFolder folder;
  const auto graph = ImportOnnx(folder.Write("model.onnx", bytes));
  const auto whole = ImportWhole(bytes);
  EXPECT_EQ(graph.status().code(), whole.status().code())
      << graph.status() << whole.status();
  if (!graph.ok()) {
    return graph.status();
  }
  std::vector<Tensor> inputs;
  for (const ValueId input : graph->inputs) {
    Shape shape = graph->values[input].shape;
    shape[0] = 1;
    inputs.emplace_back(graph->values[input].type, shape);
  }
  return Interpret(*graph, inputs).status();
}

// A model with many kinds of fields and a size that can be tried byte by byte.
std::string SmallModel() {
  ModelBuilder builder(11);
  builder.Input("x", {.sizes = {-1, 2}})
      .Floats("w", {2, 3}, {1, 2, 3, 4, 5, 6})
      .Int64s("s", {2}, {-1, 3})
      .Node("Gemm", {"x", "w"}, "h", {FloatAttributeProto("alpha", 2)})
      .Node("Reshape", {"h", "s"}, "r")
      .Node("Transpose", {"w"}, "wt", {IntsAttributeProto("perm", {1, 0})})
      .Node("MatMul", {"r", "wt"}, "m")
      .Node("Concat", {"m", "x"}, "c", {IntAttributeProto("axis", -1)})
      .Node("Softmax", {"c"}, "y", {IntAttributeProto("axis", 1)})
      .Output("y", {.sizes = {-1, 4}});
  return builder.model().SerializeAsString();
}

TEST(OnnxHostileTest, SmallModelIsGood) {
  EXPECT_EQ(Use(SmallModel()), absl::OkStatus());
}

TEST(OnnxHostileTest, TruncationAtAnyByteNeverCrashes) {
  const google::protobuf::LogSilencer quiet;
  const std::string bytes = SmallModel();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Use(bytes.substr(0, size)).ok()) << size;
  }
}

TEST(OnnxHostileTest, DamagedBytesNeverCrash) {
  const google::protobuf::LogSilencer quiet;
  const std::string bytes = SmallModel();
  std::mt19937 random(kSeed);
  int refused = 0;
  for (int i = 0; i < kDamages; ++i) {
    std::string damaged = bytes;
    for (std::uint32_t flips = 1 + random() % 4; flips > 0; --flips) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    refused += Use(damaged).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, kDamages / 2);
}

// --- Memory ---

std::size_t PeakBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) << 10U;
}

// Imports the file in a process of its own. True if it was refused for this
// reason and took at most `most_bytes` more at its peak than a small model,
// which brings the code into memory.
bool IsRefusedWithin(const std::filesystem::path& file, std::size_t most_bytes,
                     std::string_view reason = "") {
  malloc_trim(0);  // What is free here would hide growth.
  const pid_t child = fork();
  if (child == 0) {
    if (!Use(SmallModel()).ok()) {
      _exit(EXIT_FAILURE);
    }
    const std::size_t before = PeakBytes();
    const absl::Status status = ImportOnnx(file).status();
    const bool is_refused =
        !status.ok() && status.ToString().find(reason) != std::string::npos;
    const std::size_t growth = PeakBytes() - before;
    _exit(is_refused && growth <= most_bytes ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

// Each file is written by the test's own process, which has given its bytes
// back by then; so the growth that is allowed counts from nothing.
class OnnxMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) {
      GTEST_SKIP() << "sanitizers take memory of their own";
    }
    // Here too, so that the folder is there, and is removed in the end.
    ASSERT_EQ(Use(SmallModel()), absl::OkStatus());
  }
  TestFolder folder_;
};

TEST_F(OnnxMemoryTest, MillionsOfEmptyNodesTakeNoMoreThanTheFile) {
  std::string nodes;
  for (std::size_t i = 0; i < 4 * kMebibyte; ++i) {
    nodes += std::string("\x0A\0", 2);  // Field 1, no bytes.
  }
  const auto file = folder_.Write("nodes.onnx", "\x3A\x80\x80\x80\x04" + nodes);
  ASSERT_EQ(std::filesystem::file_size(file), 8 * kMebibyte + 5);
  EXPECT_TRUE(IsRefusedWithin(file, 12 * kMebibyte));
}

TEST_F(OnnxMemoryTest, MillionsOfPackedDimensionsTakeNoMoreThanTheFile) {
  ModelBuilder builder = MakeMlp({2, 1});
  auto& dims = *builder.graph().mutable_initializer(0)->mutable_dims();
  dims.Resize(static_cast<int>(8 * kMebibyte), 1);
  const auto file = folder_.Write("dims.onnx", builder.model());
  EXPECT_TRUE(IsRefusedWithin(file, 12 * kMebibyte));
}

TEST_F(OnnxMemoryTest, TensorsThatClaimMuchTakeNothing) {
  for (const std::int64_t size :
       {std::int64_t{1} << 39, std::int64_t{1} << 60}) {
    ModelBuilder builder = MakeMlp({2, 1});
    builder.graph().mutable_initializer(0)->set_dims(0, size);
    EXPECT_TRUE(IsRefusedWithin(folder_.Write("claim.onnx", builder.model()),
                                4 * kMebibyte));
  }
}

TEST_F(OnnxMemoryTest, FoldingThatAsksForMuchTakesLittle) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 4}})
      .Floats("a", {1 << 15, 1}, std::vector<float>(1 << 15))
      .Floats("b", {1, 1 << 15}, std::vector<float>(1 << 15))
      .Node("Add", {"a", "b"}, "c")
      .Node("Add", {"x", "c"}, "y")
      .Output("y");
  EXPECT_TRUE(IsRefusedWithin(folder_.Write("fold.onnx", builder.model()),
                              4 * kMebibyte));
}

TEST_F(OnnxMemoryTest, FoldingOfBytesThatAreWidenedTakesLittle) {
  // 2^24 elements, for each of which the interpreter has 16 bytes.
  ModelBuilder builder;
  for (const auto& dims :
       {std::vector<std::int64_t>{1 << 12, 1}, {1, 1 << 12}}) {
    onnx::TensorProto tensor;
    tensor.set_name(dims[0] == 1 ? "b" : "a");
    tensor.mutable_dims()->Add(dims.begin(), dims.end());
    tensor.set_data_type(onnx::TensorProto::INT8);
    tensor.set_raw_data(std::string(1 << 12, '\1'));
    builder.Initializer(std::move(tensor));
  }
  builder.Input("x", {.sizes = {-1, 4}})
      .Node("Add", {"a", "b"}, "c")
      .Node("Relu", {"x"}, "y")
      .Output("none");
  EXPECT_TRUE(IsRefusedWithin(folder_.Write("bytes.onnx", builder.model()),
                              4 * kMebibyte));
}

TEST_F(OnnxMemoryTest, BroadcastingRowsThatAsksForMuchTakesNothing) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 1 << 20, 1}})
      .Input("z", {.sizes = {-1, 1, 1 << 20}})
      .Node("Add", {"x", "z"}, "y")
      .Output("y");
  EXPECT_TRUE(IsRefusedWithin(folder_.Write("rows.onnx", builder.model()),
                              4 * kMebibyte));
}

// A model of 64 MiB with weights as raw data.
ModelBuilder LargeModel() { return MakeMlp({4 << 10, 4 << 10}); }
constexpr std::size_t kLargeBytes = 64 * kMebibyte;

TEST_F(OnnxMemoryTest, WeightsOfModelThatIsNotSupportedTakeNothing) {
  ModelBuilder builder = LargeModel();
  builder.graph().mutable_output(0)->set_name("none");
  const auto file = folder_.Write("large.onnx", builder.model());
  builder.model().Clear();
  EXPECT_TRUE(IsRefusedWithin(file, 2 * kMebibyte));
}

TEST_F(OnnxMemoryTest, WeightsThatAreNotNumbersTakeTheirOwnSize) {
  ModelBuilder builder = LargeModel();
  std::string& raw =
      *builder.graph().mutable_initializer(0)->mutable_raw_data();
  raw.replace(raw.size() - 4, 4, "\xFF\xFF\xFF\xFF");
  const auto file = folder_.Write("large.onnx", builder.model());
  builder.model().Clear();
  EXPECT_TRUE(IsRefusedWithin(file, kLargeBytes + 4 * kMebibyte));
}

// Numbers of one byte each, of which the last is out of range for `type`.
ModelBuilder TypedModel(int type, int count) {
  ModelBuilder builder;
  onnx::TensorProto tensor;
  tensor.set_name("w");
  tensor.set_data_type(type);
  tensor.add_dims(count);
  tensor.mutable_int32_data()->Resize(count, 1);
  tensor.set_int32_data(count - 1, 1000);
  builder.Initializer(std::move(tensor));
  builder.Input("x", {.sizes = {-1, count}, .type = type})
      .Node("Add", {"x", "w"}, "y")
      .Output("y", {.sizes = {-1, count}, .type = type});
  return builder;
}

TEST_F(OnnxMemoryTest, NumbersOfOneByteTakeTheirOwnSize) {
  constexpr int kCount = 32 << 20;
  ModelBuilder builder = TypedModel(onnx::TensorProto::INT8, kCount);
  const auto file = folder_.Write("typed.onnx", builder.model());
  builder.model().Clear();
  EXPECT_TRUE(IsRefusedWithin(file, kCount + 4 * kMebibyte));
}

TEST_F(OnnxMemoryTest, NumbersThatTakeMoreThanInTheFileAreRefused) {
  constexpr int kCount = 16 << 20;
  ModelBuilder builder = TypedModel(onnx::TensorProto::INT32, kCount);
  builder.graph().mutable_initializer(0)->set_int32_data(kCount - 1, 1);
  const auto file = folder_.Write("typed.onnx", builder.model());
  builder.model().Clear();
  EXPECT_TRUE(IsRefusedWithin(file, 2 * kMebibyte));
}

TEST_F(OnnxMemoryTest, ConstantsOfModelThatIsNotSupportedAreNotComputed) {
  ModelBuilder builder = LargeModel();
  builder.graph().mutable_node(0)->set_input(1, "w2");
  builder.Node("Transpose", {"w1"}, "w2").Node("NoSuchThing", {"w2"}, "z");
  const auto file = folder_.Write("folds.onnx", builder.model());
  builder.model().Clear();
  EXPECT_TRUE(IsRefusedWithin(file, 2 * kMebibyte));
}

// The sum of the weights is a size of the network.
ModelBuilder ModelOfSizeFromWeights() {
  ModelBuilder builder = LargeModel();
  builder.Int64s("one", {1}, {1})
      .Node("ReduceSum", {"w1"}, "sum", {IntAttributeProto("keepdims", 1)})
      .Node("Cast", {"sum"}, "size",
            {IntAttributeProto("to", onnx::TensorProto::INT64)})
      .Node("Reshape", {"size", "one"}, "shape")
      .Node("Reshape", {"x", "shape"}, "r");
  return builder;
}

TEST_F(OnnxMemoryTest, SizesOfWeightsDoNotHideWhatIsNotSupported) {
  ModelBuilder builder = ModelOfSizeFromWeights();
  builder.Node("NoSuchThing", {"r"}, "z");
  const auto file = folder_.Write("size.onnx", builder.model());
  builder.model().Clear();
  EXPECT_TRUE(IsRefusedWithin(file, 2 * kMebibyte, "NoSuchThing"));
}

constexpr std::string_view kNotFinite = "NaN or infinite";

// The first Gemm has what becomes of its weights, which is not finite.
void DivideWeightsByZero(const std::string& weights, ModelBuilder& builder) {
  builder.graph().mutable_node(0)->set_input(1, "infinite");
  builder.Floats("zero", {}, {0}).Node("Div", {weights, "zero"}, "infinite");
}

TEST_F(OnnxMemoryTest, ResultTakesTheMemoryOfWhatItIsComputedOf) {
  ModelBuilder builder = LargeModel();
  DivideWeightsByZero("w1", builder);
  const auto file = folder_.Write("zero.onnx", builder.model());
  builder.model().Clear();
  EXPECT_TRUE(IsRefusedWithin(file, kLargeBytes + 8 * kMebibyte, kNotFinite));
}

TEST_F(OnnxMemoryTest, ConstantsOfAChainAreInMemoryTwoAtATime) {
  ModelBuilder builder = LargeModel();
  // 32 and 64 MiB beside the 64 of the file, and a second name.
  builder
      .Node("Cast", {"w1"}, "a",
            {IntAttributeProto("to", onnx::TensorProto::FLOAT16)})
      .Node("Cast", {"a"}, "b",
            {IntAttributeProto("to", onnx::TensorProto::FLOAT)})
      .Node("Identity", {"b"}, "c");
  DivideWeightsByZero("c", builder);
  const auto file = folder_.Write("chain.onnx", builder.model());
  builder.model().Clear();
  EXPECT_TRUE(IsRefusedWithin(
      file, kLargeBytes + kLargeBytes / 2 + 8 * kMebibyte, kNotFinite));
}

TEST_F(OnnxMemoryTest, BytesThatAreWidenedTakeTheirNewSizeOnce) {
  constexpr std::int64_t kCount = 4 << 20;
  const auto tensor = [](std::string_view name, int type, std::int64_t count,
                         std::string raw) {
    onnx::TensorProto proto;
    proto.set_name(std::string(name));
    proto.set_data_type(type);
    proto.add_dims(count);
    proto.set_raw_data(std::move(raw));
    return proto;
  };
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 1}, .type = onnx::TensorProto::DOUBLE})
      .Initializer(tensor("w", onnx::TensorProto::INT8, kCount,
                          std::string(kCount, '\1')))
      .Initializer(tensor("zero", onnx::TensorProto::DOUBLE, 1,
                          std::string(sizeof(double), '\0')))
      .Node("Cast", {"w"}, "a",
            {IntAttributeProto("to", onnx::TensorProto::DOUBLE)})
      .Node("Exp", {"a"}, "b")
      .Node("Div", {"b", "zero"}, "c")
      .Node("Add", {"x", "c"}, "y")
      .Output("y");
  const auto file = folder_.Write("wide.onnx", builder.model());
  builder.model().Clear();
  EXPECT_TRUE(IsRefusedWithin(file, 9 * kCount + 8 * kMebibyte, kNotFinite));
}

TEST_F(OnnxMemoryTest, TextThatNobodyReadsTakesNothing) {
  ModelBuilder builder = MakeMlp({2, 1});
  builder.graph().mutable_output(0)->set_name("none");
  const std::string bytes = builder.model().SerializeAsString();
  // Field 6 is doc_string; 64 MiB.
  const auto file =
      folder_.Write("text.onnx", bytes + std::string("\x32\x80\x80\x80\x20") +
                                     std::string(kLargeBytes, 'x'));
  EXPECT_TRUE(IsRefusedWithin(file, 2 * kMebibyte));
}

}  // namespace
}  // namespace relu
