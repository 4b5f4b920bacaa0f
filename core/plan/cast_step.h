// Conversions between element types: the operator Cast, and FP64, FP16 and BF16
// at the inputs and outputs of a plan.

#ifndef CORE_PLAN_CAST_STEP_H_
#define CORE_PLAN_CAST_STEP_H_

#include <cstddef>

#include "core/graph/graph.h"
#include "core/plan/plan_builder.h"
#include "core/tensor/data_type.h"

namespace relu {

// All conversions are defined:
//   floating point to integer   towards zero; what does not fit becomes the
//                               nearest integer that does, NaN becomes 0
//   integer to integer          modulo 2^bits
//   to floating point           to nearest, ties to even
//   to BOOL                     value != 0, so NaN is true
//   between floating points     nothing: inside of a plan all are FP32
void LowerCast(const Node& node, PlanBuilder& plan);

struct Conversion {
  DataType from = DataType::kFp32;
  DataType to = DataType::kFp32;
  std::size_t elements = 0;  // Of a row.
  std::size_t input = 0;     // Buffers.
  std::size_t output = 0;
};

// Adds a step that converts; FP16 and BF16 only from and to FP32.
void AddConversion(const Conversion& conversion, PlanBuilder& plan);

}  // namespace relu

#endif  // CORE_PLAN_CAST_STEP_H_
