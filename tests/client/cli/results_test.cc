#include "client/cli/results.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/infer_message.h"
#include "client/inference_client.h"
#include "core/tensor/data_type.h"
#include "proto/inference.pb.h"
#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct AnswerOutput {
  std::string name;
  std::string datatype;
  std::vector<std::int64_t> shape;
  std::string bytes;
};

InferResult Answer(const std::vector<AnswerOutput>& outputs) {
  auto message = std::make_unique<inference::ModelInferResponse>();
  message->set_model_name("m");
  message->set_model_version("3");
  for (const AnswerOutput& output : outputs) {
    auto& tensor = *message->add_outputs();
    tensor.set_name(output.name);
    tensor.set_datatype(output.datatype);
    tensor.mutable_shape()->Add(output.shape.begin(), output.shape.end());
    message->add_raw_output_contents(output.bytes);
  }
  return FromMessage(std::move(message)).value();
}

InferResult FloatAnswer(const std::vector<std::int64_t>& shape,
                        const std::vector<float>& values) {
  return Answer({{"y", "FP32", shape, BytesOf(values)}});
}

// The error of a second answer, after one of shape [1,2] and type FP32.
std::string ErrorOfSecond(const InferResult& second) {
  Results results;
  EXPECT_TRUE(results.Append(FloatAnswer({1, 2}, {1, 2}), 1).ok());
  const absl::Status status = results.Append(second, 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  return std::string(status.message());
}

TEST(ResultsTest, AnswersAreJoinedRowByRow) {
  Results results;
  ASSERT_TRUE(results.Append(FloatAnswer({2, 2}, {1, 2, 3, 4}), 2).ok());
  ASSERT_TRUE(results.Append(FloatAnswer({1, 2}, {5, 6}), 1).ok());
  EXPECT_EQ(results.model, "m");
  EXPECT_EQ(results.version, "3");
  EXPECT_EQ(results.rows, 3);
  ASSERT_EQ(results.outputs.size(), 1U);
  const ResultTensor& output = results.outputs[0];
  EXPECT_EQ(output.name, "y");
  EXPECT_EQ(output.type, DataType::kFp32);
  EXPECT_EQ(output.row_elements, 2);
  EXPECT_THAT(Elements<float>(output.bytes), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(output.Element(2, 1), output.bytes.data() + 5 * sizeof(float));
}

TEST(ResultsTest, OutputWithoutARowForEachSentIsInternal) {
  Results results;
  const absl::Status status = results.Append(FloatAnswer({1, 2}, {1, 2}), 2);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("each of the 2 rows"));
  EXPECT_FALSE(results.Append(FloatAnswer({}, {1}), 1).ok());
}

TEST(ResultsTest, TextsAreInternal) {
  Results results;
  const absl::Status status = results.Append(
      Answer({{"y", "BYTES", {1}, std::string("\x01\0\0\0a", 5)}}), 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("numbers only"));
}

TEST(ResultsTest, AnswersOfAnotherFormAreInternal) {
  EXPECT_THAT(ErrorOfSecond(FloatAnswer({1, 3}, {1, 2, 3})),
              HasSubstr("another form"));
  EXPECT_THAT(
      ErrorOfSecond(Answer({{"z", "FP32", {1, 2}, BytesOf<float>({1, 2})}})),
      HasSubstr("another form"));
  EXPECT_THAT(
      ErrorOfSecond(Answer({{"y", "FP64", {1, 2}, BytesOf<double>({1, 2})}})),
      HasSubstr("another form"));
  EXPECT_EQ(ErrorOfSecond(Answer({})), "0 outputs, the answer before had 1");
}

}  // namespace
}  // namespace relu
