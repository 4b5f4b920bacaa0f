// PlaceParts(): computes the inputs of concatenations where the results have
// them.

#ifndef CORE_RELU_PART_PLACEMENT_H_
#define CORE_RELU_PART_PLACEMENT_H_

#include "core/relu/piecewise_network.h"

namespace relu {

// Leaves out each MoveOp that copies a whole slot into a part of another one,
// if that is all the slot is for: what fills it fills the part instead.
// Networks of more than a thousand operations stay as they are: it takes the
// square. Slots lie within others afterwards, which those who keep something by
// slot, such as bounds, don't expect.
void PlaceParts(PiecewiseNetwork& network);

}  // namespace relu

#endif  // CORE_RELU_PART_PLACEMENT_H_
