#include "core/graph/onnx_import.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "google/protobuf/stubs/logging.h"
#include "gtest/gtest.h"

#include "core/graph/onnx_file.h"
#include "core/tensor/shape.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

absl::Status ImportStatus(ModelBuilder& builder) {
  return ImportOnnx(builder.model(), "").status();
}

// The text between the first two quotes after `begin`.
std::string Quoted(const std::string& line, std::size_t begin) {
  const std::size_t open = line.find('"', begin);
  return line.substr(open + 1, line.find('"', open + 1) - open - 1);
}

// What EXPECT.json says of each file, such as "reject".
std::map<std::string, std::string> ReadVerdicts() {
  std::map<std::string, std::string> verdicts;
  std::ifstream file("tests/testdata/malformed/EXPECT.json");
  std::string name;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with("{")) {
      name = Quoted(line, 0);
    } else if (const auto key = line.find("\"expect\":");
               key != std::string::npos) {
      verdicts[name] = Quoted(line, key + 9);
    }
  }
  return verdicts;
}

// Of weights that are large enough to be left for later.
TEST(OnnxImportTest, ShapesThatAreComputedOfWeightsAreKnown) {
  std::vector<float> weights(5000);
  weights[17] = 1;
  ModelBuilder builder(13);
  builder.Input("x", {.sizes = {-1, 4}})
      .Floats("w", {5000}, weights)
      .Int64s("front", {2}, {-1, 4})
      .Node("ReduceSum", {"w"}, "sum", {IntAttributeProto("keepdims", 1)})
      .Node("Cast", {"sum"}, "one",
            {IntAttributeProto("to", onnx::TensorProto::INT64)})
      .Node("Concat", {"front", "one"}, "shape", {IntAttributeProto("axis", 0)})
      .Node("Reshape", {"x", "shape"}, "y")
      .Output("y", {.sizes = {-1, 4, 1}});
  TestFolder folder;
  const auto graph = ImportOnnx(folder.Write("model.onnx", builder.model()));
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->values[graph->outputs[0]].shape, (Shape{kBatchDim, 4, 1}));
}

// The first reading of the input, with a batch, is right; of the second the
// ConstantOfShape would be a constant that is too large.
TEST(OnnxImportTest, ReadingsThatOutlinesCannotTellAreTriedWithWeights) {
  std::vector<float> weights(5000);
  weights[17] = 1;
  ModelBuilder builder(13);
  builder.Input("x", {.sizes = {4096, 512}})
      .Floats("w", {5000}, weights)
      .Int64s("front", {1}, {512})
      .Node("Shape", {"x"}, "size")
      .Node("ConstantOfShape", {"size"}, "zeros")
      .Node("ReduceSum", {"w"}, "sum", {IntAttributeProto("keepdims", 1)})
      .Node("Cast", {"sum"}, "one",
            {IntAttributeProto("to", onnx::TensorProto::INT64)})
      .Node("Concat", {"one", "front"}, "row", {IntAttributeProto("axis", 0)})
      .Floats("offset", {512}, std::vector<float>(512))
      .Node("Reshape", {"offset", "row"}, "offsets")
      .Node("Add", {"x", "offsets"}, "moved")
      .Node("Add", {"moved", "zeros"}, "y")
      .Output("y", {.sizes = {4096, 512}});
  const auto whole = ImportOnnx(builder.model(), "");
  ASSERT_TRUE(whole.ok()) << whole.status();
  TestFolder folder;
  const auto graph = ImportOnnx(folder.Write("model.onnx", builder.model()));
  EXPECT_TRUE(graph.ok()) << graph.status();
}

// Its weights, which are not numbers, are summed up for a size.
ModelBuilder WithSizeFromWeights() {
  ModelBuilder builder(17);
  builder.Input("x", {.sizes = {-1, 4}})
      .Floats("w", {5000}, std::vector<float>(5000, NAN))
      .Int64s("one", {1}, {1})
      .Node("ReduceMax", {"w"}, "most", {IntAttributeProto("keepdims", 1)})
      .Node("Cast", {"most"}, "size",
            {IntAttributeProto("to", onnx::TensorProto::INT64)})
      .Node("Reshape", {"x", "size"}, "r");
  return builder;
}

absl::Status ImportFileStatus(const ModelBuilder& builder) {
  TestFolder folder;
  ModelBuilder copy = builder;
  return ImportOnnx(folder.Write("model.onnx", copy.model())).status();
}

TEST(OnnxImportTest, WeightsAreReadAfterAllThatNeedsNone) {
  ModelBuilder builder = WithSizeFromWeights();
  builder.Node("Relu", {"r"}, "y").Output("y");
  EXPECT_THAT(ImportFileStatus(builder), Fails(kInvalid, "constant \"w\""));
}

// By this process so far, from files and whatever else it reads.
std::size_t BytesRead() {
  std::ifstream file("/proc/self/io");
  std::string name;
  std::size_t bytes = 0;
  file >> name >> bytes;
  EXPECT_EQ(name, "rchar:");
  return bytes;
}

// With a fixed batch there are two readings of the input.
TEST(OnnxImportTest, WeightsThatAreNotNumbersAreReadOnce) {
  constexpr std::size_t kCount = 500'000;
  ModelBuilder builder(17);
  builder.Input("x", {.sizes = {3, kCount}})
      .Floats("w", {kCount}, std::vector<float>(kCount, NAN))
      .Node("Add", {"x", "w"}, "y")
      .Output("y");
  TestFolder folder;
  const std::filesystem::path file =
      folder.Write("model.onnx", builder.model());
  const std::size_t before = BytesRead();
  EXPECT_THAT(ImportOnnx(file).status(), Fails(kInvalid, "constant \"w\""));
  EXPECT_LT(BytesRead() - before, kCount * sizeof(float) * 3 / 2);
}

TEST(OnnxImportTest, MistakesBehindSizesOfWeightsAreFoundWithoutThem) {
  ModelBuilder unknown = WithSizeFromWeights();
  unknown.Node("NoSuchThing", {"r"}, "y").Output("y");
  EXPECT_THAT(ImportFileStatus(unknown),
              Fails(kUnimplemented, "operator is not supported"));
  ModelBuilder missing = WithSizeFromWeights();
  missing.Node("Add", {"r", "z"}, "y").Output("y");
  EXPECT_THAT(ImportFileStatus(missing), Fails(kInvalid, "input \"z\""));
  ModelBuilder few = WithSizeFromWeights();
  few.Node("Add", {"r"}, "y").Output("y");
  EXPECT_THAT(ImportFileStatus(few), Fails(kInvalid, "wanted 2"));
  ModelBuilder attribute = WithSizeFromWeights();
  attribute.Node("Relu", {"r"}, "y", {IntAttributeProto("slope", 1)})
      .Output("y");
  EXPECT_THAT(ImportFileStatus(attribute), Fails(kUnimplemented, "\"slope\""));
  ModelBuilder twice = WithSizeFromWeights();
  twice.Node("Relu", {"r"}, "y").Node("Tanh", {"r"}, "y").Output("y");
  EXPECT_THAT(ImportFileStatus(twice), Fails(kInvalid, "two values have"));
  ModelBuilder output = WithSizeFromWeights();
  output.Output("none");
  EXPECT_THAT(ImportFileStatus(output), Fails(kInvalid, "output \"none\""));
}

TEST(OnnxImportTest, MistakesBehindSizesOfWeightsAreFoundInBothReadings) {
  ModelBuilder builder = WithSizeFromWeights();
  builder.graph().mutable_input()->Clear();
  builder.Input("x", {.sizes = {3, 4}})
      .Node("NoSuchThing", {"r"}, "y")
      .Output("y");
  EXPECT_THAT(ImportFileStatus(builder),
              Fails(kUnimplemented, "operator is not supported"));
}

// What the outline cannot tell must not be refused by it: operators that
// the import resolves, behind a size that is computed of weights.
TEST(OnnxImportTest, EveryOperatorMayStandBehindSizesOfWeights) {
  std::vector<float> weights(5000);
  weights[17] = 4;
  ModelBuilder builder(12);
  builder.Input("x", {.sizes = {-1, 4}})
      .Floats("w", {5000}, weights)
      .Int64s("front", {1}, {-1})
      .Int64s("first", {1}, {0})
      .Floats("matrix", {4, 4}, std::vector<float>(16))
      .Floats("ratio", {}, {0.5F})
      .Node("ReduceMax", {"w"}, "most", {IntAttributeProto("keepdims", 1)})
      .Node("Cast", {"most"}, "size",
            {IntAttributeProto("to", onnx::TensorProto::INT64)})
      .Node("Less", {"size", "first"}, "training")
      .Node("Concat", {"front", "size"}, "shape",
            {IntAttributeProto("axis", 0)})
      .Node("Reshape", {"x", "shape"}, "r")
      .Node("Identity", {"r"}, "i")
      .Node("Dropout", {"i", "ratio", "training"}, "d");
  builder.last_node().add_output("mask");
  builder.Node("ConstantOfShape", {"size"}, "zeros")
      .Node("Add", {"d", "zeros"}, "a")
      .Node("Scaler", {"a"}, "s");
  builder.last_node().set_domain("ai.onnx.ml");
  builder.Node("FusedGemm", {"s", "matrix"}, "g",
               {StringAttributeProto("activation", "Relu")});
  builder.last_node().set_domain("com.microsoft");
  builder.Node("ArrayFeatureExtractor", {"g", "first"}, "f");
  builder.last_node().set_domain("ai.onnx.ml");
  builder.Node("Split", {"g"}, "left", {IntAttributeProto("axis", 1)});
  builder.last_node().add_output("right");
  builder.Node("Softmax", {"left"}, "p", {IntAttributeProto("axis", 1)})
      .Node("ZipMap", {"p"}, "maps");
  builder.last_node().set_domain("ai.onnx.ml");
  builder.Output("maps").Output("right", {.sizes = {-1, 2}}).Output("f");
  builder.Output("mask", {.sizes = {-1, 4}, .type = onnx::TensorProto::BOOL});
  EXPECT_EQ(ImportFileStatus(builder), absl::OkStatus());
}

TEST(OnnxImportTest, FilesAndMessagesGiveTheSameGraphs) {
  const google::protobuf::LogSilencer quiet;
  int files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator("tests/testdata")) {
    if (entry.path().extension() != ".onnx") {
      continue;
    }
    ++files;
    const auto graph = ImportOnnx(entry.path());
    auto message = ReadOnnxFile(entry.path());
    if (!message.ok()) {
      EXPECT_EQ(graph.status(), message.status());
      continue;
    }
    const auto other =
        ImportOnnx(*std::move(message), entry.path().parent_path());
    ASSERT_EQ(graph.status().code(), other.status().code())
        << entry.path() << graph.status() << other.status();
    if (graph.ok()) {
      EXPECT_EQ(graph->metadata, other->metadata);
      EXPECT_EQ(graph->nodes.size(), other->nodes.size());
      EXPECT_TRUE(std::ranges::equal(graph->constants, other->constants,
                                     [](const auto& a, const auto& b) {
                                       return a->shape() == b->shape() &&
                                              std::ranges::equal(a->bytes(),
                                                                 b->bytes());
                                     }))
          << entry.path();
    }
  }
  EXPECT_GT(files, 70);
}

TEST(OnnxImportTest, MalformedFilesGetTheirVerdicts) {
  const google::protobuf::LogSilencer quiet;
  const auto verdicts = ReadVerdicts();
  ASSERT_GE(verdicts.size(), 40U);
  for (const auto& [name, verdict] : verdicts) {
    const std::filesystem::path file =
        "tests/testdata/malformed/" + name + ".onnx";
    ASSERT_TRUE(std::filesystem::exists(file)) << file;
    const absl::Status status = ImportOnnx(file).status();
    if (verdict == "reject") {
      EXPECT_FALSE(status.ok()) << name;
    } else if (verdict.find("reject") == std::string::npos) {
      EXPECT_TRUE(status.ok()) << status;
    }
    if (!status.ok()) {
      EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr(name));
      EXPECT_LT(status.message().size(), 2000U) << name;
    }
  }
}

TEST(OnnxImportTest, MissingFileReturnsNotFound) {
  EXPECT_THAT(ImportOnnx("none/model.onnx").status(),
              Fails(absl::StatusCode::kNotFound, "none/model.onnx"));
}

TEST(OnnxImportTest, MissingExternalDataReturnsNotFoundWithTheModel) {
  EXPECT_THAT(
      ImportOnnx("tests/testdata/malformed/73_ext_missing.onnx").status(),
      Fails(absl::StatusCode::kNotFound, "73_ext_missing.onnx: tensor"));
}

TEST(OnnxImportTest, AbsurdVersionsAreRefused) {
  for (const int version : {-1, 0, 101, 9999}) {
    ModelBuilder builder = MakeMlp({2, 1});
    builder.model().set_ir_version(version);
    EXPECT_THAT(ImportStatus(builder), Fails(kInvalid, "wanted 1 to 100"));
  }
  for (const int version : {-1, 0, 1001}) {
    ModelBuilder builder = MakeMlp({2, 1});
    builder.model().mutable_opset_import(0)->set_version(version);
    EXPECT_THAT(ImportStatus(builder), Fails(kInvalid, "wanted 1 to 1000"));
  }
}

TEST(OnnxImportTest, NewerVersionsThanWeKnowAreAccepted) {
  ModelBuilder builder = MakeMlp({2, 1});
  builder.model().set_ir_version(14);
  builder.model().mutable_opset_import(0)->set_version(30);
  EXPECT_TRUE(ImportStatus(builder).ok());
}

TEST(OnnxImportTest, StandardOperatorsMustBeImportedOnce) {
  ModelBuilder none = MakeMlp({2, 1});
  none.model().mutable_opset_import(0)->set_domain("com.example");
  EXPECT_THAT(ImportStatus(none),
              Fails(kInvalid, "does not import the standard"));
  ModelBuilder twice = MakeMlp({2, 1});
  auto& second = *twice.model().add_opset_import();
  second.set_domain("ai.onnx");
  second.set_version(7);
  EXPECT_THAT(ImportStatus(twice), Fails(kInvalid, "imported twice"));
}

TEST(OnnxImportTest, ModelsWithoutGraphOrOutputAreRefused) {
  ModelBuilder graph = MakeMlp({2, 1});
  graph.model().clear_graph();
  EXPECT_THAT(ImportStatus(graph), Fails(kInvalid, "no graph"));
  ModelBuilder output = MakeMlp({2, 1});
  output.graph().clear_output();
  EXPECT_THAT(ImportStatus(output), Fails(kInvalid, "no output"));
}

TEST(OnnxImportTest, FunctionsTrainingAndSparseTensorsAreRefused) {
  ModelBuilder function = MakeMlp({2, 1});
  function.model().add_functions()->set_name("Block");
  EXPECT_THAT(ImportStatus(function), Fails(kUnimplemented, "\"Block\""));
  ModelBuilder training = MakeMlp({2, 1});
  training.model().add_training_info();
  EXPECT_THAT(ImportStatus(training), Fails(kUnimplemented, "training"));
  ModelBuilder sparse = MakeMlp({2, 1});
  sparse.graph().add_sparse_initializer();
  EXPECT_THAT(ImportStatus(sparse), Fails(kUnimplemented, "sparse"));
}

TEST(OnnxImportTest, LongNamesAreRefused) {
  const std::string name(1025, 'x');
  ModelBuilder builder;
  builder.Input(name, {.sizes = {-1, 4}}).Node("Relu", {name}, "y").Output("y");
  EXPECT_THAT(ImportStatus(builder), Fails(kInvalid, "a name has 1025 bytes"));
}

TEST(OnnxImportTest, NodesWithoutNamesGetOne) {
  ModelBuilder builder = MakeMlp({2, 3, 1});
  builder.graph().mutable_node(2)->clear_name();
  const auto graph = ImportOnnx(builder.model(), "");
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->nodes[2].name, "Gemm_2");
}

TEST(OnnxImportTest, NodesMayStandInAnyOrder) {
  ModelBuilder builder = MakeMlp({2, 3, 1});
  builder.graph().mutable_node()->SwapElements(0, 2);
  EXPECT_TRUE(ImportStatus(builder).ok());
}

TEST(OnnxImportTest, CyclesAreRefused) {
  ModelBuilder builder = MakeMlp({2, 2, 2});
  builder.graph().mutable_node(0)->set_input(0, "r1");
  EXPECT_THAT(ImportStatus(builder), Fails(kInvalid, "cycle"));
}

TEST(OnnxImportTest, InputsWithInitializersAreConstants) {
  ModelBuilder builder = MakeMlp({2, 3});
  builder.Input("w1", {.sizes = {2, 3}});
  builder.Floats("unread", {2, 3}, {1, 2, 3, 4, 5, 6});
  builder.Input("unread", {.sizes = {2, 3}});
  const auto graph = ImportOnnx(builder.model(), "");
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->inputs.size(), 1U);
  EXPECT_EQ(graph->constants.size(), 2U);
}

TEST(OnnxImportTest, InputGivenTwiceIsRefused) {
  ModelBuilder builder = MakeMlp({2, 3});
  builder.Input("x", {.sizes = {-1, 3}});
  EXPECT_THAT(ImportStatus(builder),
              Fails(kInvalid, "input \"x\" is given twice"));
}

TEST(OnnxImportTest, InputThatNothingReadsStaysAnInput) {
  ModelBuilder builder = MakeMlp({2, 3});
  builder.Input("unread", {.sizes = {-1, 7}});
  const auto graph = ImportOnnx(builder.model(), "");
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->inputs.size(), 2U);
}

TEST(OnnxImportTest, InitializerThatNothingReadsIsNotEvenChecked) {
  ModelBuilder builder = MakeMlp({2, 3});
  builder.Floats("unread", {1000}, {1});
  EXPECT_TRUE(ImportStatus(builder).ok());
}

}  // namespace
}  // namespace relu
