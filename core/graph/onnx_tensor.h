// TensorFromOnnx: the value of an initializer or attribute, checked.

#ifndef CORE_GRAPH_ONNX_TENSOR_H_
#define CORE_GRAPH_ONNX_TENSOR_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"

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

// The tensor in `proto`, from its own bytes or from the external file that it
// names. Errors, each naming the tensor: those of ExternalData::Read();
//   INVALID_ARGUMENT  sizes contradict, or an element is out of range
//   UNIMPLEMENTED     a form or an element type that we do not have
absl::StatusOr<Tensor> TensorFromOnnx(const onnx::TensorProto& proto,
                                      ExternalData& external);

}  // namespace relu

#endif  // CORE_GRAPH_ONNX_TENSOR_H_
