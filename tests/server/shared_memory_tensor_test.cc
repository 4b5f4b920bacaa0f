#include "server/shared_memory_tensor.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"
#include "server/shared_memory.h"
#include "tests/server/memory_object.h"

namespace relu {
namespace {

using testing::HasSubstr;

class SharedMemoryTensorTest : public testing::Test {
 protected:
  SharedMemoryTensorTest() {
    EXPECT_TRUE(regions_
                    .Register({.name = "r",
                               .key = object_.key(),
                               .offset = 0,
                               .byte_size = 64})
                    .ok());
  }

  absl::Status Find() {
    return FindSharedMemory(parameters_, &regions_).status();
  }

  // Sets where the output of that name goes.
  void Request(const std::string& name, std::int64_t offset,
               std::int64_t bytes) {
    auto& output = *request_.add_outputs();
    output.set_name(name);
    auto& parameters = *output.mutable_parameters();
    parameters["shared_memory_region"].set_string_param("r");
    parameters["shared_memory_offset"].set_int64_param(offset);
    parameters["shared_memory_byte_size"].set_int64_param(bytes);
  }
  void Answer(const std::string& name, const std::string& values) {
    response_.add_outputs()->set_name(name);
    *response_.add_raw_output_contents() = values;
  }
  absl::Status FindOutputs() {
    return FindSharedOutputs(request_, response_, &regions_, outputs_);
  }

  MemoryObject object_{64};
  SharedMemoryRegions regions_;
  TensorParameters parameters_;
  inference::ModelInferRequest request_;
  inference::ModelInferResponse response_;
  std::vector<SharedOutput> outputs_;
};

TEST_F(SharedMemoryTensorTest, TensorWithoutTheParametersIsElsewhere) {
  parameters_["classification"].set_int64_param(1);
  EXPECT_FALSE(InSharedMemory(parameters_));
  EXPECT_EQ(FindSharedMemory(parameters_, &regions_)->region, nullptr);
  EXPECT_EQ(FindSharedMemory(parameters_, nullptr)->region, nullptr);
}

TEST_F(SharedMemoryTensorTest, ParametersNameARange) {
  parameters_["shared_memory_region"].set_string_param("r");
  parameters_["shared_memory_byte_size"].set_int64_param(40);
  EXPECT_TRUE(InSharedMemory(parameters_));
  auto range = FindSharedMemory(parameters_, &regions_);
  ASSERT_TRUE(range.ok()) << range.status();
  EXPECT_EQ(range->region->part().name, "r");
  EXPECT_EQ(range->offset, 0U);
  EXPECT_EQ(range->byte_size, 40U);
  // As REST has large numbers.
  parameters_["shared_memory_offset"].set_uint64_param(24);
  range = FindSharedMemory(parameters_, &regions_);
  ASSERT_TRUE(range.ok()) << range.status();
  EXPECT_EQ(range->offset, 24U);
}

TEST_F(SharedMemoryTensorTest, ParametersThatAreMissingAreNamed) {
  parameters_["shared_memory_byte_size"].set_int64_param(40);
  absl::Status status = Find();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("'shared_memory_region' is missing"));
  parameters_.clear();
  parameters_["shared_memory_region"].set_string_param("r");
  status = Find();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("'shared_memory_byte_size' is missing"));
}

TEST_F(SharedMemoryTensorTest, ParametersOfOtherTypesAreNamed) {
  const auto expect_invalid = [this](const std::string& words) {
    const absl::Status status = Find();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  };
  parameters_["shared_memory_region"].set_int64_param(1);
  parameters_["shared_memory_byte_size"].set_int64_param(4);
  expect_invalid("'shared_memory_region' is no string");
  parameters_["shared_memory_region"].set_string_param("r");
  for (const std::int64_t bad : {std::int64_t{-1}, INT64_MIN}) {
    parameters_["shared_memory_byte_size"].set_int64_param(bad);
    expect_invalid("'shared_memory_byte_size' is no number of bytes");
  }
  parameters_["shared_memory_byte_size"].set_double_param(4);
  expect_invalid("'shared_memory_byte_size' is no number of bytes");
  parameters_["shared_memory_byte_size"].set_int64_param(4);
  parameters_["shared_memory_offset"].set_string_param("0");
  expect_invalid("'shared_memory_offset' is no number of bytes");
}

TEST_F(SharedMemoryTensorTest, RangeOutsideOfTheRegionReturnsInvalidArgument) {
  parameters_["shared_memory_region"].set_string_param("r");
  parameters_["shared_memory_byte_size"].set_int64_param(64);
  EXPECT_TRUE(Find().ok());
  for (const std::uint64_t bad :
       {std::uint64_t{1}, UINT64_MAX, UINT64_MAX - 63}) {
    parameters_["shared_memory_offset"].set_uint64_param(bad);
    EXPECT_EQ(Find().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(SharedMemoryTensorTest, UnknownRegionReturnsNotFound) {
  parameters_["shared_memory_region"].set_string_param("none");
  parameters_["shared_memory_byte_size"].set_int64_param(4);
  EXPECT_EQ(Find().code(), absl::StatusCode::kNotFound);
}

TEST_F(SharedMemoryTensorTest, AnyParameterIsUnimplementedWhereItIsOff) {
  for (const char* name : {"shared_memory_region", "shared_memory_offset",
                           "shared_memory_byte_size"}) {
    parameters_.clear();
    parameters_[name].set_int64_param(0);
    const absl::Status status = FindSharedMemory(parameters_, nullptr).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr("--allow-shared-memory"));
  }
}

TEST_F(SharedMemoryTensorTest, InputsAreAddedUpWithinTheLimit) {
  EXPECT_EQ(*SharedInputBytes(request_, 10), 0U);
  request_.add_inputs()->set_name("raw");
  for (const std::int64_t bytes : {4, 6, -1}) {
    auto& parameters = *request_.add_inputs()->mutable_parameters();
    parameters["shared_memory_region"].set_string_param("r");
    parameters["shared_memory_byte_size"].set_int64_param(bytes);
  }
  EXPECT_EQ(*SharedInputBytes(request_, 10), 10U);
  EXPECT_EQ(SharedInputBytes(request_, 9).status().code(),
            absl::StatusCode::kResourceExhausted);
  (*request_.mutable_inputs(3)->mutable_parameters())["shared_memory_byte_size"]
      .set_uint64_param(UINT64_MAX);
  EXPECT_EQ(SharedInputBytes(request_, 10).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(SharedMemoryTensorTest, OutputsGoWhereTheRequestSays) {
  Request("a", 0, 5);
  request_.add_outputs()->set_name("b");
  Request("c", 32, 32);
  Answer("a", "hello");
  Answer("b", "stays");
  Answer("c", "world");
  ASSERT_TRUE(FindOutputs().ok());
  ASSERT_EQ(outputs_.size(), 2U);

  ASSERT_TRUE(WriteSharedOutputs(outputs_, response_).ok());

  EXPECT_EQ(std::string(object_.Values<char>(0, 5).data(), 5), "hello");
  EXPECT_EQ(std::string(object_.Values<char>(32, 5).data(), 5), "world");
  EXPECT_EQ(response_.raw_output_contents(0), "");
  EXPECT_EQ(response_.raw_output_contents(1), "stays");
  EXPECT_EQ(response_.raw_output_contents(2), "");
}

TEST_F(SharedMemoryTensorTest, RangeThatIsTooSmallReturnsInvalidArgument) {
  Request("a", 0, 4);
  Answer("a", "hello");
  const absl::Status status = FindOutputs();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "shared memory size specified with the request for output 'a' (4 "
            "bytes) should be at least 5 bytes to hold the results");
}

TEST_F(SharedMemoryTensorTest, ClassesInSharedMemoryAreInvalid) {
  Request("a", 0, 5);
  Answer("a", "hello");
  (*request_.mutable_outputs(0)->mutable_parameters())["classification"]
      .set_int64_param(1);
  EXPECT_EQ(FindOutputs().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SharedMemoryTensorTest, ErrorsNameTheOutput) {
  Request("a", 60, 5);
  Answer("a", "hello");
  const absl::Status status = FindOutputs();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("output 'a': "));
}

TEST_F(SharedMemoryTensorTest, ObjectThatWasTruncatedIsToldAtTheWrite) {
  Request("a", 32, 5);
  Answer("a", "hello");
  ASSERT_TRUE(FindOutputs().ok());
  object_.Truncate(33);
  EXPECT_EQ(WriteSharedOutputs(outputs_, response_).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(object_.size(), 33U);
}

}  // namespace
}  // namespace relu
