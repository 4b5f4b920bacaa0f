// ClassLabels: what the classes of an output are called, for clients that ask
// for classes: the file that `label_filename` of config.pbtxt names.

#ifndef CORE_REPOSITORY_CLASS_LABELS_H_
#define CORE_REPOSITORY_CLASS_LABELS_H_

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "core/plan/compiled_model.h"

namespace relu {

struct ClassLabels {
  // By the index of the element in a row. An empty one is no label. None at
  // all: the output has no labels.
  std::vector<std::string> labels;
  std::size_t longest_bytes = 0;
};

// Whether the elements of a row of this output can be ranked as classes: they
// are numbers, and the rows, if there are any, are the first dimension.
bool HasClasses(const TensorSignature& output);

// Reads the labels of `output` from `filename`, a path relative to `folder`:
// UTF-8, one a line, at most 4 MiB. Errors, which name the output and the file:
//   INVALID_ARGUMENT  the path leads out of `folder`; the file is too large, or
//                     no UTF-8; the labels are not as many as a row has
//                     elements; the output has no classes
//   those of ReadFile
absl::StatusOr<ClassLabels> ReadClassLabels(const TensorSignature& output,
                                            const std::filesystem::path& folder,
                                            std::string_view filename);

}  // namespace relu

#endif  // CORE_REPOSITORY_CLASS_LABELS_H_
