#include "tests/support/reference_model.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"
#include "tests/support/npy.h"

namespace relu {
namespace {

using TensorMap = std::map<std::string, Tensor, std::less<>>;

absl::StatusOr<TensorMap> ReadTensors(const std::filesystem::path& folder) {
  TensorMap tensors;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".npy") {
      ASSIGN_OR_RETURN(tensors[entry.path().stem().string()],
                       ReadNpy(entry.path()));
    }
  }
  return tensors;
}

}  // namespace

absl::StatusOr<ReferenceModel> LoadReference(
    const std::filesystem::path& folder) {
  ReferenceModel model;
  model.name = folder.filename().string();
  model.onnx = folder / "model.onnx";
  ASSIGN_OR_RETURN(model.inputs, ReadTensors(folder / "inputs"));
  ASSIGN_OR_RETURN(model.outputs, ReadTensors(folder / "outputs"));
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(folder / "tolerance.txt", /*max_bytes=*/1 << 16));
  std::istringstream lines(text);
  std::string output;
  double tolerance = 0;
  while (lines >> output >> tolerance) {
    model.tolerances[output] = tolerance;
  }
  return model;
}

std::vector<std::filesystem::path> ReferenceFolders(
    const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> folders;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (std::filesystem::exists(entry.path() / "model.onnx")) {
      folders.push_back(entry.path());
    }
  }
  std::ranges::sort(folders);
  return folders;
}

Tensor SliceRows(const Tensor& tensor, std::int64_t first_row,
                 std::int64_t rows) {
  Shape shape = tensor.shape();
  const std::int64_t total_rows = shape[0];
  shape[0] = rows;
  Tensor slice(tensor.type(), shape);
  const std::size_t row_bytes =
      tensor.bytes().size() / static_cast<std::size_t>(total_rows);
  for (std::int64_t i = 0; i < rows && row_bytes > 0; ++i) {
    const auto source =
        static_cast<std::size_t>((first_row + i) % total_rows) * row_bytes;
    std::memcpy(slice.bytes().data() + static_cast<std::size_t>(i) * row_bytes,
                tensor.bytes().data() + source, row_bytes);
  }
  return slice;
}

}  // namespace relu
