#include "server/classification.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/plan/compiled_model.h"
#include "core/repository/class_labels.h"
#include "core/repository/model.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"

namespace relu {
namespace {

using inference::ModelInferResponse;

constexpr char kClassification[] = "classification";

// By class; empty: there are none.
using Labels = std::span<const std::string>;

// Elements of one row.
std::size_t RowElements(const TensorSignature& signature) {
  return signature.row_bytes / DataTypeSize(signature.type);
}

absl::StatusOr<std::int64_t> ReadCount(
    const inference::InferParameter& parameter, std::string_view output) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  std::int64_t count = 0;
  if (parameter.has_int64_param()) {
    count = parameter.int64_param();
  } else if (parameter.has_uint64_param()) {
    count = static_cast<std::int64_t>(std::min<std::uint64_t>(
        parameter.uint64_param(), static_cast<std::uint64_t>(kMost)));
  }
  if (count < 1) {
    return absl::InvalidArgumentError(
        fmt::format("parameter 'classification' of output '{}': expected how "
                    "many classes as an int64 of 1 or more",
                    output));
  }
  return count;
}

// Appends "score:index" as a BYTES element, with the label if there is one.
void AppendClass(std::string text, std::size_t index, Labels labels,
                 std::string& values) {
  if (!labels.empty() && !labels[index].empty()) {
    text += ':';
    text += labels[index];
  }
  const auto size = static_cast<std::uint32_t>(text.size());
  values.append(reinterpret_cast<const char*>(&size), sizeof(size));
  values += text;
}

// Triton prints scores as std::to_string() does.
template <typename T>
std::string ClassText(T score, std::size_t index) {
  if constexpr (std::is_floating_point_v<T>) {
    return fmt::format("{:f}:{}", score, index);
  } else {
    return fmt::format("{}:{}", score, index);
  }
}

// Whether a class with score `a` comes before one with `b`.
template <typename T>
bool Higher(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) {
      return !std::isnan(a);
    }
  }
  return a > b;
}

// The `classes` highest of each row of `row_elements` scores.
template <typename T>
std::string Highest(std::span<const T> scores, std::size_t row_elements,
                    std::size_t classes, Labels labels) {
  std::string values;
  std::vector<std::size_t> order(row_elements);
  for (std::size_t at = 0; at < scores.size(); at += row_elements) {
    const std::span<const T> row = scores.subspan(at, row_elements);
    std::iota(order.begin(), order.end(), std::size_t{0});
    // Of equals the first: a strict order of all, whatever the algorithm.
    std::ranges::partial_sort(
        order, order.begin() + static_cast<std::ptrdiff_t>(classes),
        [row](std::size_t a, std::size_t b) {
          if (Higher(row[a], row[b])) {
            return true;
          }
          return !Higher(row[b], row[a]) && a < b;
        });
    for (std::size_t i = 0; i < classes; ++i) {
      AppendClass(ClassText(row[order[i]], order[i]), order[i], labels, values);
    }
  }
  return values;
}

// The values as a type whose elements have an order and can be printed.
template <typename T, typename Convert>
std::string HighestOf(const std::string& bytes, std::size_t row_elements,
                      std::size_t classes, Labels labels,
                      const Convert& convert) {
  std::vector<T> raw(bytes.size() / sizeof(T));
  std::memcpy(raw.data(), bytes.data(), bytes.size());
  std::vector<decltype(convert(T()))> scores;
  scores.reserve(raw.size());
  std::ranges::transform(raw, std::back_inserter(scores), convert);
  return Highest(std::span<const decltype(convert(T()))>(scores), row_elements,
                 classes, labels);
}

std::string Classes(const std::string& bytes, DataType type,
                    std::size_t row_elements, std::size_t classes,
                    Labels labels) {
  const auto as_is = [&]<typename T>(T) {
    return HighestOf<T>(bytes, row_elements, classes, labels,
                        [](T value) { return value; });
  };
  // Through int: a char would be printed as a letter.
  const auto small = [&]<typename T>(T) {
    return HighestOf<T>(bytes, row_elements, classes, labels,
                        [](T value) { return static_cast<int>(value); });
  };
  switch (type) {
    case DataType::kUint8:
      return small(std::uint8_t{});
    case DataType::kUint16:
      return as_is(std::uint16_t{});
    case DataType::kUint32:
      return as_is(std::uint32_t{});
    case DataType::kUint64:
      return as_is(std::uint64_t{});
    case DataType::kInt8:
      return small(std::int8_t{});
    case DataType::kInt16:
      return as_is(std::int16_t{});
    case DataType::kInt32:
      return as_is(std::int32_t{});
    case DataType::kInt64:
      return as_is(std::int64_t{});
    case DataType::kFp16:
      return HighestOf<std::uint16_t>(bytes, row_elements, classes, labels,
                                      Fp16ToFloat);
    case DataType::kBf16:
      return HighestOf<std::uint16_t>(bytes, row_elements, classes, labels,
                                      Bf16ToFloat);
    case DataType::kFp32:
      return as_is(float{});
    case DataType::kFp64:
      return as_is(double{});
    case DataType::kBool:
      break;
  }
  CHECK(false);
}

}  // namespace

absl::StatusOr<std::int64_t> WantedClasses(
    const inference::ModelInferRequest_InferRequestedOutputTensor& output,
    const TensorSignature& signature) {
  const auto parameter = output.parameters().find(kClassification);
  if (parameter == output.parameters().end()) {
    return 0;
  }
  ASSIGN_OR_RETURN(const std::int64_t count,
                   ReadCount(parameter->second, signature.name));
  if (!HasClasses(signature)) {
    return absl::InvalidArgumentError(fmt::format(
        "parameter 'classification' of output '{}': it has the type {} and the "
        "shape {}, expected numbers, and rows in the first dimension",
        signature.name, DataTypeName(signature.type),
        ShapeText(signature.shape)));
  }
  return std::min(count, static_cast<std::int64_t>(RowElements(signature)));
}

std::size_t MaxClassBytes(const TensorSignature& signature,
                          const ClassLabels& labels) {
  // The length, a score, a colon, an index, a colon and a label. The longest
  // float is -3.4e38 with six places, the longest double -1.8e308.
  constexpr std::size_t kRest = sizeof(std::uint32_t) + 1 + 20 + 1;
  return kRest + (signature.type == DataType::kFp64 ? 317 : 47) +
         labels.longest_bytes;
}

void Classify(const inference::ModelInferRequest& request, const Model& model,
              ModelInferResponse& response) {
  const std::span<const TensorSignature> outputs = model.compiled().outputs();
  for (int i = 0; i < request.outputs_size(); ++i) {
    if (request.outputs(i).parameters().empty()) {
      continue;
    }
    ModelInferResponse::InferOutputTensor& output =
        *response.mutable_outputs(i);
    const auto signature =
        std::ranges::find(outputs, output.name(), &TensorSignature::name);
    // PrepareResponse() has found it, and nothing wrong.
    const std::int64_t classes = *WantedClasses(request.outputs(i), *signature);
    if (classes == 0) {
      continue;
    }
    std::string& values = *response.mutable_raw_output_contents(i);
    const auto index = static_cast<std::size_t>(signature - outputs.begin());
    values = Classes(values, signature->type, RowElements(*signature),
                     static_cast<std::size_t>(classes),
                     model.class_labels(index).labels);
    output.set_datatype("BYTES");
    if (signature->row_axis) {
      output.mutable_shape()->Truncate(1);
    } else {
      output.clear_shape();
    }
    output.add_shape(classes);
  }
}

}  // namespace relu
