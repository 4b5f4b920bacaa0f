#include "core/graph/onnx_wire.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

std::string Varint(std::size_t number) {
  std::string bytes;
  for (; number > 0x7F; number >>= 7U) {
    bytes += static_cast<char>(number | 0x80U);
  }
  return bytes + static_cast<char>(number);
}

// A field of a message, of at most 15, that holds `content`.
std::string Field(std::size_t number, std::string_view content) {
  return Varint(number << 3U | 2U) + Varint(content.size()) +
         std::string(content);
}

std::string Repeat(std::string_view bytes, std::size_t count) {
  const std::size_t size = bytes.size() * count;
  std::string result(bytes);
  while (result.size() < size) {
    result += result;
  }
  result.resize(size);
  return result;
}

TEST(OnnxWireTest, RealModelIsAccepted) {
  EXPECT_TRUE(
      CheckOnnxWire(MakeMlp({20, 30, 5}).model().SerializeAsString()).ok());
}

TEST(OnnxWireTest, UnknownFieldsAreAccepted) {
  EXPECT_TRUE(CheckOnnxWire(Field(14, Repeat("\x80", 200'000))).ok());
}

TEST(OnnxWireTest, EveryTruncationInsideAFieldIsRefused) {
  const std::string graph = Field(7, Field(1, Field(4, "Relu")));
  for (std::size_t size = 1; size < graph.size(); ++size) {
    EXPECT_THAT(CheckOnnxWire(std::string_view(graph).substr(0, size)),
                Fails(kInvalid, "cut short"))
        << size;
  }
}

TEST(OnnxWireTest, LengthsPastTheEndOfTheOuterMessageAreRefused) {
  // The node says 9 bytes, the graph around it has 2.
  EXPECT_EQ(CheckOnnxWire("\x3A\x02\x0A\x09 and more bytes").code(), kInvalid);
}

TEST(OnnxWireTest, TooManyMessagesAreRefused) {
  for (const std::size_t number : {1U, 5U, 11U, 12U, 15U}) {
    EXPECT_THAT(CheckOnnxWire(Field(7, Repeat(Field(number, ""), 100'001))),
                Fails(kInvalid, "more than 100000"))
        << number;
  }
  EXPECT_THAT(CheckOnnxWire(Repeat(Field(8, ""), 100'001)),
              Fails(kInvalid, "more than 100000"));
}

TEST(OnnxWireTest, TooManyNamesInsideNodesAreRefused) {
  const std::string node = Field(1, Repeat(Field(1, ""), 60'000));
  EXPECT_TRUE(CheckOnnxWire(Field(7, node)).ok());
  EXPECT_EQ(CheckOnnxWire(Field(7, node + node)).code(), kInvalid);
}

TEST(OnnxWireTest, TooManyPackedNumbersAreRefused) {
  // One byte each here, eight in memory.
  const std::string dims = Field(1, std::string(8 << 20, '\1'));
  EXPECT_EQ(CheckOnnxWire(Field(7, Field(5, dims))).code(), kInvalid);
  const std::string few = Field(1, std::string(1 << 20, '\1'));
  EXPECT_TRUE(CheckOnnxWire(Field(7, Field(5, few))).ok());
}

TEST(OnnxWireTest, TooManyPlainNumbersAreRefused) {
  const std::string dims = Repeat("\x08\x01", 5 << 20);
  EXPECT_EQ(CheckOnnxWire(Field(7, Field(5, dims))).code(), kInvalid);
}

TEST(OnnxWireTest, HalfPrecisionWeightsInIntegersAreAccepted) {
  // Two to three bytes each here, four in memory.
  const std::string data = Field(5, Repeat("\x80\x78", 12 << 20));
  EXPECT_TRUE(CheckOnnxWire(Field(7, Field(5, data))).ok());
}

}  // namespace
}  // namespace relu
