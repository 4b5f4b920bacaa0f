#include "core/repository/class_labels.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/base/utf8.h"
#include "core/plan/compiled_model.h"
#include "core/repository/safe_path.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Hundred thousand labels of forty letters.
constexpr std::size_t kMaxLabelFileBytes = std::size_t{4} << 20;

absl::StatusOr<ClassLabels> ParseLabels(std::string_view text) {
  ClassLabels result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view label = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (label.ends_with('\r')) {
      label.remove_suffix(1);
    }
    if (!IsValidUtf8(label)) {
      return absl::InvalidArgumentError(
          fmt::format("line {} is not UTF-8: \"{}\"", result.labels.size() + 1,
                      ToValidUtf8(ClipUtf8(label, 64))));
    }
    result.labels.emplace_back(label);
    result.longest_bytes = std::max(result.longest_bytes, label.size());
  }
  return result;
}

absl::StatusOr<ClassLabels> ReadLabels(const TensorSignature& output,
                                       const std::filesystem::path& folder,
                                       std::string_view filename) {
  if (!HasClasses(output)) {
    return absl::InvalidArgumentError(fmt::format(
        "the output has the type {} and the shape {}, wanted numbers, and rows "
        "in the first dimension",
        DataTypeName(output.type), ShapeText(output.shape)));
  }
  ASSIGN_OR_RETURN(const std::filesystem::path file,
                   ResolveInside(folder, filename));
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxLabelFileBytes));
  ASSIGN_OR_RETURN(ClassLabels labels, ParseLabels(text));
  const std::size_t elements = output.row_bytes / DataTypeSize(output.type);
  if (labels.labels.size() != elements) {
    return absl::InvalidArgumentError(fmt::format(
        "{} labels, wanted {}: one a line for each element of a row",
        labels.labels.size(), elements));
  }
  return labels;
}

}  // namespace

bool HasClasses(const TensorSignature& output) {
  return output.type != DataType::kBool && output.row_axis.value_or(0) == 0 &&
         output.row_bytes > 0;
}

absl::StatusOr<ClassLabels> ReadClassLabels(const TensorSignature& output,
                                            const std::filesystem::path& folder,
                                            std::string_view filename) {
  absl::StatusOr<ClassLabels> labels = ReadLabels(output, folder, filename);
  if (!labels.ok()) {
    return WithPrefix(
        fmt::format("config.pbtxt: label_filename \"{}\" of output \"{}\": ",
                    filename, output.name),
        labels.status());
  }
  return labels;
}

}  // namespace relu
