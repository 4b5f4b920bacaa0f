// ReadNpy: NumPy's .npy files, for tests.

#ifndef TESTS_SUPPORT_NPY_H_
#define TESTS_SUPPORT_NPY_H_

#include <filesystem>

#include "absl/status/statusor.h"

#include "core/tensor/tensor.h"

namespace relu {

// Reads a file of format 1.0 or 2.0, in C order and little endian, with one of
// the element types <f8 <f4 <f2 <i8 <i4 |b1. INVALID_ARGUMENT, naming the file,
// for anything else.
absl::StatusOr<Tensor> ReadNpy(const std::filesystem::path& path);

}  // namespace relu

#endif  // TESTS_SUPPORT_NPY_H_
