// Whether two models answer with the same bits.

#ifndef CORE_RELU_SAME_BITS_H_
#define CORE_RELU_SAME_BITS_H_

#include <chrono>
#include <cstdint>

#include "absl/status/statusor.h"

#include "core/plan/compiled_model.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"

namespace relu {

struct SameBitsOptions {
  // Random inputs of the box: in every other one each element is at one of its
  // ends, the rest lie anywhere, but for one-hot groups. The seed is fixed.
  std::int64_t points = 100'000;
  // No more points than fit into this time.
  std::chrono::seconds time{60};
};

// What was compared.
struct SameBitsCount {
  std::int64_t rows = 0;
  std::int64_t points = 0;
  std::int64_t alone = 0;  // Of both: how many were also run as one row.
};

// Runs both on the rows and on points of the box, whose elements are those of
// all inputs, in blocks and some of them alone, and compares each byte of each
// output. Inputs for which neither has an answer (an index outside of its
// table) count as equal. Both have the same inputs and outputs and keep rows
// apart. INTERNAL, naming the output and both values, if they differ.
absl::StatusOr<SameBitsCount> CheckSameBits(
    const CompiledModel& model, const CompiledModel& other, const InputBox& box,
    const InputRows& rows, const SameBitsOptions& options = {});

}  // namespace relu

#endif  // CORE_RELU_SAME_BITS_H_
