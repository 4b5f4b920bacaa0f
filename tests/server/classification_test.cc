#include "server/classification.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/plan/compiled_model.h"
#include "core/repository/model.h"
#include "core/tensor/data_type.h"
#include "proto/inference.pb.h"
#include "tests/server/loaded_repository.h"

namespace relu {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using testing::ElementsAre;

// The elements of a BYTES tensor.
std::vector<std::string> Elements(const std::string& values) {
  std::vector<std::string> elements;
  for (std::size_t at = 0; at + 4 <= values.size();) {
    std::uint32_t size = 0;
    std::memcpy(&size, values.data() + at, sizeof(size));
    elements.push_back(values.substr(at + sizeof(size), size));
    at += sizeof(size) + size;
  }
  return elements;
}

// Of iris_argmax: the output "probabilities" has three classes, "label" one
// number without classes.
class ClassificationTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    loaded_ = std::make_unique<LoadedRepository>(
        LoadedRepository::Options{.models = {"iris_argmax"}});
    labelled_ = std::make_unique<LoadedRepository>(LoadedRepository::Options{
        .models = {"iris_argmax"},
        .config = "output { name: 'probabilities' label_filename: "
                  "'labels.txt' }",
        .labels = "setosa\n\nvirginica\n"});
  }
  static void TearDownTestSuite() {
    loaded_ = nullptr;
    labelled_ = nullptr;
  }

  // The repository holds it.
  static const Model& model() { return *loaded_->model("iris_argmax"); }

  void Want(const std::string& output, std::int64_t classes) {
    auto& wanted = *request_.add_outputs();
    wanted.set_name(output);
    (*wanted.mutable_parameters())["classification"].set_int64_param(classes);
  }

  // The answer of the model.
  template <typename T>
  void Answer(const std::string& output, const std::vector<T>& values,
              const std::vector<std::int64_t>& shape) {
    auto& tensor = *response_.add_outputs();
    tensor.set_name(output);
    tensor.set_datatype("FP32");
    for (const std::int64_t size : shape) {
      tensor.add_shape(size);
    }
    response_.add_raw_output_contents()->assign(
        reinterpret_cast<const char*>(values.data()),
        values.size() * sizeof(T));
  }

  // The classes that one row of three scores gives.
  std::vector<std::string> ClassesOf(const std::vector<float>& row,
                                     std::int64_t count) {
    request_.Clear();
    response_.Clear();
    Want("probabilities", count);
    Answer("probabilities", row, {1, 3});
    Classify(request_, model(), response_);
    return Elements(response_.raw_output_contents(0));
  }

  inline static std::unique_ptr<LoadedRepository> loaded_;
  inline static std::unique_ptr<LoadedRepository> labelled_;  // With labels.
  ModelInferRequest request_;
  ModelInferResponse response_;
};

TEST_F(ClassificationTest, HighestClassesOfEachRowComeFirst) {
  Want("probabilities", 2);
  Answer<float>("probabilities", {0.25F, 0.125F, 0.625F, -1, 3.5F, 2}, {2, 3});

  Classify(request_, model(), response_);

  EXPECT_EQ(response_.outputs(0).datatype(), "BYTES");
  EXPECT_THAT(response_.outputs(0).shape(), ElementsAre(2, 2));
  EXPECT_THAT(
      Elements(response_.raw_output_contents(0)),
      ElementsAre("0.625000:2", "0.250000:0", "3.500000:1", "2.000000:2"));
}

TEST_F(ClassificationTest, LabelsFollowTheIndex) {
  Want("probabilities", 3);
  Answer<float>("probabilities", {1, 2, 3}, {1, 3});
  Classify(request_, *labelled_->model("iris_argmax"), response_);
  EXPECT_THAT(
      Elements(response_.raw_output_contents(0)),
      ElementsAre("3.000000:2:virginica", "2.000000:1", "1.000000:0:setosa"));
}

TEST_F(ClassificationTest, MoreThanThereAreMeansAll) {
  EXPECT_THAT(ClassesOf({1, 2, 3}, 1000),
              ElementsAre("3.000000:2", "2.000000:1", "1.000000:0"));
}

TEST_F(ClassificationTest, OfEqualScoresTheFirstComesFirst) {
  EXPECT_THAT(ClassesOf({2, 2, 2}, 2), ElementsAre("2.000000:0", "2.000000:1"));
}

TEST_F(ClassificationTest, NanComesLast) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(ClassesOf({nan, -infinity, 1}, 3),
              ElementsAre("1.000000:2", "-inf:1", "nan:0"));
}

TEST_F(ClassificationTest, OutputsWithoutTheParameterKeepTheirValues) {
  request_.add_outputs()->set_name("probabilities");
  Want("label", 1);
  Answer<float>("probabilities", {1, 2, 3}, {1, 3});
  Answer<std::int64_t>("label", {-7}, {1});

  Classify(request_, model(), response_);

  EXPECT_EQ(response_.outputs(0).datatype(), "FP32");
  EXPECT_EQ(response_.raw_output_contents(0).size(), 12U);
  EXPECT_THAT(Elements(response_.raw_output_contents(1)), ElementsAre("-7:0"));
  EXPECT_THAT(response_.outputs(1).shape(), ElementsAre(1, 1));
}

TEST_F(ClassificationTest, LongestScoreFitsItsBound) {
  const float lowest = std::numeric_limits<float>::lowest();
  TensorSignature signature;
  for (const std::string& element : ClassesOf({lowest, lowest, lowest}, 3)) {
    EXPECT_LE(element.size() + 4, MaxClassBytes(signature, {}));
  }
  signature.type = DataType::kFp64;
  EXPECT_EQ(MaxClassBytes(signature, {.labels = {"abc"}, .longest_bytes = 3}),
            MaxClassBytes(signature, {}) + 3);
  EXPECT_GE(MaxClassBytes(signature, {}),
            4 + std::to_string(std::numeric_limits<double>::lowest()).size() +
                1 + 20);
}

TEST_F(ClassificationTest, CountsThatAreNoneAreInvalid) {
  ModelInferRequest::InferRequestedOutputTensor output;
  TensorSignature signature;
  signature.row_bytes = 12;
  EXPECT_EQ(*WantedClasses(output, signature), 0);
  auto& parameter = (*output.mutable_parameters())["classification"];
  for (const std::int64_t count : {std::int64_t{0}, std::int64_t{-1}}) {
    parameter.set_int64_param(count);
    EXPECT_EQ(WantedClasses(output, signature).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  parameter.set_string_param("3");
  EXPECT_FALSE(WantedClasses(output, signature).ok());
  parameter.set_uint64_param(UINT64_MAX);
  EXPECT_EQ(*WantedClasses(output, signature), 3);
}

TEST_F(ClassificationTest, WhatHasNoOrderOrNoRowsIsInvalid) {
  ModelInferRequest::InferRequestedOutputTensor output;
  (*output.mutable_parameters())["classification"].set_int64_param(1);
  const auto code = [&output](DataType type, std::size_t row_axis,
                              std::size_t row_bytes) {
    TensorSignature signature;
    signature.type = type;
    signature.row_axis = row_axis;
    signature.row_bytes = row_bytes;
    return WantedClasses(output, signature).status().code();
  };
  EXPECT_EQ(code(DataType::kFp32, 0, 12), absl::StatusCode::kOk);
  EXPECT_EQ(code(DataType::kBool, 0, 3), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(DataType::kFp32, 1, 12), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(DataType::kFp32, 0, 0), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu
