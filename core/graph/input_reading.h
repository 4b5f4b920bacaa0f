// ReadInputs: what the inputs of an ONNX graph are, and in which of their
// dimensions they hold the rows of a batch.

#ifndef CORE_GRAPH_INPUT_READING_H_
#define CORE_GRAPH_INPUT_READING_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/operators.h"
#include "core/tensor/shape.h"

namespace onnx {
class ValueInfoProto;
}  // namespace onnx

namespace relu {

// One way to understand the inputs of a file.
struct InputReading {
  // By input; kBatchDim where rows are counted.
  std::vector<ValueType> types;
  // The number of rows that the file fixes; kBatchDim if it fixes none.
  std::int64_t fixed_rows = kBatchDim;
};

// The ways to try, in order. A dimension that the file leaves open is the
// batch. If it leaves none open but all inputs have the same first size, then
// that may be a batch which the exporter fixed: the first way says so, and
// holds if the graph turns out to keep rows apart; the second, which always
// holds, is that there is no batch dimension. Errors, each naming the input:
// those of ReadDeclaration(); UNIMPLEMENTED without a type or a shape, for
// several open dimensions in one input, or for an open one beside a 0.
absl::StatusOr<std::vector<InputReading>> ReadInputs(
    std::span<const onnx::ValueInfoProto* const> inputs);

}  // namespace relu

#endif  // CORE_GRAPH_INPUT_READING_H_
