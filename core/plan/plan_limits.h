// Limits on what a plan takes of memory and time, and checks of them.

#ifndef CORE_PLAN_PLAN_LIMITS_H_
#define CORE_PLAN_PLAN_LIMITS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

#include "core/graph/graph.h"

namespace relu {

// The most memory that a workspace takes for each row. Far beyond what networks
// of dense layers need; a batch of 64 rows stays below 1 GiB.
inline constexpr std::size_t kMaxWorkspaceRowBytes = 16 << 20;
// The most memory for all values of a graph that goes through the interpreter,
// which computes with 8 bytes an element: of this many rows together, if there
// is a batch dimension.
inline constexpr std::size_t kMaxInterpretedBytes = 256 << 20;
inline constexpr std::int64_t kInterpretedRows = 64;
// The most multiplications of a product that goes through the interpreter, for
// so many rows: some ten seconds.
inline constexpr std::int64_t kMaxInterpretedProducts = std::int64_t{1} << 33U;

// Weights grow when they are packed (16 columns at least, FP16 to float32), so
// by 32 times at most, and small constants are expanded to rows. More than this
// comes from no trained network, but could come from a hostile file.
std::size_t MaxConstantBytes(const Graph& graph);

// How many rows go through all steps of a small network before the next ones
// do: their values stay in L1, and the weights in L2, from where they are read
// once a block.
std::int64_t BlockRows(std::size_t weight_bytes, std::size_t row_bytes);

// UNIMPLEMENTED if a row of the value does not fit into a workspace.
absl::Status CheckRowSize(const Value& value);

// UNIMPLEMENTED if the interpreter cannot multiply matrices that large in
// useful time. Their sizes have been checked, so that only the whole product
// may overflow.
absl::Status CheckProduct(const Graph& graph, const Node& node);

// Takes what the interpreter needs for a value from `room_bytes`; false if that
// is too little.
bool TakeRoom(const Value& value, std::size_t& room_bytes);

}  // namespace relu

#endif  // CORE_PLAN_PLAN_LIMITS_H_
