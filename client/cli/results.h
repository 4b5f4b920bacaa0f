// Results: the outputs for all rows, joined from the answers to all requests.

#ifndef CLIENT_CLI_RESULTS_H_
#define CLIENT_CLI_RESULTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "client/inference_client.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {

struct ResultTensor {
  std::string name;
  DataType type = DataType::kFp32;
  Shape row_shape;  // Without the batch dimension.
  std::int64_t row_elements = 0;
  std::vector<std::byte> bytes;

  // Element `k` of row `row`.
  const std::byte* Element(std::int64_t row, std::int64_t k) const;
};

struct Results {
  std::string model;
  std::string version;
  std::int64_t rows = 0;
  std::vector<ResultTensor> outputs;

  // Adds the answer to a request of `request_rows` rows. INTERNAL if an output
  // has not one row for each of these, holds no numbers, or differs in form
  // from the answers before.
  absl::Status Append(const InferResult& answer, std::int64_t request_rows);
};

}  // namespace relu

#endif  // CLIENT_CLI_RESULTS_H_
