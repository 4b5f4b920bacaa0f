#include "server/rank_codec.h"

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

#include "core/batching/inference_request.h"
#include "core/batching/shared_values.h"
#include "core/repository/model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "proto/relu.pb.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/onnx_model.h"

namespace relu {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Adds a tensor whose elements count from 1.
v1::RankTensor& AddTensor(
    google::protobuf::RepeatedPtrField<v1::RankTensor>& field,
    const std::string& name, const std::vector<std::int64_t>& shape) {
  v1::RankTensor& tensor = *field.Add();
  tensor.set_name(name);
  tensor.mutable_shape()->Add(shape.begin(), shape.end());
  std::int64_t elements = 1;
  for (const std::int64_t size : shape) {
    elements *= size;
  }
  for (std::int64_t i = 0; i < elements; ++i) {
    tensor.add_data(static_cast<double>(i + 1));
  }
  return tensor;
}

class RankCodecTest : public testing::Test {
 protected:
  absl::Status Decode(const std::string& model) {
    return DecodeRankRequest(message_, *loaded_.model(model), converted_,
                             request_);
  }

  // Expects that the message is refused with words such as these.
  void ExpectInvalid(const std::string& model, const std::string& words) {
    const absl::Status status = Decode(model);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
  }

  v1::RankTensor& Shared(const std::string& name,
                         const std::vector<std::int64_t>& shape) {
    return AddTensor(*message_.mutable_shared(), name, shape);
  }
  v1::RankTensor& Items(const std::string& name,
                        const std::vector<std::int64_t>& shape) {
    return AddTensor(*message_.mutable_items(), name, shape);
  }

  float OwnValue(std::size_t input, std::size_t element) const {
    float value = 0;
    std::memcpy(&value, request_.inputs[input] + element * sizeof(float),
                sizeof(value));
    return value;
  }

  LoadedRepository loaded_{
      {.models = {"digits_mlp", "credit_embed"},
       .cast_model = true,
       .fixed_cast_model = true,
       .coupled_models = true,
       .config = "parameters { key: 'rank_shared.input' value { string_value: "
                 "'0-1,60-63' } }"}};
  v1::RankRequest message_;
  std::vector<std::vector<std::byte>> converted_;
  InferenceRequest request_;
};

TEST_F(RankCodecTest, WholeInputsAreSharedOrOfItems) {
  Shared("dense", {1, 9});
  Items("cat", {3, 4});
  ASSERT_TRUE(Decode("credit_embed").ok());
  EXPECT_EQ(request_.rows, 3);
  ASSERT_EQ(request_.shared.size(), 2U);
  EXPECT_EQ(request_.shared[0].OwnBytes(36), 0U);
  EXPECT_NE(request_.shared[0].values, nullptr);
  EXPECT_EQ(request_.inputs[0], nullptr);
  EXPECT_TRUE(request_.shared[1].pieces.empty());
  std::int64_t last = 0;
  std::memcpy(&last, request_.inputs[1] + 11 * sizeof(last), sizeof(last));
  EXPECT_EQ(last, 12);
}

TEST_F(RankCodecTest, FirstFeaturesOfAnInputMayBeShared) {
  for (std::int64_t shared = 0; shared <= 9; ++shared) {
    message_.Clear();
    Shared("dense", {1, shared});
    Items("dense", {2, 9 - shared});
    Items("cat", {2, 4});
    const absl::Status status = Decode("credit_embed");
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(request_.shared[0].OwnBytes(36),
              static_cast<std::size_t>(9 - shared) * sizeof(float));
    if (shared < 9) {
      EXPECT_EQ(OwnValue(0, static_cast<std::size_t>(9 - shared)),
                static_cast<float>(10 - shared));
    }
  }
}

TEST_F(RankCodecTest, ConfigSaysWhichFeaturesAreShared) {
  Shared("input", {1, 6});
  Items("input", {5, 58});
  ASSERT_TRUE(Decode("digits_mlp").ok());
  ASSERT_EQ(request_.shared[0].pieces.size(), 2U);
  EXPECT_EQ(request_.shared[0].pieces[0].bytes, 2 * sizeof(float));
  EXPECT_EQ(request_.shared[0].pieces[1].offset_bytes, 60 * sizeof(float));
  EXPECT_EQ(request_.shared[0].pieces[1].bytes, 4 * sizeof(float));
  message_.Clear();
  Shared("input", {1, 5});
  Items("input", {5, 59});
  ExpectInvalid("digits_mlp", "[1,5], expected [1,6]");
}

TEST_F(RankCodecTest, RawValuesAreUsedWhereTheyLie) {
  v1::RankTensor& shared = Shared("dense", {1, 9});
  shared.clear_data();
  shared.set_datatype("FP32");
  shared.set_raw(std::string(36, 'x'));
  Items("cat", {1, 4});
  ASSERT_TRUE(Decode("credit_embed").ok());
  EXPECT_EQ(static_cast<const void*>(request_.shared[0].values),
            static_cast<const void*>(shared.raw().data()));
}

TEST_F(RankCodecTest, WrongTensorsAreInvalid) {
  Items("cat", {1, 4});
  ExpectInvalid("credit_embed", "\"dense\" is neither");
  Items("cat", {1, 4});
  ExpectInvalid("credit_embed", "item tensor \"cat\" is there twice");
  message_.mutable_items()->RemoveLast();
  Shared("what", {1, 4});
  ExpectInvalid("credit_embed", "the model has \"dense\", \"cat\"");
  message_.clear_shared();
  v1::RankTensor& shared = Shared("dense", {2, 9});
  ExpectInvalid("credit_embed", "[2,9], expected [1,9]");
  shared.set_shape(0, 1);
  ExpectInvalid("credit_embed", "data has 18 elements, the shape has 9");
  shared.mutable_data()->Truncate(9);
  EXPECT_TRUE(Decode("credit_embed").ok());
  shared.set_datatype("FP64");
  ExpectInvalid("credit_embed", "datatype is \"FP64\", the model has FP32");
  shared.set_datatype("FP32");
  shared.set_raw("1234");
  ExpectInvalid("credit_embed", "both data and raw");
  shared.clear_data();
  ExpectInvalid("credit_embed", "raw has 4 bytes, 9 elements of FP32 have 36");
}

TEST_F(RankCodecTest, WrongSplitsAreInvalid) {
  Shared("dense", {1, 10});
  Items("dense", {1, 0});
  Items("cat", {1, 4});
  ExpectInvalid("credit_embed", "the first S of the 9 features");
  message_.clear_shared();
  Shared("dense", {3});
  ExpectInvalid("credit_embed", "the first S of the 9 features");
  message_.clear_shared();
  Shared("dense", {1, 4});
  ExpectInvalid("credit_embed",
                "item tensor \"dense\": shape [1,0], expected "
                "[1,5]");
}

TEST_F(RankCodecTest, WrongNumbersOfItemsAreRefused) {
  Shared("dense", {1, 9});
  ExpectInvalid("credit_embed", "no tensor of items");
  Items("cat", {0, 4});
  ExpectInvalid("credit_embed", "one item or more");
  message_.mutable_items(0)->clear_shape();
  ExpectInvalid("credit_embed", "one item or more");
  message_.mutable_items(0)->add_shape(kMaxRankedItems + 1);
  message_.mutable_items(0)->add_shape(4);
  EXPECT_EQ(Decode("credit_embed").code(),
            absl::StatusCode::kResourceExhausted);
  message_.clear_items();
  Items("cat", {2, 4});
  Items("dense", {3, 0});
  ExpectInvalid("credit_embed", "[3,0], expected [2,0]");
}

TEST_F(RankCodecTest, ModelsWhoseRowsDependOnEachOtherAreUnimplemented) {
  Items("x", {2, 2});
  EXPECT_EQ(Decode("coupled").code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(Decode("static").code(), absl::StatusCode::kUnimplemented);
}

TEST_F(RankCodecTest, FixedBatchesHaveTheirRows) {
  for (const DataType type : AllDataTypes()) {
    Items(std::string(DataTypeName(type)), {2, 2});
  }
  ExpectInvalid("fixed_casts", "exactly 3 rows");
}

TEST_F(RankCodecTest, ValuesBecomeThoseOfTheInputsType) {
  for (const DataType type : AllDataTypes()) {
    v1::RankTensor& tensor = Items(std::string(DataTypeName(type)), {1, 2});
    tensor.set_data(0, 1);
    tensor.set_data(1, 0);
  }
  ASSERT_TRUE(Decode("casts").ok());
  for (std::size_t i = 0; i < request_.inputs.size(); ++i) {
    const std::byte* const values = request_.inputs[i];
    switch (loaded_.model("casts")->compiled().inputs()[i].type) {
      case DataType::kFp16: {
        const std::uint16_t one = FloatToFp16(1);
        EXPECT_EQ(std::memcmp(values, &one, sizeof(one)), 0);
        break;
      }
      case DataType::kBf16: {
        const std::uint16_t one = FloatToBf16(1);
        EXPECT_EQ(std::memcmp(values, &one, sizeof(one)), 0);
        break;
      }
      case DataType::kFp32: {
        const float one = 1;
        EXPECT_EQ(std::memcmp(values, &one, sizeof(one)), 0);
        break;
      }
      case DataType::kFp64: {
        const double one = 1;
        EXPECT_EQ(std::memcmp(values, &one, sizeof(one)), 0);
        break;
      }
      default:
        EXPECT_EQ(values[0], std::byte{1});
    }
  }
}

TEST_F(RankCodecTest, ValuesThatTheTypeDoesNotHaveAreInvalid) {
  for (const DataType type : AllDataTypes()) {
    Items(std::string(DataTypeName(type)), {1, 2});
  }
  for (int i = 0; i < message_.items_size(); ++i) {
    message_.mutable_items(i)->set_data(0, 0);
    message_.mutable_items(i)->set_data(1, 1);
  }
  ASSERT_TRUE(Decode("casts").ok());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (int i = 0; i < message_.items_size(); ++i) {
    const std::string name = message_.items(i).name();
    const bool is_float = name.starts_with("FP") || name.starts_with("BF");
    for (const double value :
         is_float ? std::vector<double>{1e308}
                  : std::vector<double>{0.5, -1e19, 1e20, 1e16, nan}) {
      if (name == "FP64") {
        continue;
      }
      message_.mutable_items(i)->set_data(1, value);
      ExpectInvalid("casts", name);
    }
    message_.mutable_items(i)->set_data(1, 0);
    // NaN and infinity are values of all floats.
    if (is_float) {
      message_.mutable_items(i)->set_data(0, nan);
      EXPECT_TRUE(Decode("casts").ok()) << name;
      message_.mutable_items(i)->set_data(
          0, std::numeric_limits<double>::infinity());
      EXPECT_TRUE(Decode("casts").ok()) << name;
      message_.mutable_items(i)->set_data(0, 0);
    }
  }
}

TEST_F(RankCodecTest, BytesThatAreNoBoolAreInvalid) {
  for (const DataType type : AllDataTypes()) {
    v1::RankTensor& tensor = Items(std::string(DataTypeName(type)), {1, 2});
    tensor.set_data(0, 0);
    tensor.set_data(1, 1);
    if (type == DataType::kBool) {
      tensor.clear_data();
      tensor.set_raw(std::string("\x01\x02", 2));
    }
  }
  ExpectInvalid("casts", "BOOL elements must be 0 or 1");
}

}  // namespace
}  // namespace relu
