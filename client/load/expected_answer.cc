#include "client/load/expected_answer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/infer_message.h"
#include "client/infer_result.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"

namespace relu::load {
namespace {

template <typename T>
std::string ValueDifference(std::string_view want, std::string_view got,
                            double tolerance) {
  for (std::size_t i = 0; i + sizeof(T) <= want.size(); i += sizeof(T)) {
    T a{};
    T b{};
    std::memcpy(&a, want.data() + i, sizeof(T));
    std::memcpy(&b, got.data() + i, sizeof(T));
    const auto expected = static_cast<double>(a);
    const double most = tolerance * std::max(1.0, std::abs(expected));
    if (std::memcmp(&a, &b, sizeof(T)) != 0 &&
        !(std::abs(static_cast<double>(b) - expected) <= most)) {
      return fmt::format("element {} is {}, expected {}", i / sizeof(T), b, a);
    }
  }
  return {};
}

std::string OutputDifference(const ExpectedOutput& want,
                             const OutputTensor& got, double tolerance) {
  const std::string_view bytes(reinterpret_cast<const char*>(got.bytes.data()),
                               got.bytes.size());
  if (got.datatype != want.datatype || bytes.size() != want.bytes.size()) {
    return fmt::format("{} bytes of {}, expected {} of {}", bytes.size(),
                       got.datatype, want.bytes.size(), want.datatype);
  }
  if (bytes == want.bytes) {
    return {};
  }
  if (want.datatype == "FP32") {
    return ValueDifference<float>(want.bytes, bytes, tolerance);
  }
  if (want.datatype == "FP64") {
    return ValueDifference<double>(want.bytes, bytes, tolerance);
  }
  const auto first = std::ranges::mismatch(want.bytes, bytes).in2;
  return fmt::format("byte {} differs", first - bytes.begin());
}

}  // namespace

ExpectedAnswer::ExpectedAnswer(std::vector<ExpectedOutput> outputs,
                               double tolerance)
    : outputs_(std::move(outputs)), tolerance_(tolerance) {}

std::string ExpectedAnswer::Difference(std::string_view message) const {
  auto response = std::make_unique<inference::ModelInferResponse>();
  if (!response->ParseFromArray(message.data(),
                                static_cast<int>(message.size()))) {
    return "the answer is no ModelInferResponse";
  }
  const auto result = FromMessage(std::move(response));
  if (!result.ok()) {
    return std::string(result.status().message());
  }
  for (const ExpectedOutput& want : outputs_) {
    const auto got = result->Output(want.name);
    if (!got.ok()) {
      return std::string(got.status().message());
    }
    const std::string difference = OutputDifference(want, **got, tolerance_);
    if (!difference.empty()) {
      return fmt::format("output \"{}\": {}", want.name, difference);
    }
  }
  return {};
}

}  // namespace relu::load
