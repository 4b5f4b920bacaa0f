#include "core/repository/model_config.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/base/utf8.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

class ModelConfigTest : public ::testing::Test {
 protected:
  absl::StatusOr<ModelConfig> Read(std::string_view text) {
    return ReadModelConfig(repository_.Write("m/config.pbtxt", text), "m");
  }

  // Expects that `text` is refused with this code and a message that names the
  // file and holds `words`.
  void ExpectRefused(std::string_view text, absl::StatusCode code,
                     const std::string& words) {
    const absl::Status status = Read(text).status();
    EXPECT_EQ(status.code(), code) << text;
    EXPECT_THAT(std::string(status.message()),
                AllOf(StartsWith(File().string() + ":"), HasSubstr(words)))
        << text;
  }
  void ExpectInvalid(std::string_view text, const std::string& words) {
    ExpectRefused(text, absl::StatusCode::kInvalidArgument, words);
  }
  void ExpectUnimplemented(std::string_view text, const std::string& words) {
    ExpectRefused(text, absl::StatusCode::kUnimplemented, words);
  }

  std::filesystem::path File() const {
    return repository_.folder() / "m/config.pbtxt";
  }

  TempRepository repository_;
};

TEST_F(ModelConfigTest, ParametersChooseHowThePlanIsMade) {
  const absl::StatusOr<ModelConfig> config = Read(
      "parameters { key: 'weight_storage' value { string_value: 'float16' } }\n"
      "parameters { key: 'zero_skip' value { string_value: 'never' } }\n");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->compile.weights, WeightStorage::kFloat16);
  EXPECT_EQ(config->compile.zero_skip, ZeroSkip::kNever);
}

TEST_F(ModelConfigTest, ParameterSaysHowManyRowsAreLookedAt) {
  const absl::StatusOr<ModelConfig> config = Read(
      "parameters { key: 'activity_sample_every' value { string_value: '1' } "
      "}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->activity_sample_every, 1);
  EXPECT_EQ(ModelConfig().activity_sample_every, std::nullopt);
}

TEST_F(ModelConfigTest, WrongParametersAreRefused) {
  for (const char* rows : {"", "-1", "many", "5 rows", "1000000001"}) {
    ExpectInvalid(
        std::string("parameters { key: 'activity_sample_every' value { "
                    "string_value: '") +
            rows + "' } }",
        "wanted a number of rows");
  }
  ExpectInvalid(
      "parameters { key: 'weight_storage' value { string_value: 'int4' } }",
      "\"float32\" or \"float16\"");
  ExpectInvalid("parameters { key: 'zero_skip' value { } }", "\"measured\"");
  ExpectUnimplemented(
      "parameters { key: 'turbo' value { string_value: 'on' } }", "\"turbo\"");
}

TEST_F(ModelConfigTest, EmptyFileGivesTheDefaults) {
  const absl::StatusOr<ModelConfig> config = Read("");

  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->max_batch_size, 0);
  EXPECT_TRUE(config->inputs.empty() && config->outputs.empty());
  EXPECT_EQ(config->slots, 0);
  EXPECT_EQ(config->model_filename, "model.onnx");
  EXPECT_EQ(config->batching.default_queue_policy.max_queue_size, 0U);
}

TEST_F(ModelConfigTest, EverySupportedFieldIsRead) {
  const absl::StatusOr<ModelConfig> config = Read(R"(
    # As one would write it for Triton.
    name: "m"
    platform: "onnxruntime_onnx"
    backend: "onnxruntime"
    max_batch_size: 16
    input [ { name: "x" data_type: TYPE_FP32 dims: [ 3, 4 ] } ]
    output [ { name: "y" data_type: TYPE_INT64 dims: [ 1 ] },
             { name: "z" } ]
    instance_group [ { name: "a" count: 2 kind: KIND_CPU }, { } ]
    default_model_filename: "net.onnx"
    dynamic_batching {
      max_queue_delay_microseconds: 0
      default_queue_policy { max_queue_size: 7 }
    }
    version_policy: { latest { num_versions: 1 } }
  )");

  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->max_batch_size, 16);
  ASSERT_EQ(config->inputs.size(), 1U);
  EXPECT_EQ(config->inputs[0].name, "x");
  EXPECT_EQ(config->inputs[0].type, DataType::kFp32);
  EXPECT_EQ(config->inputs[0].dims, (Shape{3, 4}));
  ASSERT_EQ(config->outputs.size(), 2U);
  EXPECT_EQ(config->outputs[0].type, DataType::kInt64);
  EXPECT_EQ(config->outputs[1].type, std::nullopt);
  EXPECT_TRUE(config->outputs[1].dims.empty());
  EXPECT_EQ(config->slots, 3);
  EXPECT_EQ(config->model_filename, "net.onnx");
  EXPECT_EQ(config->batching.default_queue_policy.max_queue_size, 7U);
}

TEST_F(ModelConfigTest, EveryBackendOfOnnxFilesIsTaken) {
  for (const std::string name :
       {"", "onnxruntime", "onnxruntime_onnx", "relud", "relu_onnx"}) {
    EXPECT_TRUE(Read("backend: \"" + name + "\"").ok()) << name;
    EXPECT_TRUE(Read("platform: \"" + name + "\"").ok()) << name;
  }
}

TEST_F(ModelConfigTest, EveryDataTypeIsReadByItsName) {
  for (const std::string name :
       {"BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32",
        "INT64", "FP16", "BF16", "FP32", "FP64"}) {
    const absl::StatusOr<ModelConfig> config =
        Read("input { name: \"x\" data_type: TYPE_" + name + " }");

    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(config->inputs[0].type, ParseDataType(name)) << name;
  }
}

TEST_F(ModelConfigTest, TextThatCannotBeParsedIsInvalidWithLineAndColumn) {
  ExpectInvalid("name: \"m\"\nmax_batch_size: many\n", ":2:17: ");
  ExpectInvalid("name: \"m", ":1:");
  ExpectInvalid("\n\ninput [ {", ":3:");
  ExpectInvalid("instance_group { kind: KIND_TPU }", "KIND_TPU");
}

TEST_F(ModelConfigTest, UnknownFieldIsInvalidWithItsLine) {
  ExpectInvalid("name: \"m\"\n  optimisation { }\n", ":2:");
  ExpectInvalid("optimisation { }", "no field named \"optimisation\"");
  ExpectInvalid("input { reshape { } }", "no field named \"reshape\"");
}

TEST_F(ModelConfigTest, FileBeyondOneMebibyteIsInvalid) {
  const std::string comment(std::size_t{1} << 20, '#');
  EXPECT_TRUE(Read(comment).ok());

  ExpectInvalid(comment + "#", "1048577 bytes, the most is 1048576");
}

TEST_F(ModelConfigTest, MissingFileIsNotFound) {
  EXPECT_EQ(ReadModelConfig(File(), "m").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ModelConfigTest, NameMustBeThatOfTheFolder) {
  ExpectInvalid("name: \"other\"",
                "name is \"other\", wanted that of the "
                "folder, \"m\"");
}

TEST_F(ModelConfigTest, OtherBackendsAreUnimplemented) {
  ExpectUnimplemented("backend: \"pytorch\"", "backend \"pytorch\"");
  ExpectUnimplemented("platform: \"tensorrt_plan\"",
                      "platform \"tensorrt_plan\"");
}

TEST_F(ModelConfigTest, NegativeMaxBatchSizeIsInvalid) {
  ExpectInvalid("max_batch_size: -1", "max_batch_size is -1, wanted 0 or more");
}

TEST_F(ModelConfigTest, TensorWithoutNameIsInvalid) {
  ExpectInvalid("input { dims: 3 }", "input has no name");
  ExpectInvalid("output { dims: 3 }", "output has no name");
}

TEST_F(ModelConfigTest, TensorListedTwiceIsInvalid) {
  ExpectInvalid("input { name: \"x\" } input { name: \"x\" }",
                "input \"x\" is listed twice");
}

TEST_F(ModelConfigTest, DataTypeWithoutTensorsIsUnimplemented) {
  ExpectUnimplemented("input { name: \"x\" data_type: TYPE_STRING }",
                      "input \"x\": data_type 13 (TYPE_STRING)");
  ExpectUnimplemented("output { name: \"y\" data_type: 99 }",
                      "output \"y\": data_type 99");
}

TEST_F(ModelConfigTest, InstanceGroupsOffTheCpuAreUnimplemented) {
  ExpectUnimplemented("instance_group { kind: KIND_GPU }", "KIND_GPU");
  ExpectUnimplemented("instance_group { kind: KIND_MODEL }", "KIND_MODEL");
  ExpectUnimplemented("instance_group { kind: 9 }", "instance_group.kind 9");
}

TEST_F(ModelConfigTest, InstanceGroupCountsAreBounded) {
  EXPECT_EQ(Read("instance_group { count: 256 }")->slots, 256);
  ExpectInvalid("instance_group { count: -1 }", "count is -1");
  ExpectInvalid("instance_group { count: 200 } instance_group { count: 57 }",
                "sum up to 257, the most is 256");
}

TEST_F(ModelConfigTest, ModelFilenameMustBePlain) {
  for (const std::string name :
       {"../secret.onnx", "/etc/passwd", "a/b.onnx", "..", ".", "a\\000b"}) {
    ExpectInvalid("default_model_filename: \"" + name + "\"",
                  "default_model_filename");
  }
}

TEST_F(ModelConfigTest, WrongBatchingIsInvalid) {
  ExpectInvalid(
      "max_batch_size: 8 dynamic_batching { preferred_batch_size: 9 }",
      "dynamic_batching.preferred_batch_size is 9");
}

TEST_F(ModelConfigTest, VersionPolicyAndLabelsAreRead) {
  const absl::StatusOr<ModelConfig> config = Read(
      "version_policy { specific { versions: [ 4, 2 ] } }\n"
      "parameters { key: 'version_label.stable' value { string_value: '2' } }");

  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->version_policy.kind, VersionPolicy::Kind::kSpecific);
  EXPECT_THAT(config->version_policy.specific, ElementsAre(2, 4));
  EXPECT_THAT(config->version_labels, ElementsAre(Pair("stable", 2)));
}

TEST_F(ModelConfigTest, WrongVersionPoliciesAndLabelsAreInvalid) {
  ExpectInvalid("version_policy { specific { } }", "names no version");
  ExpectInvalid(
      "parameters { key: 'version_label.2' value { string_value: '2' } }",
      "version_label.2");
}

TEST_F(ModelConfigTest, WarmupIsRead) {
  const absl::StatusOr<ModelConfig> config = Read(
      "model_warmup { name: 'w' batch_size: 3 count: 2 inputs { key: 'x' value "
      "{ data_type: TYPE_FP32 dims: 4 zero_data: true } } }");

  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->warmup.size(), 1U);
  EXPECT_EQ(config->warmup[0].name, "w");
  EXPECT_EQ(config->warmup[0].batch_size, 3);
  EXPECT_EQ(config->warmup[0].inputs[0].dims, (Shape{4}));
  ExpectInvalid(
      "model_warmup { inputs { key: 'x' value { data_type: TYPE_FP32 "
      "dims: 4 } } }",
      "wanted zero_data, random_data or input_data_file");
}

TEST_F(ModelConfigTest, JsonIsReadAsTheTextIs) {
  const absl::StatusOr<ModelConfig> config = ParseModelConfigJson(
      R"({"name": "m", "max_batch_size": 16,
          "instanceGroup": [{"count": 2, "kind": "KIND_CPU"}],
          "version_policy": {"specific": {"versions": ["1", 3]}},
          "parameters": {"zero_skip": {"string_value": "never"}}})",
      "m");

  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->max_batch_size, 16);
  EXPECT_EQ(config->slots, 2);
  EXPECT_THAT(config->version_policy.specific, ElementsAre(1, 3));
  EXPECT_EQ(config->compile.zero_skip, ZeroSkip::kNever);
}

TEST_F(ModelConfigTest, EmptyJsonObjectGivesTheDefaults) {
  EXPECT_TRUE(ParseModelConfigJson("{}", "m").ok());
}

TEST_F(ModelConfigTest, WrongJsonIsInvalid) {
  for (const std::string json :
       {"", "[", "{\"optimisation\": {}}", "{\"max_batch_size\": \"many\"}",
        "{\"name\": \"other\"}", "\xFF"}) {
    const absl::Status status = ParseModelConfigJson(json, "m").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_THAT(std::string(status.message()), StartsWith("config: "));
    EXPECT_TRUE(IsValidUtf8(std::string(status.message())));
  }
  EXPECT_EQ(ParseModelConfigJson(std::string((1 << 20) + 1, ' '), "m")
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ModelConfigTest, DeepJsonIsInvalid) {
  EXPECT_FALSE(ParseModelConfigJson(std::string(100'000, '['), "m").ok());
}

TEST_F(ModelConfigTest, LoadKeyIsTheSameForOtherLabelsAndPolicies) {
  const std::string plain = LoadKey(*Read("max_batch_size: 4"));

  EXPECT_EQ(
      LoadKey(*Read("max_batch_size: 4 version_policy { all { } } "
                    "parameters { key: 'version_label.a' value { string_value: "
                    "'2' } }")),
      plain);
  EXPECT_NE(LoadKey(*Read("max_batch_size: 5")), plain);
  EXPECT_EQ(LoadKey(ModelConfig()), LoadKey(*Read("")));
}

TEST_F(ModelConfigTest, LoadKeyDoesNotDependOnTheOrderOfParameters) {
  const std::string a =
      "parameters { key: 'zero_skip' value { string_value: 'never' } }";
  const std::string b =
      "parameters { key: 'weight_storage' value { string_value: 'float16' } }";

  EXPECT_EQ(LoadKey(*Read(a + b)), LoadKey(*Read(b + a)));
}

TEST_F(ModelConfigTest, FieldWithoutEffectIsUnimplementedByItsName) {
  ExpectUnimplemented("model_transaction_policy { decoupled: true }",
                      "field model_transaction_policy ");
}

TEST_F(ModelConfigTest, FieldOfTritonThatReludHasNotIsInvalidByItsName) {
  ExpectInvalid("sequence_batching { }",
                "has no field named \"sequence_batching\"");
}

// Compares configurations with a real model: input "input" FP32 [-1,4], outputs
// "label" INT64 and "probabilities" FP32 [-1,3].
class CheckTensorsTest : public ModelConfigTest {
 protected:
  static CompiledModel LoadIris() {
    const absl::StatusOr<Graph> graph =
        ImportOnnx(TempRepository::ModelFile("iris_argmax"));
    CHECK(graph.ok());
    absl::StatusOr<CompiledModel> model = CompiledModel::Compile(*graph);
    CHECK(model.ok());
    return *std::move(model);
  }

  absl::Status CheckText(std::string_view text) {
    const absl::StatusOr<ModelConfig> config = Read(text);
    EXPECT_TRUE(config.ok()) << config.status();
    return CheckTensors(*config, model_);
  }

  void ExpectMismatch(std::string_view text, const std::string& words) {
    const absl::Status status = CheckText(text);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  }

  const CompiledModel model_ = LoadIris();
};

TEST_F(CheckTensorsTest, DefaultsFitEveryModel) {
  EXPECT_TRUE(CheckTensors(ModelConfig(), model_).ok());
}

TEST_F(CheckTensorsTest, MatchingTensorsFit) {
  EXPECT_EQ(CheckText(R"(max_batch_size: 8
      input { name: "input" data_type: TYPE_FP32 dims: 4 }
      output { name: "label" data_type: TYPE_INT64 }
      output { name: "probabilities" data_type: TYPE_FP32 dims: [ 3 ] })"),
            absl::OkStatus());
}

TEST_F(CheckTensorsTest, DimsCountTheBatchDimensionWithoutMaxBatchSize) {
  EXPECT_EQ(CheckText("input { name: \"input\" dims: [ -1, 4 ] }"),
            absl::OkStatus());
  ExpectMismatch("input { name: \"input\" dims: [ 4 ] }",
                 "input \"input\" has dims [4], the model has [-1,4] "
                 "(max_batch_size is 0: with the batch dimension)");
}

TEST_F(CheckTensorsTest, DimsLeaveOutTheBatchDimensionWithMaxBatchSize) {
  ExpectMismatch("max_batch_size: 8 input { name: \"input\" dims: [ -1, 4 ] }",
                 "input \"input\" has dims [-1,4], the model has [4] "
                 "(max_batch_size is 8: without the batch dimension)");
}

TEST_F(CheckTensorsTest, UnknownTensorIsInvalid) {
  ExpectMismatch("input { name: \"x\" }",
                 "input \"x\", the model has \"input\"");
  ExpectMismatch("output { name: \"input\" }", "output \"input\"");
}

TEST_F(CheckTensorsTest, OtherDataTypeIsInvalid) {
  ExpectMismatch("input { name: \"input\" data_type: TYPE_FP64 }",
                 "has data_type TYPE_FP64, the model has TYPE_FP32");
}

TEST_F(ModelConfigTest, SharedFeaturesAreThoseOfEachInput) {
  const auto config = Read(
      "parameters { key: 'rank_shared.x' value { string_value: '0-3,7' } }");
  ASSERT_TRUE(config.ok()) << config.status();
  const std::vector<FeatureRange>& ranges = config->shared_features.at("x");
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[1].begin, 7);
  ExpectInvalid(
      "parameters { key: 'rank_shared.x' value { string_value: '3-1' } }",
      "\"3-1\"");
}

}  // namespace
}  // namespace relu
