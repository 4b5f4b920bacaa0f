// Rows: what reluctl sends, read from a file, with what the model wants.

#ifndef CLIENT_CLI_ROWS_H_
#define CLIENT_CLI_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/inference_client.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {

// One input of a model: a tensor of rows.
struct ModelInput {
  std::string name;
  DataType type = DataType::kFp32;
  Shape row_shape;  // Without the batch dimension. -1: any size.
  // Elements of one row; nullopt if a size of the row is not fixed.
  std::optional<std::int64_t> row_elements;
};

struct ModelInputs {
  std::vector<ModelInput> inputs;
  // The rows that each request must have, if the model's batch is fixed.
  std::optional<std::int64_t> fixed_batch_rows;
};

// Takes the inputs from a model's metadata. INVALID_ARGUMENT for a model whose
// inputs reluctl cannot send: without a batch dimension, or texts.
absl::StatusOr<ModelInputs> InputsOf(const ModelMetadata& metadata);

// INVALID_ARGUMENT, naming the inputs there are, if there is none of `name`.
absl::StatusOr<const ModelInput*> FindInput(const ModelInputs& inputs,
                                            std::string_view name);

// INVALID_ARGUMENT, naming the input, if a size of its rows is not fixed.
absl::StatusOr<std::int64_t> FixedRowElements(const ModelInput& input);

// The rows for one input.
struct RowTensor {
  std::string name;
  DataType type = DataType::kFp32;
  Shape row_shape;  // Without the batch dimension.
  std::vector<std::byte> bytes;

  // `count` rows from `first` on.
  std::span<const std::byte> RowBytes(std::int64_t first,
                                      std::int64_t count) const;
  // The shape of `count` rows: with the batch dimension.
  Shape ShapeOf(std::int64_t count) const;
};

struct Rows {
  std::int64_t count = 0;
  std::vector<RowTensor> inputs;
  // The true label of each row; empty if they are not known.
  std::vector<double> labels;
  // The names of the columns that are sent, in the order of the inputs'
  // elements; empty if they have none.
  std::vector<std::string> columns;
  // What the user should know about how the rows were read.
  std::vector<std::string> notes;
};

// Rows without any, ready to be filled: one tensor for each of `inputs`.
// INVALID_ARGUMENT if a size of an input's row is not fixed.
absl::StatusOr<Rows> EmptyRows(const ModelInputs& inputs);

}  // namespace relu

#endif  // CLIENT_CLI_ROWS_H_
