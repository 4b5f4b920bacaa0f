#include "client/infer_request.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using testing::ElementsAre;

TEST(InferRequestTest, NamesAreKept) {
  InferRequest request("model", "3");
  request.SetId("id").AddOutput("y").AddOutput("z");
  EXPECT_EQ(request.model(), "model");
  EXPECT_EQ(request.version(), "3");
  EXPECT_EQ(request.id(), "id");
  EXPECT_THAT(request.outputs(), ElementsAre("y", "z"));
}

TEST(InferRequestTest, TypedInputBorrowsItsBytes) {
  const std::vector<std::int64_t> shape = {2, 1};
  const std::vector<float> values = {1.5F, -2.0F};
  InferRequest request("model");
  request.AddInput<float>("x", shape, values);
  ASSERT_EQ(request.inputs().size(), 1U);
  const InferRequest::Input& input = request.inputs()[0];
  EXPECT_EQ(input.name, "x");
  EXPECT_EQ(input.datatype, "FP32");
  EXPECT_EQ(input.shape, shape);
  EXPECT_EQ(input.bytes.data(), std::as_bytes(std::span(values)).data());
  EXPECT_EQ(input.bytes.size(), 8U);
}

TEST(InferRequestTest, RawInputKeepsItsDatatype) {
  const std::array<std::byte, 4> bytes{};
  InferRequest request("model");
  request.AddRawInput("x", "FP16", std::vector<std::int64_t>{2}, bytes);
  EXPECT_EQ(request.inputs()[0].datatype, "FP16");
  EXPECT_EQ(request.inputs()[0].bytes.size(), 4U);
}

TEST(InferRequestTest, VectorsAndTextsAreTakenOver) {
  std::vector<double> values = {1, 2};
  const double* const data = values.data();
  std::string bytes(100, 'b');
  const char* const text = bytes.data();
  InferRequest request("model");
  request.AddInput<double>("x", std::vector<std::int64_t>{2},
                           std::move(values));
  request.AddRawInput("r", "UINT8", std::vector<std::int64_t>{100},
                      std::move(bytes));
  const InferRequest copy = request;  // Shares them.
  for (const InferRequest& each : {request, copy}) {
    EXPECT_EQ(static_cast<const void*>(each.inputs()[0].bytes.data()), data);
    EXPECT_EQ(static_cast<const void*>(each.inputs()[1].bytes.data()), text);
    EXPECT_NE(each.inputs()[0].owner, nullptr);
  }
}

TEST(InferRequestTest, TextsHaveTheirSizesInFront) {
  const std::vector<std::string> texts = {"ab", ""};
  InferRequest request("model");
  request.AddTextInput("t", std::vector<std::int64_t>{2}, texts);
  const InferRequest::Input& input = request.inputs()[0];
  EXPECT_EQ(input.datatype, "BYTES");
  const std::string_view bytes(
      reinterpret_cast<const char*>(input.bytes.data()), input.bytes.size());
  EXPECT_EQ(bytes, std::string_view("\x02\0\0\0ab\0\0\0\0", 10));
}

TEST(InferRequestTest, ParameterThatIsSetAgainIsReplaced) {
  InferRequest request("model");
  request.SetParameter("priority", std::int64_t{1})
      .SetParameter("name", std::string("n"))
      .SetParameter("priority", std::int64_t{2});
  ASSERT_EQ(request.parameters().size(), 2U);
  EXPECT_EQ(request.parameters()[0].second, InferParameter(std::int64_t{2}));
}

TEST(InferRequestTest, EveryTypeHasItsName) {
  EXPECT_EQ(DatatypeOf<bool>(), "BOOL");
  EXPECT_EQ(DatatypeOf<std::uint8_t>(), "UINT8");
  EXPECT_EQ(DatatypeOf<std::uint16_t>(), "UINT16");
  EXPECT_EQ(DatatypeOf<std::uint32_t>(), "UINT32");
  EXPECT_EQ(DatatypeOf<std::uint64_t>(), "UINT64");
  EXPECT_EQ(DatatypeOf<std::int8_t>(), "INT8");
  EXPECT_EQ(DatatypeOf<std::int16_t>(), "INT16");
  EXPECT_EQ(DatatypeOf<std::int32_t>(), "INT32");
  EXPECT_EQ(DatatypeOf<std::int64_t>(), "INT64");
  EXPECT_EQ(DatatypeOf<float>(), "FP32");
  EXPECT_EQ(DatatypeOf<double>(), "FP64");
}

}  // namespace
}  // namespace relu
