// Reads NumPy's .npy files.

#ifndef CLIENT_CLI_NPY_READER_H_
#define CLIENT_CLI_NPY_READER_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "client/cli/rows.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"

namespace relu {

// An array of numbers; a view into the file's bytes.
struct NpyArray {
  DataType type = DataType::kFp32;
  Shape shape;
  std::span<const std::byte> elements;  // Row-major, little-endian.
};

// Versions 1 to 3 of the format. INVALID_ARGUMENT if `bytes` are no such file,
// or hold texts, objects, complex or big-endian numbers, or columns first.
absl::StatusOr<NpyArray> ReadNpy(std::string_view bytes);

// The array as rows for `input`: its first dimension counts the rows, and a
// row is given the input's shape if it has as many elements. Another type of
// numbers is converted if no value can be far off: integers that fit, and
// floats to floats. `notes` tells of conversions that round.
absl::StatusOr<RowTensor> ToRows(const NpyArray& array, const ModelInput& input,
                                 std::vector<std::string>& notes);

}  // namespace relu

#endif  // CLIENT_CLI_NPY_READER_H_
