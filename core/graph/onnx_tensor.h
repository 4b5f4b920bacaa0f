// TensorFromOnnx: the value of an initializer or attribute, checked.

#ifndef CORE_GRAPH_ONNX_TENSOR_H_
#define CORE_GRAPH_ONNX_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"

#include "core/base/file.h"
#include "core/graph/external_data.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"

namespace onnx {
class TensorProto;
}  // namespace onnx

namespace relu {

// ONNX's number of an element type to ours; nullopt if we have none (STRING,
// COMPLEX64, 8-bit floats, ...).
std::optional<DataType> DataTypeFromOnnx(std::int64_t number);

// Where the elements of a model's tensors are, and which of them are wanted.
struct TensorSource {
  ExternalData external;
  // What ReadOnnxOutline() left in it. Null if messages have been read whole.
  const File* file = nullptr;
  // Tensors for which IsLeftOut() are given without elements: to run the
  // network needs these, to check it does not.
  bool outlines = false;
  // How much more memory tensors may take than their numbers in `file`, which
  // can be a byte each.
  std::size_t spare_bytes = std::size_t{8} << 20U;
};

// Whether a constant is so large that outlines leave its elements out. Types
// and shapes of results do not depend on so many.
bool IsLeftOut(DataType type, std::int64_t element_count);

// The tensor in `proto`, from its own bytes, the file that it was in, or the
// external file that it names. Errors, each naming the tensor: those of
// ExternalData::Read() and File::Read();
//   INVALID_ARGUMENT  sizes contradict, or an element is out of range
//   UNIMPLEMENTED     a form or an element type that we do not have
absl::StatusOr<Tensor> TensorFromOnnx(const onnx::TensorProto& proto,
                                      TensorSource& source);

}  // namespace relu

#endif  // CORE_GRAPH_ONNX_TENSOR_H_
