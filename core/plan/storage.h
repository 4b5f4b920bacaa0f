// How the values of a graph are stored in a plan: their types, the sizes of
// their rows, and constants made ready for use by every row.

#ifndef CORE_PLAN_STORAGE_H_
#define CORE_PLAN_STORAGE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/tensor/data_type.h"
#include "core/tensor/tensor.h"

namespace relu {

// The type that values of `type` have inside of a plan: FP32 for FP64, FP16 and
// BF16, otherwise the same.
DataType StorageType(DataType type);

// Of a batched value: the shape, elements and stored bytes of one row.
std::span<const std::int64_t> RowShape(const Value& value);
std::size_t RowElements(const Value& value);
std::size_t RowBytes(const Value& value);

// The elements of a row, seen from one axis: [outer][size][inner].
struct AxisSplit {
  std::size_t outer = 1;
  std::size_t size = 1;
  std::size_t inner = 1;
};

// `axis` counts from the batch dimension, which is 0; so it is 1 or more.
AxisSplit SplitRow(const Value& value, std::int64_t axis);

// `constant` in its storage type, rounded where that is narrower.
Tensor ToStorage(const Tensor& constant);

// `constant`, an input of `node`, in its storage type and broadcast to one row
// of the batched value `like`. UNIMPLEMENTED if it would differ from row to
// row.
absl::StatusOr<Tensor> ExpandConstant(const Node& node, const Tensor& constant,
                                      const Value& like);

// UNIMPLEMENTED, with advice, unless `value`, which `node` computes with, is of
// a type that is stored as float32.
absl::Status RequireFloat(const Node& node, const Value& value);

}  // namespace relu

#endif  // CORE_PLAN_STORAGE_H_
