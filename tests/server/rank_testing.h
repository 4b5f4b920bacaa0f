// What the tests of Rank share: items of the model of digits, its answers to
// full rows, and calls.

#ifndef TESTS_SERVER_RANK_TESTING_H_
#define TESTS_SERVER_RANK_TESTING_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"
#include "gtest/gtest.h"

#include "core/batching/inference_request.h"
#include "core/batching/scheduler.h"
#include "core/repository/model.h"
#include "proto/relu.pb.h"
#include "server/infer_exchange.h"
#include "server/rank_call.h"
#include "server/rpc_table.h"
#include "tests/core/repository/outcome.h"

namespace relu {

inline constexpr float kNanFeature = std::numeric_limits<float>::quiet_NaN();

inline std::vector<float> RandomFloats(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values(count);
  for (float& value : values) {
    value = static_cast<float>(random() % 2001) / 1000 - 1;
    value = random() % 3 == 0 ? 0.0F : value;
  }
  return values;
}

inline void AddRaw(google::protobuf::RepeatedPtrField<v1::RankTensor>& field,
                   const std::string& name, std::int64_t rows,
                   const std::vector<float>& values) {
  v1::RankTensor& tensor = *field.Add();
  tensor.set_name(name);
  tensor.set_datatype("FP32");
  tensor.add_shape(rows);
  tensor.add_shape(static_cast<std::int64_t>(values.size()) / rows);
  tensor.set_raw(values.data(), values.size() * sizeof(float));
}

// Items of the model of digits that share their first features.
struct DigitItems {
  DigitItems(std::int64_t items, std::size_t shared_features,
             std::uint32_t seed)
      : rows(items),
        shared(RandomFloats(shared_features, seed)),
        own(RandomFloats(
            static_cast<std::size_t>(items) * (64 - shared_features),
            seed + 1)) {}

  v1::RankRequest Request(std::uint32_t element = 3) const {
    v1::RankRequest request;
    request.set_model_name("digits_mlp");
    AddRaw(*request.mutable_shared(), "input", 1, shared);
    AddRaw(*request.mutable_items(), "input", rows, own);
    request.set_element(element);
    return request;
  }

  // The full rows.
  std::vector<float> Expanded() const {
    std::vector<float> all;
    const std::size_t width = 64 - shared.size();
    for (std::int64_t row = 0; row < rows; ++row) {
      all.insert(all.end(), shared.begin(), shared.end());
      const auto first = own.begin() + row * static_cast<std::int64_t>(width);
      all.insert(all.end(), first, first + static_cast<std::ptrdiff_t>(width));
    }
    return all;
  }

  std::int64_t rows;
  std::vector<float> shared;
  std::vector<float> own;
};

// What the model answers to full rows.
inline std::vector<float> Answers(Model& model, std::int64_t rows,
                                  const std::vector<float>& values) {
  std::vector<float> output(static_cast<std::size_t>(rows) * 10);
  InferenceRequest request;
  request.rows = rows;
  request.inputs = {reinterpret_cast<const std::byte*>(values.data())};
  request.outputs = {reinterpret_cast<std::byte*>(output.data())};
  Outcome outcome;
  request.done = [done = outcome.done()](const absl::Status& status) {
    done(status);
  };
  InferenceRequest* const requests[] = {&request};
  model.scheduler().Submit(requests);
  EXPECT_TRUE(outcome.Wait().ok());
  return output;
}

// From a request to its answer, through the bytes of both.
inline absl::StatusOr<v1::RankResponse> CallRank(
    const InferEnvironment& environment, const v1::RankRequest& request,
    const Rpc::Caller& caller = {}) {
  Deferred<std::string> answer;
  RankCall::Begin(environment, request.SerializeAsString(), caller,
                  answer.done());
  const absl::StatusOr<std::string> bytes = answer.Wait();
  if (!bytes.ok()) {
    return bytes.status();
  }
  v1::RankResponse response;
  EXPECT_TRUE(response.ParseFromString(*bytes));
  return response;
}

}  // namespace relu

#endif  // TESTS_SERVER_RANK_TESTING_H_
