#include "client/load/request.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/answer_contents.h"
#include "client/load/message_reader.h"
#include "proto/inference.pb.h"

namespace relu::load {
namespace {

const std::vector<std::int64_t> kShape = {2};

inference::ModelInferRequest Parse(std::string_view bytes) {
  bytes.remove_prefix(kMessagePrefixBytes);
  inference::ModelInferRequest message;
  EXPECT_TRUE(
      message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return message;
}

TEST(RequestTest, RawContentsAreTheBytes) {
  const std::vector<float> values = {1.5F, -2.0F};
  InferRequest request("m", "3");
  request.AddInput<float>("x", kShape, values).AddOutput("y");
  const auto message =
      Parse(EncodeRequest(request, Contents::kRaw, /*with_id=*/false).value());
  EXPECT_EQ(message.model_name(), "m");
  EXPECT_EQ(message.model_version(), "3");
  EXPECT_EQ(message.outputs(0).name(), "y");
  EXPECT_EQ(message.raw_input_contents(0).size(), 8U);
  EXPECT_FALSE(message.inputs(0).has_contents());
  EXPECT_EQ(message.id(), "");
}

template <typename T>
void ExpectTypedRoundTrip() {
  const std::vector<T> values = {static_cast<T>(0), static_cast<T>(1)};
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto one = std::bit_cast<std::array<std::byte, sizeof(T)>>(values[i]);
    std::ranges::copy(
        one, bytes.begin() + static_cast<std::ptrdiff_t>(i * sizeof(T)));
  }
  InferRequest request("m");
  request.AddRawInput("x", DatatypeOf<T>(), kShape, bytes);
  const auto message = Parse(
      EncodeRequest(request, Contents::kTyped, /*with_id=*/false).value());
  EXPECT_EQ(message.raw_input_contents_size(), 0);
  const auto back =
      BytesOfTypedContents(DatatypeOf<T>(), message.inputs(0).contents());
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_EQ(std::as_bytes(std::span(*back)).size(), bytes.size());
  EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(*back)), bytes));
}

TEST(RequestTest, TypedContentsHoldTheSameValuesForEveryType) {
  ExpectTypedRoundTrip<float>();
  ExpectTypedRoundTrip<double>();
  ExpectTypedRoundTrip<bool>();
  ExpectTypedRoundTrip<std::int8_t>();
  ExpectTypedRoundTrip<std::int16_t>();
  ExpectTypedRoundTrip<std::int32_t>();
  ExpectTypedRoundTrip<std::int64_t>();
  ExpectTypedRoundTrip<std::uint8_t>();
  ExpectTypedRoundTrip<std::uint16_t>();
  ExpectTypedRoundTrip<std::uint32_t>();
  ExpectTypedRoundTrip<std::uint64_t>();
}

TEST(RequestTest, HalfPrecisionHasNoTypedContents) {
  const std::vector<std::byte> bytes(4);
  InferRequest request("m");
  request.AddRawInput("x", "FP16", kShape, bytes);
  EXPECT_EQ(EncodeRequest(request, Contents::kTyped, false).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(RequestTest, IdStandsInTheLastBytesForStreams) {
  InferRequest request("m");
  request.SetId("another");
  std::string bytes =
      EncodeRequest(request, Contents::kRaw, /*with_id=*/true).value();
  EXPECT_EQ(Parse(bytes).id(), IdText(0));
  bytes.replace(bytes.size() - kIdBytes, kIdBytes, IdText(0xABC));
  EXPECT_EQ(Parse(bytes).id(), "0000000000000abc");
  EXPECT_EQ(IdText(~std::uint64_t{0}).size(), kIdBytes);
}

}  // namespace
}  // namespace relu::load
