// IntegerSource: an integer that a plan makes of one element of the inputs,
// with casts and arithmetic.

#ifndef CORE_RELU_INTEGER_SOURCE_H_
#define CORE_RELU_INTEGER_SOURCE_H_

#include <cstddef>
#include <cstdint>

#include "core/relu/interval.h"
#include "core/tensor/data_type.h"

namespace relu {

// scale * integer + shift, modulo 2^bits of `type`. The types are of integers;
// BOOL is UINT8 here.
struct IntegerSource {
  std::size_t element = 0;  // Of all inputs.
  std::int64_t scale = 1;
  std::int64_t shift = 0;
  // What is made of the element first: towards zero, and kept within its range.
  DataType read_as = DataType::kInt64;
  bool is_float = false;  // The element, which a plan has as float32.
  DataType type = DataType::kInt64;
};

// Of an element of an input of `type`, which is one of integers.
IntegerSource ElementSource(std::size_t element, DataType type);

// UINT64 modulo 2^64.
std::int64_t IntegerOf(const IntegerSource& source, double element);

// All that it may be for elements of the interval; as wide as its type if it
// may wrap around.
Interval IntegersOf(const IntegerSource& source, const Interval& elements);

// --- More operations, modulo 2^bits of the source's type ---
void Multiply(IntegerSource& source, std::int64_t factor);
void Add(IntegerSource& source, std::int64_t summand);

// Makes it one of `type`, modulo 2^bits. False, and nothing is done, if that is
// no longer a scale and a shift: `type` is wider, and what is there may have
// wrapped around.
bool CastTo(DataType type, IntegerSource& source);

}  // namespace relu

#endif  // CORE_RELU_INTEGER_SOURCE_H_
