// ChannelAffine: what BatchNormalization, or arithmetic with a constant, does
// to each channel or feature.

#ifndef CORE_PLAN_CHANNEL_AFFINE_H_
#define CORE_PLAN_CHANNEL_AFFINE_H_

#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"

namespace relu {

// y = x * scale[c] + shift[c], c the channel of x.
struct ChannelAffine {
  std::vector<double> scale;
  std::vector<double> shift;
};

// Of a BatchNormalization. Errors: UNIMPLEMENTED if a parameter is computed;
// INVALID_ARGUMENT if scale and shift are not finite.
absl::StatusOr<ChannelAffine> ReadBatchNormalization(const Graph& graph,
                                                     const Node& node);

// What `node` does to its operand `through`, if that is one scale and one shift
// for each feature, the last dimension: Add, Sub, Mul, Div by constants, and
// BatchNormalization of [N, features]. nullopt for others, and for scales that
// are so large or small that weights times them might lose digits.
std::optional<ChannelAffine> AffineOfFeatures(const Graph& graph,
                                              const Node& node,
                                              ValueId through);

}  // namespace relu

#endif  // CORE_PLAN_CHANNEL_AFFINE_H_
