// ReferenceModel: a model of tests/testdata with rows and the answers to them.

#ifndef TESTS_SUPPORT_REFERENCE_MODEL_H_
#define TESTS_SUPPORT_REFERENCE_MODEL_H_

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "core/tensor/tensor.h"

namespace relu {

struct ReferenceModel {
  std::string name;            // The folder's.
  std::filesystem::path onnx;  // model.onnx
  // By name of input or output; the first dimension counts rows.
  std::map<std::string, Tensor, std::less<>> inputs;
  std::map<std::string, Tensor, std::less<>> outputs;
  // By name of output: the largest difference allowed.
  std::map<std::string, double, std::less<>> tolerances;
};

// Reads model.onnx's neighbours: inputs/<input>.npy, outputs/<output>.npy and
// tolerance.txt. Errors: those of ReadNpy(); NOT_FOUND if tolerance.txt misses.
absl::StatusOr<ReferenceModel> LoadReference(
    const std::filesystem::path& folder);

// The folders below `folder` that hold a model.onnx, sorted by name.
std::vector<std::filesystem::path> ReferenceFolders(
    const std::filesystem::path& folder);

// Rows first_row, first_row + 1, ... of `tensor`, `rows` of them; after the
// last row comes the first again.
Tensor SliceRows(const Tensor& tensor, std::int64_t first_row,
                 std::int64_t rows);

}  // namespace relu

#endif  // TESTS_SUPPORT_REFERENCE_MODEL_H_
