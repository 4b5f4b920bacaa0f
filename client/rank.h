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

struct RankResult {
  std::string model_name;
  std::string model_version;
  std::string output;
  // The best items first, with their scores. Empty if top_k was 0: then the
  // scores are those of all items.
  std::vector<std::uint32_t> items;
  std::vector<float> scores;
};

}  // namespace relu

#endif  // CLIENT_RANK_H_
