// What InferenceClient::Rank() asks a relud server, and its answer: the scores
// of items that share features. proto/relu.proto says what the fields mean.
//
// This header is installed; it includes neither gRPC nor protobuf.

#ifndef CLIENT_RANK_H_
#define CLIENT_RANK_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/infer_request.h"

namespace relu {

// An input of the model, or some features of its rows.
struct RankTensor {
  std::string name;
  std::string datatype;             // Of the input: "FP32".
  std::vector<std::int64_t> shape;  // With the number of rows first.
  std::string bytes;                // Row-major, little-endian.
};

// A tensor of these values. T is one of those of InferRequest::AddInput().
template <typename T>
RankTensor RankValues(std::string_view name,
                      const std::vector<std::int64_t>& shape,
                      std::span<const T> values) {
  return {.name = std::string(name),
          .datatype = std::string(DatatypeOf<T>()),
          .shape = shape,
          .bytes = {reinterpret_cast<const char*>(values.data()),
                    values.size_bytes()}};
}

struct RankRequest {
  std::string model;
  std::string version = {};             // Empty: the latest.
  std::string id = {};                  // For the access log.
  std::vector<RankTensor> shared = {};  // One row each.
  std::vector<RankTensor> items = {};   // A row for each item.
  std::string output = {};              // Empty: the first of floats.
  // Of a row of the output; may be left out if there is only one.
  std::optional<std::uint32_t> element = {};
  std::uint32_t top_k = 0;  // 0: all, in the order in which they came.
};

// What the server's checks of the model's guarantees have found in all items of
// the request, by their numbers there.
struct RankFindings {
  // Items, and shared values, with NaN or infinity; items whose row of the
  // output has some.
  std::int64_t nonfinite_items = 0;
  std::int64_t nonfinite_shared_values = 0;
  std::int64_t nonfinite_outputs = 0;
  // Outside of the model's domain: how many, the first 256, the first value in
  // words, and how many of them were moved to the nearest of the domain.
  std::int64_t out_of_domain_items = 0;
  std::vector<std::uint32_t> out_of_domain_list = {};
  std::string out_of_domain_first = {};
  std::int64_t clamped_items = 0;
};

struct RankResult {
  std::string model_name;
  std::string model_version;
  std::string output;
  // The best items first, with their scores. Empty if top_k was 0: then the
  // scores are those of all items.
  std::vector<std::uint32_t> items;
  std::vector<float> scores;
  RankFindings findings = {};
};

}  // namespace relu

#endif  // CLIENT_RANK_H_
