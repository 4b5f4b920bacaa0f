// Products with packed weights in double precision, for what is computed about
// a network and not by it.

#ifndef CORE_RELU_PACKED_PRODUCT_H_
#define CORE_RELU_PACKED_PRODUCT_H_

#include <cstddef>
#include <vector>

#include "core/kernels/kernels.h"

namespace relu {

// output += weights times input; without the bias.
void AddProduct(const kernels::PackedDense& layer, const double* input,
                double* output);

// Row-major [k, n].
std::vector<double> UnpackWeights(const kernels::PackedDense& layer);

// The weights of output `j`, [k], as they are served: of float16 too.
std::vector<double> UnpackColumn(const kernels::PackedDense& layer,
                                 std::size_t j);

}  // namespace relu

#endif  // CORE_RELU_PACKED_PRODUCT_H_
