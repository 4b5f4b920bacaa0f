// ExternalData: the files beside a model that hold its weights.

#ifndef CORE_GRAPH_EXTERNAL_DATA_H_
#define CORE_GRAPH_EXTERNAL_DATA_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

// Where a model says that a tensor lies.
struct ExternalRange {
  std::string location;  // A path relative to the model's folder.
  std::uint64_t offset_bytes = 0;
  // nullopt: as the shape says.
  std::optional<std::uint64_t> length_bytes = std::nullopt;
};

// Reads tensors from files in `folder` or below, links followed; nothing else
// is opened. The tensors of one file may together be no larger than the file,
// and all no larger than 8 GiB. For one thread.
class ExternalData {
 public:
  explicit ExternalData(std::filesystem::path folder);

  // The tensor, read from exactly its bytes. `shape` has at most 2^40 elements.
  // Errors:
  //   NOT_FOUND         there is no such file
  //   INVALID_ARGUMENT  the location is outside of the folder or no regular
  //                     file, or the range does not fit file or shape
  //   INTERNAL          the file cannot be read
  absl::StatusOr<Tensor> Read(const ExternalRange& range, DataType type,
                              const Shape& shape);
  // Everything that Read() does but for reading the tensor.
  absl::Status Check(const ExternalRange& range, DataType type,
                     const Shape& shape);

 private:
  // The file.
  absl::StatusOr<std::filesystem::path> Find(const ExternalRange& range,
                                             DataType type, const Shape& shape);
  absl::StatusOr<std::filesystem::path> Resolve(
      const std::string& location) const;
  absl::Status Claim(const ExternalRange& range,
                     const std::filesystem::path& file,
                     std::uint64_t wanted_bytes);

  std::filesystem::path folder_;
  std::map<std::filesystem::path, std::uint64_t> claimed_bytes_;  // By file.
  std::uint64_t total_bytes_ = 0;
};

}  // namespace relu

#endif  // CORE_GRAPH_EXTERNAL_DATA_H_
