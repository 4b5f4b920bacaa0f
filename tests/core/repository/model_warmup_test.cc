#include "core/repository/model_warmup.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "proto/model_config.pb.h"
#include "tests/core/graph/model_builder.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

CompiledModel Compile(ModelBuilder& builder) {
  auto graph = ImportOnnx(builder.model(), "");
  CHECK(graph.ok());
  auto model = CompiledModel::Compile(*graph);
  CHECK(model.ok());
  return *std::move(model);
}

// "x" of FP32 [batch, 3] and "i" of INT64 [batch, 1].
CompiledModel TwoInputs() {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 3}})
      .Input("i", {.sizes = {-1, 1}, .type = onnx::TensorProto::INT64})
      .Node("Relu", {"x"}, "y")
      .Node("Cast", {"i"}, "z", {IntAttributeProto("to", 1)})
      .Output("y")
      .Output("z");
  return Compile(builder);
}

absl::StatusOr<WarmupSample> ReadSample(const std::string& text) {
  inference::ModelWarmup message;
  CHECK(google::protobuf::TextFormat::ParseFromString(text, &message));
  return ReadWarmup(message);
}

// A sample of both inputs; `x` and `i` say where the values come from.
std::string Sample(const std::string& x,
                   const std::string& i = "zero_data: true",
                   const std::string& more = "") {
  return "name: 'w' " + more +
         " inputs { key: 'x' value { data_type: TYPE_FP32 dims: 3 " + x +
         " } }"
         " inputs { key: 'i' value { data_type: TYPE_INT64 dims: 1 " +
         i + " } }";
}

template <typename T>
std::vector<T> Values(const std::vector<std::byte>& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

class ModelWarmupTest : public ::testing::Test {
 protected:
  absl::StatusOr<WarmupRequest> Make(const std::string& text,
                                     std::int64_t max_batch_size = 8) {
    const absl::StatusOr<WarmupSample> sample = ReadSample(text);
    EXPECT_TRUE(sample.ok()) << sample.status();
    return MakeWarmupRequest(*sample, model_, max_batch_size, files_.folder());
  }

  void ExpectInvalid(const std::string& text, const std::string& words,
                     std::int64_t max_batch_size = 8) {
    const absl::Status status = Make(text, max_batch_size).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("model_warmup \"w\": "), HasSubstr(words)));
  }

  TempRepository files_;
  const CompiledModel model_ = TwoInputs();
};

TEST_F(ModelWarmupTest, SampleIsOneRowOnceByDefault) {
  const absl::StatusOr<WarmupRequest> request = Make(Sample("zero_data: true"));

  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->rows, 1);
  EXPECT_EQ(request->runs, 1);
  ASSERT_EQ(request->inputs.size(), 2U);
  EXPECT_THAT(Values<float>(request->inputs[0]), ElementsAre(0, 0, 0));
  EXPECT_THAT(Values<std::int64_t>(request->inputs[1]), ElementsAre(0));
}

TEST_F(ModelWarmupTest, BatchSizeAndCountAreTaken) {
  const absl::StatusOr<WarmupRequest> request = Make(Sample(
      "random_data: true", "random_data: true", "batch_size: 4 count: 7"));

  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->rows, 4);
  EXPECT_EQ(request->runs, 7);
  EXPECT_EQ(Values<float>(request->inputs[0]).size(), 12U);
  EXPECT_EQ(Values<std::int64_t>(request->inputs[1]).size(), 4U);
}

TEST_F(ModelWarmupTest, RandomValuesAreSmallAndNotAllTheSame) {
  const absl::StatusOr<WarmupRequest> request =
      Make(Sample("random_data: true", "random_data: true"));

  ASSERT_TRUE(request.ok()) << request.status();
  const std::vector<float> x = Values<float>(request->inputs[0]);
  EXPECT_THAT(x, Each(AllOf(Ge(0), Le(1))));
  EXPECT_NE(x[0], x[1]);
  EXPECT_THAT(Values<std::int64_t>(request->inputs[1]),
              Each(AllOf(Ge(0), Le(1))));
}

TEST_F(ModelWarmupTest, FileHoldsOneRowAndIsRepeated) {
  const std::vector<float> row = {1, 2, 3};
  files_.Write("row.bin",
               std::string(reinterpret_cast<const char*>(row.data()), 12));

  const absl::StatusOr<WarmupRequest> request = Make(
      Sample("input_data_file: 'row.bin'", "zero_data: true", "batch_size: 2"));

  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_THAT(Values<float>(request->inputs[0]), ElementsAre(1, 2, 3, 1, 2, 3));
}

TEST_F(ModelWarmupTest, DimsCountTheBatchDimensionWithoutMaxBatchSize) {
  const absl::StatusOr<WarmupRequest> request = Make(
      "name: 'w' "
      "inputs { key: 'x' value { data_type: TYPE_FP32 dims: [5, 3] "
      "zero_data: true } } "
      "inputs { key: 'i' value { data_type: TYPE_INT64 dims: [5, 1] "
      "zero_data: true } }",
      /*max_batch_size=*/0);

  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->rows, 5);
  EXPECT_EQ(Values<float>(request->inputs[0]).size(), 15U);
}

TEST_F(ModelWarmupTest, InputsOfDifferentRowsAreInvalid) {
  ExpectInvalid(
      "name: 'w' "
      "inputs { key: 'x' value { data_type: TYPE_FP32 dims: [5, 3] "
      "zero_data: true } } "
      "inputs { key: 'i' value { data_type: TYPE_INT64 dims: [4, 1] "
      "zero_data: true } }",
      "input \"i\" has 4 rows, the one before has 5", /*max_batch_size=*/0);
}

TEST_F(ModelWarmupTest, SampleThatDoesNotFitTheModelIsInvalid) {
  ExpectInvalid("name: 'w'", "input \"x\" of the model is missing");
  ExpectInvalid(Sample("zero_data: true dims: 4"), "dims [3,4]");
  ExpectInvalid(
      "name: 'w' inputs { key: 'x' value { data_type: TYPE_FP64 dims: 3 "
      "zero_data: true } }",
      "input \"x\" has data_type TYPE_FP64, the model has TYPE_FP32");
  ExpectInvalid(Sample("zero_data: true") +
                    "inputs { key: 'q' value { data_type: TYPE_FP32 dims: 1 "
                    "zero_data: true } }",
                "there are 3 inputs, the model has 2");
  ExpectInvalid(Sample("zero_data: true", "zero_data: true", "batch_size: 9"),
                "batch_size is 9, max_batch_size 8");
}

TEST_F(ModelWarmupTest, NegativeRowsAreInvalid) {
  ExpectInvalid(
      "name: 'w' "
      "inputs { key: 'x' value { data_type: TYPE_FP32 dims: [-1, 3] "
      "zero_data: true } } "
      "inputs { key: 'i' value { data_type: TYPE_INT64 dims: [1, 1] "
      "zero_data: true } } ",
      "has dims [-1,3]", /*max_batch_size=*/0);
}

TEST_F(ModelWarmupTest, SampleBeyondTheMemoryLimitIsInvalid) {
  ExpectInvalid(
      "name: 'w' "
      "inputs { key: 'x' value { data_type: TYPE_FP32 "
      "dims: [9000000000000000000, 3] zero_data: true } } "
      "inputs { key: 'i' value { data_type: TYPE_INT64 dims: [1, 1] "
      "zero_data: true } }",
      "the most is 268435456 bytes", /*max_batch_size=*/0);
}

TEST_F(ModelWarmupTest, FileThatDoesNotFitIsInvalid) {
  files_.Write("row.bin", "short");

  ExpectInvalid(Sample("input_data_file: 'row.bin'"), "5 bytes, wanted 12");
}

TEST_F(ModelWarmupTest, MissingFileIsNotFound) {
  EXPECT_EQ(Make(Sample("input_data_file: 'none'")).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ModelWarmupTest, FilesOutsideOfTheFolderAreNotRead) {
  files_.Write("../outside/row.bin", "123456789012");
  std::filesystem::create_symlink(files_.outside() / "row.bin",
                                  files_.folder() / "link");

  for (const std::string path : {"../outside/row.bin", "/etc/passwd", "link"}) {
    ExpectInvalid(Sample("input_data_file: '" + path + "'"), path);
  }
}

TEST(ReadWarmupTest, InputWithoutASourceIsInvalid) {
  EXPECT_EQ(ReadSample("inputs { key: 'x' value { data_type: TYPE_FP32 } }")
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(ReadWarmupTest, TypeWithoutTensorsIsUnimplemented) {
  EXPECT_EQ(ReadSample("inputs { key: 'x' value { data_type: TYPE_STRING "
                       "zero_data: true } }")
                .status()
                .code(),
            absl::StatusCode::kUnimplemented);
}

TEST(ReadWarmupTest, CountsAreBounded) {
  EXPECT_FALSE(ReadSample("count: 10001").ok());
  EXPECT_FALSE(ReadSample("batch_size: 65537").ok());
  EXPECT_TRUE(ReadSample("count: 10000 batch_size: 65536").ok());
}

}  // namespace
}  // namespace relu
