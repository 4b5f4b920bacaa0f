// Rows of a file for a model whose ONNX file is at hand: no server is asked.

#ifndef CLIENT_CLI_MODEL_ROWS_H_
#define CLIENT_CLI_MODEL_ROWS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "client/cli/row_source.h"
#include "core/graph/graph.h"
#include "core/tensor/tensor.h"

namespace relu {

struct ModelRows {
  std::vector<Tensor> inputs;  // In the model's order, with the rows first.
  // The names of the elements of all inputs, or empty.
  std::vector<std::string> columns;
};

// Errors: those of ReadRows(); standard input is not read.
absl::StatusOr<ModelRows> ReadModelRows(const RowOptions& options,
                                        const Graph& graph);

}  // namespace relu

#endif  // CLIENT_CLI_MODEL_ROWS_H_
