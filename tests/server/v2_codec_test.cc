#include "server/v2_codec.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/batching/inference_request.h"
#include "core/tensor/data_type.h"
#include "proto/inference.pb.h"
#include "tests/server/loaded_repository.h"
#include "tests/server/memory_object.h"
#include "tests/server/onnx_model.h"
#include "tests/server/v2_codec_testing.h"

namespace relu {
namespace {

using inference::ModelInferRequest;
using testing::HasSubstr;

// digits_mlp with typed contents of so many elements.
ModelInferRequest TypedDigits(int elements) {
  ModelInferRequest message = DigitsRequest();
  message.clear_raw_input_contents();
  for (int i = 0; i < elements; ++i) {
    message.mutable_inputs(0)->mutable_contents()->add_fp32_contents(0.5F);
  }
  return message;
}

ModelInferRequest CreditRequest(std::int64_t dense_rows,
                                std::int64_t cat_rows) {
  ModelInferRequest message;
  message.set_model_name("credit_embed");
  AddRawInput(
      message, "cat", "INT64", {cat_rows, 4},
      std::vector<std::int64_t>(static_cast<std::size_t>(cat_rows * 4)));
  AddRawInput(message, "dense", "FP32", {dense_rows, 9},
              std::vector<float>(static_cast<std::size_t>(dense_rows * 9)));
  return message;
}

// All inputs of the cast model, zeros as raw contents.
ModelInferRequest CastRequest(const std::string& model, std::int64_t rows) {
  ModelInferRequest message;
  message.set_model_name(model);
  for (const DataType type : AllDataTypes()) {
    const std::string name(DataTypeName(type));
    AddRawInput(message, name, name, {rows, 2},
                std::vector<std::uint8_t>(static_cast<std::size_t>(rows) * 2 *
                                          DataTypeSize(type)));
  }
  return message;
}

// digits_mlp, one row, with its values at the beginning of the region "r".
ModelInferRequest SharedDigits(std::int64_t byte_size) {
  ModelInferRequest message = DigitsRequest();
  message.clear_raw_input_contents();
  PutInSharedMemory(0, byte_size, *message.mutable_inputs(0));
  return message;
}

// --- What is good ---

TEST_F(V2CodecTest, RawInputIsViewedWhereItLies) {
  const ModelInferRequest message = DigitsRequest(3);
  ASSERT_TRUE(Decode(message).ok());
  EXPECT_EQ(request_.rows, 3);
  ASSERT_EQ(request_.inputs.size(), 1U);
  EXPECT_EQ(static_cast<const void*>(request_.inputs[0]),
            static_cast<const void*>(message.raw_input_contents(0).data()));
}

TEST_F(V2CodecTest, TypedInputIsViewedWhereItLies) {
  const ModelInferRequest message = TypedDigits(64);
  ASSERT_TRUE(Decode(message).ok());
  EXPECT_EQ(request_.rows, 1);
  EXPECT_EQ(static_cast<const void*>(request_.inputs[0]),
            static_cast<const void*>(
                message.inputs(0).contents().fp32_contents().data()));
}

TEST_F(V2CodecTest, InputsComeInTheOrderOfTheModel) {
  const ModelInferRequest message = CreditRequest(2, 2);
  ASSERT_TRUE(Decode(message).ok());
  const auto inputs = loaded_->model("credit_embed")->compiled().inputs();
  ASSERT_EQ(request_.inputs.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const int sent = inputs[i].name == "cat" ? 0 : 1;
    EXPECT_EQ(
        static_cast<const void*>(request_.inputs[i]),
        static_cast<const void*>(message.raw_input_contents(sent).data()));
  }
}

TEST_F(V2CodecTest, EveryDatatypeIsTakenRaw) {
  const absl::Status status = Take(CastRequest("casts", 3));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(request_.rows, 3);
}

TEST_F(V2CodecTest, NarrowTypedInputIsConverted) {
  ModelInferRequest message = CastRequest("casts", 1);
  message.clear_raw_input_contents();
  const auto fill = [&](auto add) {
    for (auto& input : *message.mutable_inputs()) {
      add(input, *input.mutable_contents());
    }
  };
  fill([](const auto& input, inference::InferTensorContents& contents) {
    for (int i = 0; i < 2; ++i) {
      if (input.name() == "BOOL") {
        contents.add_bool_contents(true);
      } else if (input.name() == "FP32") {
        contents.add_fp32_contents(1);
      } else if (input.name() == "FP64") {
        contents.add_fp64_contents(1);
      } else if (input.name() == "INT64") {
        contents.add_int64_contents(-7);
      } else if (input.name() == "UINT64") {
        contents.add_uint64_contents(7);
      } else if (input.name().starts_with("INT")) {
        contents.add_int_contents(-7);
      } else if (input.name().starts_with("UINT")) {
        contents.add_uint_contents(7);
      }
    }
  });
  // Half precision has no field, so the last word is about that.
  const absl::Status status = Decode(message);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("FP16 has no typed"));
  const auto inputs = loaded_->model("casts")->compiled().inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].name == "INT8") {
      ASSERT_NE(request_.inputs[i], nullptr);
      EXPECT_EQ(request_.inputs[i][1], std::byte{0xf9});
    }
  }
}

TEST_F(V2CodecTest, UnknownParametersAreIgnored) {
  ModelInferRequest message = DigitsRequest();
  (*message.mutable_parameters())["tritonic"].set_bool_param(true);
  (*message.mutable_parameters())["priority"].set_uint64_param(1);
  (*message.mutable_inputs(0)->mutable_parameters())["binary_data_size"]
      .set_int64_param(256);
  message.add_outputs()->set_name("output");
  (*message.mutable_outputs(0)->mutable_parameters())["binary_data"]
      .set_bool_param(true);
  EXPECT_TRUE(Take(message).ok());
}

TEST_F(V2CodecTest, ReservedParameterThatTritonsClientsSendIsTaken) {
  // Its C++ client sends it with every request, be it true or not.
  for (const bool value : {false, true}) {
    ModelInferRequest message = DigitsRequest();
    (*message.mutable_parameters())["triton_enable_empty_final_response"]
        .set_bool_param(value);
    EXPECT_TRUE(Take(message).ok());
  }
}

TEST_F(V2CodecTest, OtherReservedParametersReturnInvalidArgument) {
  for (const char* key : {"triton_", "triton_final_response"}) {
    ModelInferRequest message = DigitsRequest();
    (*message.mutable_parameters())[key].set_bool_param(true);
    ExpectInvalid(message,
                  "parameter keys starting with 'triton_' are reserved for "
                  "Triton usage.");
    ExpectInvalid(message, std::string("got '") + key + "'");
  }
}

TEST_F(V2CodecTest, ReservedParameterOfAnotherTypeReturnsInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  (*message.mutable_parameters())["triton_enable_empty_final_response"]
      .set_string_param("true");
  ExpectInvalid(message,
                "invalid value type for 'triton_enable_empty_final_response' "
                "parameter, expected bool_param.");
}

TEST_F(V2CodecTest, NothingOfTheRequestBeforeIsLeft) {
  ASSERT_TRUE(Take(CastRequest("casts", 3)).ok());
  ASSERT_TRUE(Take(DigitsRequest(2)).ok());
  EXPECT_EQ(request_.rows, 2);
  EXPECT_EQ(request_.inputs.size(), 1U);
  EXPECT_EQ(request_.outputs.size(), 1U);
}

// --- Timeout and priority ---

TEST_F(V2CodecTest, TimeoutAndPriorityAreRead) {
  ModelInferRequest message = DigitsRequest();
  (*message.mutable_parameters())["timeout"].set_int64_param(1500);
  (*message.mutable_parameters())["priority"].set_uint64_param(3);
  ASSERT_TRUE(Decode(message).ok());
  EXPECT_EQ(request_.timeout, std::chrono::microseconds(1500));
  EXPECT_EQ(request_.priority, 3U);
  (*message.mutable_parameters())["priority"].set_int64_param(2);
  ASSERT_TRUE(Decode(message).ok());
  EXPECT_EQ(request_.priority, 2U);
}

TEST_F(V2CodecTest, RequestWithoutThemHasNeither) {
  request_.timeout = std::chrono::microseconds(1);
  request_.priority = 1;
  ASSERT_TRUE(Decode(DigitsRequest()).ok());
  EXPECT_EQ(request_.timeout, std::chrono::microseconds(0));
  EXPECT_EQ(request_.priority, 0U);
}

TEST_F(V2CodecTest, PriorityThatIsNoneReturnsInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  (*message.mutable_parameters())["priority"].set_string_param("1");
  ExpectInvalid(message, "parameter 'priority'");
  (*message.mutable_parameters())["priority"].set_int64_param(-1);
  ExpectInvalid(message, "parameter 'priority'");
}

TEST_F(V2CodecTest, TimeoutThatIsNoneReturnsInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  (*message.mutable_parameters())["timeout"].set_string_param("1");
  ExpectInvalid(message, "parameter 'timeout'");
  (*message.mutable_parameters())["timeout"].set_int64_param(-1);
  ExpectInvalid(message, "parameter 'timeout'");
}

// --- Wrong inputs ---

TEST_F(V2CodecTest, MissingInputReturnsInvalidArgument) {
  ModelInferRequest message;
  message.set_model_name("digits_mlp");
  ExpectInvalid(message,
                "expected 1 inputs but got 0 inputs for model 'digits_mlp'. "
                "Missing input 'input'");
}

TEST_F(V2CodecTest, UnexpectedInputReturnsInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  message.mutable_inputs(0)->set_name("pix\nels");
  ExpectInvalid(
      message, "unexpected inference input 'pix\\nels' for model 'digits_mlp'");
}

TEST_F(V2CodecTest, DuplicateInputReturnsInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  *message.add_inputs() = message.inputs(0);
  message.add_raw_input_contents(message.raw_input_contents(0));
  ExpectInvalid(message, "input 'input' already exists in request");
}

TEST_F(V2CodecTest, WrongDatatypeReturnsInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  message.mutable_inputs(0)->set_datatype("BYTES");
  ExpectInvalid(message,
                "inference input data-type is 'BYTES', model 'digits_mlp' "
                "expects 'FP32' for 'input'");
}

TEST_F(V2CodecTest, WrongShapeReturnsInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  const std::vector<std::vector<std::int64_t>> shapes = {
      {}, {64}, {1, 63}, {1, 64, 1}, {1, -64}, {64, 1}};
  for (const auto& shape : shapes) {
    message.mutable_inputs(0)->clear_shape();
    for (const std::int64_t size : shape) {
      message.mutable_inputs(0)->add_shape(size);
    }
    ExpectInvalid(message,
                  "unexpected shape for input 'input' for model 'digits_mlp': "
                  "got [");
    ExpectInvalid(message, "expected [-1,64]");
  }
}

TEST_F(V2CodecTest, ShapeOfManyDimensionsMakesAShortMessage) {
  ModelInferRequest message = DigitsRequest();
  for (int i = 0; i < 100'000; ++i) {
    message.mutable_inputs(0)->add_shape(1);
  }
  EXPECT_LT(Take(message).message().size(), 500U);
}

TEST_F(V2CodecTest, NoRowsReturnsInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  for (const std::int64_t rows : {0, -1}) {
    message.mutable_inputs(0)->set_shape(0, rows);
    ExpectInvalid(message, "batch-size must be >= 1 for 'digits_mlp'");
  }
}

TEST_F(V2CodecTest, MoreRowsThanTheModelTakesReturnInvalidArgument) {
  EXPECT_TRUE(Take(DigitsRequest(8)).ok());
  ExpectInvalid(DigitsRequest(9),
                "inference request batch-size must be <= 8 for 'digits_mlp': "
                "got 9 rows");
}

TEST_F(V2CodecTest, OtherRowsThanTheModelFixesReturnInvalidArgument) {
  EXPECT_TRUE(Take(CastRequest("fixed_casts", 3)).ok());
  ExpectInvalid(CastRequest("fixed_casts", 2), "got [2,2], expected [3,2]");
}

TEST_F(V2CodecTest, DifferentRowsReturnInvalidArgument) {
  ExpectInvalid(CreditRequest(2, 1),
                "input 'dense' batch size does not match other inputs for "
                "'credit_embed': got 2 rows, expected 1");
}

TEST_F(V2CodecTest, ContentsBesideRawReturnInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  message.mutable_inputs(0)->mutable_contents()->add_fp32_contents(1);
  ExpectInvalid(message,
                "contents field must not be specified when using "
                "raw_input_contents for 'input' for model 'digits_mlp'");
}

TEST_F(V2CodecTest, FewerOrMoreRawContentsThanInputsReturnInvalidArgument) {
  ModelInferRequest fewer = CreditRequest(1, 1);
  fewer.mutable_raw_input_contents()->RemoveLast();
  ExpectInvalid(fewer,
                "expected one raw_input_contents for each of 2 inputs for "
                "model 'credit_embed', got 1");
  ModelInferRequest more = DigitsRequest();
  more.add_raw_input_contents("");
  ExpectInvalid(more, "got 2");
}

TEST_F(V2CodecTest, WrongByteSizeReturnsInvalidArgument) {
  ModelInferRequest message = DigitsRequest();
  for (const std::size_t size : {0U, 255U, 257U, 512U}) {
    message.mutable_raw_input_contents(0)->resize(size);
    ExpectInvalid(message, "got " + std::to_string(size) +
                               " bytes, expected 1 rows of 256 bytes");
  }
}

TEST_F(V2CodecTest, RowsThatOverflowReturnInvalidArgument) {
  ModelInferRequest message = IrisRequest(1);
  // 2^60 rows of 16 bytes are 2^64 bytes.
  for (const std::int64_t rows :
       {std::int64_t{1} << 60, (std::int64_t{1} << 60) + 1,
        std::numeric_limits<std::int64_t>::max()}) {
    message.mutable_inputs(0)->set_shape(0, rows);
    ExpectInvalid(message, "unexpected contents of input 'input'");
  }
}

TEST_F(V2CodecTest, WrongElementCountReturnsInvalidArgument) {
  for (const int elements : {0, 63, 65, 128}) {
    ExpectInvalid(TypedDigits(elements),
                  "got " + std::to_string(elements) +
                      " elements, expected 1 rows of 64 elements");
  }
}

TEST_F(V2CodecTest, ElementsInTheWrongFieldReturnInvalidArgument) {
  ModelInferRequest message = TypedDigits(64);
  message.mutable_inputs(0)->mutable_contents()->add_int_contents(1);
  ExpectInvalid(message, "1 elements found in int_contents");
}

TEST_F(V2CodecTest, BoolThatIsNoneReturnsInvalidArgument) {
  ModelInferRequest message = CastRequest("casts", 1);
  (*message.mutable_raw_input_contents(0))[1] = 2;
  ExpectInvalid(message, "input 'BOOL' for model 'casts': BOOL elements");
}

// --- Shared memory ---

// The inputs of CreditRequest(2, 2): "cat" takes 64 bytes, "dense" 72.
TEST_F(V2CodecTest, InputsInSharedMemoryAreCopiedOutOfIt) {
  MemoryObject object(200);
  for (std::size_t i = 0; i < 72; ++i) {
    object.bytes()[i + 100] = static_cast<std::byte>(i);
  }
  ASSERT_TRUE(Register(object, 20));
  ModelInferRequest message = CreditRequest(2, 2);
  PutInSharedMemory(80, 72, *message.mutable_inputs(1));
  message.mutable_raw_input_contents()->RemoveLast();

  ASSERT_TRUE(Decode(message).ok());

  const auto inputs = loaded_->model("credit_embed")->compiled().inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto* const found = static_cast<const void*>(request_.inputs[i]);
    if (inputs[i].name == "cat") {
      EXPECT_EQ(found,
                static_cast<const void*>(message.raw_input_contents(0).data()));
    } else {
      EXPECT_EQ(std::memcmp(found, object.bytes().data() + 100, 72), 0);
      EXPECT_NE(found, static_cast<const void*>(object.bytes().data() + 100));
    }
  }
}

TEST_F(V2CodecTest, InputsInSharedMemoryAndTypedOnesMayMix) {
  const MemoryObject object(72);
  ASSERT_TRUE(Register(object, 0));
  ModelInferRequest message = CreditRequest(2, 2);
  message.clear_raw_input_contents();
  PutInSharedMemory(0, 72, *message.mutable_inputs(1));
  for (int i = 0; i < 8; ++i) {
    message.mutable_inputs(0)->mutable_contents()->add_int64_contents(i % 2);
  }
  EXPECT_TRUE(Decode(message).ok());
}

TEST_F(V2CodecTest, InputsInSharedMemoryHaveTheSizeOfTheirShape) {
  const MemoryObject object(1024);
  ASSERT_TRUE(Register(object, 0));
  ModelInferRequest message = SharedDigits(255);
  ExpectInvalid(message,
                "unexpected contents of input 'input' for model 'digits_mlp': "
                "got 255 bytes, expected 1 rows of 256 bytes");
  message = SharedDigits(1025);
  ExpectInvalid(message, "'r': 1025 bytes from offset 0");
  EXPECT_TRUE(Decode(SharedDigits(256)).ok());
}

TEST_F(V2CodecTest, InputInSharedMemoryHasNoOtherValues) {
  const MemoryObject object(256);
  ASSERT_TRUE(Register(object, 0));
  ModelInferRequest message = SharedDigits(256);
  message.mutable_inputs(0)->mutable_contents();
  ExpectInvalid(message, "when using shared memory for 'input'");
  message = SharedDigits(256);
  message.add_raw_input_contents("x");
  ExpectInvalid(message, "each of 0 inputs for model 'digits_mlp', got 1");
}

TEST_F(V2CodecTest, BoolInSharedMemoryIsChecked) {
  MemoryObject object(2);
  ASSERT_TRUE(Register(object, 0));
  ModelInferRequest message = CastRequest("casts", 1);
  const auto is_bool = [](const auto& input) {
    return input.datatype() == "BOOL";
  };
  const auto found = std::ranges::find_if(message.inputs(), is_bool);
  const auto index = static_cast<int>(found - message.inputs().begin());
  message.mutable_raw_input_contents()->DeleteSubrange(index, 1);
  PutInSharedMemory(0, 2, *message.mutable_inputs(index));
  EXPECT_TRUE(Decode(message).ok());
  object.bytes()[1] = std::byte{2};
  ExpectInvalid(message, "BOOL elements");
}

TEST_F(V2CodecTest, TruncatedSharedMemoryReturnsFailedPrecondition) {
  const MemoryObject object(256);
  ASSERT_TRUE(Register(object, 0));
  object.Truncate(255);
  EXPECT_EQ(Decode(SharedDigits(256)).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(V2CodecTest, SharedMemoryIsUnimplementedWhereItIsOff) {
  const ModelInferRequest message = SharedDigits(256);
  EXPECT_EQ(
      DecodeRequest(message, *loaded_->model(), nullptr, converted_, request_)
          .code(),
      absl::StatusCode::kUnimplemented);
}

// --- What other servers have ---

TEST_F(V2CodecTest, SequenceReturnsUnimplemented) {
  for (const char* name : {"sequence_id", "sequence_start", "sequence_end"}) {
    ModelInferRequest message = DigitsRequest();
    (*message.mutable_parameters())[name].set_int64_param(1);
    const absl::Status status = Take(message);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
  }
}

}  // namespace
}  // namespace relu
