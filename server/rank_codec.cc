#include "server/rank_codec.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"

#include "core/base/status_macros.h"
#include "core/batching/inference_request.h"
#include "core/batching/shared_values.h"
#include "core/plan/compiled_model.h"
#include "core/repository/model.h"
#include "core/repository/shared_features.h"
#include "core/tensor/data_type.h"
#include "core/tensor/float16.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"
#include "proto/relu.pb.h"
#include "server/text.h"

namespace relu {
namespace {

using RankTensors = google::protobuf::RepeatedPtrField<v1::RankTensor>;
using Converted = std::vector<std::vector<std::byte>>;

absl::Status Wrong(const std::string& message) {
  return absl::InvalidArgumentError(message);
}

// --- Values ---

// Integers that a double holds, each of them.
constexpr double kMostExact = 9007199254740992.0;  // 2^53

// False if `value` is none of T.
template <typename T>
bool PutNumber(double value, std::byte* at) {
  if constexpr (std::is_integral_v<T>) {
    constexpr auto kLeast = static_cast<double>(std::numeric_limits<T>::min());
    constexpr auto kMost = static_cast<double>(std::numeric_limits<T>::max());
    if (!(value >= std::max(kLeast, -kMostExact) &&
          value <= std::min(kMost, kMostExact)) ||
        value != std::trunc(value)) {
      return false;
    }
  } else if (std::isfinite(value) &&
             std::abs(value) >
                 static_cast<double>(std::numeric_limits<T>::max())) {
    return false;
  }
  const T element = static_cast<T>(value);
  std::memcpy(at, &element, sizeof(element));
  return true;
}

// The same for a type of 16 bits, whose infinity stands for what is too large.
template <float (*kToFloat)(std::uint16_t), std::uint16_t (*kFromFloat)(float)>
bool PutHalf(double value, std::byte* at) {
  float number = 0;
  if (!PutNumber<float>(value, reinterpret_cast<std::byte*>(&number))) {
    return false;
  }
  const std::uint16_t half = kFromFloat(number);
  std::memcpy(at, &half, sizeof(half));
  return std::isfinite(kToFloat(half)) || !std::isfinite(value);
}

using PutFunction = bool (*)(double value, std::byte* at);

PutFunction PutFor(DataType type) {
  switch (type) {
    case DataType::kBool:
      return PutNumber<bool>;
    case DataType::kUint8:
      return PutNumber<std::uint8_t>;
    case DataType::kUint16:
      return PutNumber<std::uint16_t>;
    case DataType::kUint32:
      return PutNumber<std::uint32_t>;
    case DataType::kUint64:
      return PutNumber<std::uint64_t>;
    case DataType::kInt8:
      return PutNumber<std::int8_t>;
    case DataType::kInt16:
      return PutNumber<std::int16_t>;
    case DataType::kInt32:
      return PutNumber<std::int32_t>;
    case DataType::kInt64:
      return PutNumber<std::int64_t>;
    case DataType::kFp16:
      return PutHalf<Fp16ToFloat, FloatToFp16>;
    case DataType::kBf16:
      return PutHalf<Bf16ToFloat, FloatToBf16>;
    case DataType::kFp32:
      return PutNumber<float>;
    case DataType::kFp64:
      break;
  }
  return PutNumber<double>;
}

absl::StatusOr<const std::byte*> ConvertedValues(
    const v1::RankTensor& tensor, const std::string& what, DataType type,
    std::vector<std::byte>& buffer) {
  const std::size_t size = DataTypeSize(type);
  buffer.resize(static_cast<std::size_t>(tensor.data_size()) * size);
  const PutFunction put = PutFor(type);
  for (int i = 0; i < tensor.data_size(); ++i) {
    if (!put(tensor.data(i),
             buffer.data() + static_cast<std::size_t>(i) * size)) {
      return Wrong(fmt::format("{}: element {} is {}, expected a value of {}{}",
                               what, i, tensor.data(i), DataTypeName(type),
                               std::abs(tensor.data(i)) > kMostExact
                                   ? "; large ones can be sent as raw"
                                   : ""));
    }
  }
  return buffer.data();
}

// The `elements` values of `tensor`: raw, or made so in `buffer`.
absl::StatusOr<const std::byte*> ValuesOf(const v1::RankTensor& tensor,
                                          const std::string& what,
                                          DataType type, std::size_t elements,
                                          std::vector<std::byte>& buffer) {
  if (tensor.raw().empty()) {
    if (static_cast<std::size_t>(tensor.data_size()) != elements) {
      return Wrong(fmt::format("{}: data has {} elements, the shape has {}",
                               what, tensor.data_size(), elements));
    }
    return ConvertedValues(tensor, what, type, buffer);
  }
  if (tensor.data_size() > 0) {
    return Wrong(
        fmt::format("{}: both data and raw, expected one of them", what));
  }
  const std::size_t bytes = elements * DataTypeSize(type);
  if (tensor.raw().size() != bytes) {
    return Wrong(fmt::format("{}: raw has {} bytes, {} elements of {} have {}",
                             what, tensor.raw().size(), elements,
                             DataTypeName(type), bytes));
  }
  if (type == DataType::kBool &&
      std::ranges::any_of(tensor.raw(), [](char c) { return (c & ~1) != 0; })) {
    return Wrong(fmt::format("{}: BOOL elements must be 0 or 1", what));
  }
  return reinterpret_cast<const std::byte*>(tensor.raw().data());
}

// --- Tensors ---

// The tensors for one input of the model; nullptr: none.
struct InputTensors {
  const v1::RankTensor* shared = nullptr;
  const v1::RankTensor* items = nullptr;
};

// "item tensor \"x\"".
std::string TextOf(std::string_view kind, const v1::RankTensor& tensor) {
  return fmt::format("{} tensor \"{}\"", kind, Printable(tensor.name()));
}

std::span<const std::int64_t> ShapeOf(const v1::RankTensor& tensor) {
  return {tensor.shape().data(), static_cast<std::size_t>(tensor.shape_size())};
}

absl::Status FindTensors(const RankTensors& tensors, std::string_view kind,
                         std::span<const TensorSignature> inputs,
                         const v1::RankTensor* InputTensors::*field,
                         std::vector<InputTensors>& found) {
  for (const v1::RankTensor& tensor : tensors) {
    const auto input =
        std::ranges::find(inputs, tensor.name(), &TensorSignature::name);
    if (input == inputs.end()) {
      std::string names;
      for (const TensorSignature& signature : inputs) {
        names +=
            fmt::format("{}\"{}\"", names.empty() ? "" : ", ", signature.name);
      }
      return Wrong(fmt::format("{}: no such input, the model has {}",
                               TextOf(kind, tensor), names));
    }
    InputTensors& of_input =
        found[static_cast<std::size_t>(input - inputs.begin())];
    if (of_input.*field != nullptr) {
      return Wrong(fmt::format("{} is there twice", TextOf(kind, tensor)));
    }
    of_input.*field = &tensor;
    const std::string_view type = DataTypeName(input->type);
    if (!tensor.datatype().empty() && tensor.datatype() != type) {
      return Wrong(fmt::format("{}: datatype is \"{}\", the model has {}",
                               TextOf(kind, tensor),
                               Printable(tensor.datatype()), type));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckShape(const v1::RankTensor& tensor, std::string_view kind,
                        const Shape& wanted) {
  const std::span<const std::int64_t> shape = ShapeOf(tensor);
  if (std::ranges::equal(shape, wanted)) {
    return absl::OkStatus();
  }
  // A shape of a thousand dimensions is not worth a thousand numbers.
  return Wrong(fmt::format(
      "{}: shape {}, expected {}", TextOf(kind, tensor),
      ShapeText(shape.first(std::min<std::size_t>(shape.size(), 16))),
      ShapeText(wanted)));
}

// The number of items, which all tensors of items tell by their first size.
absl::StatusOr<std::int64_t> CountItems(const v1::RankRequest& message,
                                        const CompiledModel& compiled) {
  if (message.items().empty()) {
    return Wrong(
        "no tensor of items: expected at least one, which tells how "
        "many items there are");
  }
  const v1::RankTensor& first = message.items(0);
  const std::int64_t items = first.shape_size() == 0 ? 0 : first.shape(0);
  if (items < 1) {
    return Wrong(fmt::format(
        "{}: shape {}, expected one item or more", TextOf("item", first),
        ShapeText(ShapeOf(first).first(
            std::min<std::size_t>(ShapeOf(first).size(), 16)))));
  }
  if (items > kMaxRankedItems) {
    return absl::ResourceExhaustedError(
        fmt::format("{} items, the most for one call are {}; send fewer", items,
                    kMaxRankedItems));
  }
  if (compiled.fixed_rows() != kBatchDim && compiled.fixed_rows() != items) {
    return Wrong(
        fmt::format("{} items, the model takes requests of exactly {} rows",
                    items, compiled.fixed_rows()));
  }
  return items;
}

Shape WithRows(std::int64_t rows, const Shape& row_shape) {
  Shape shape{rows};
  shape.insert(shape.end(), row_shape.begin(), row_shape.end());
  return shape;
}

// --- What is shared ---

// Decodes one request.
class RankDecoder {
 public:
  RankDecoder(const Model& model, std::int64_t items, Converted& converted,
              InferenceRequest& request)
      : model_(model),
        items_(items),
        converted_(converted),
        request_(request) {}

  // Input `index` of the model.
  absl::Status Decode(std::size_t index, const InputTensors& tensors) {
    const TensorSignature& input = model_.compiled().inputs()[index];
    if (tensors.shared == nullptr && tensors.items == nullptr) {
      return Wrong(fmt::format(
          "input \"{}\" is neither among the shared tensors nor the items",
          input.name));
    }
    Shape shared_row = input.row_shape;
    Shape own_row = input.row_shape;
    SharedValues& shared = request_.shared[index];
    if (tensors.items == nullptr) {
      shared.pieces = {{.offset_bytes = 0, .bytes = input.row_bytes}};
    } else if (tensors.shared != nullptr) {
      RETURN_IF_ERROR(Split(input, *tensors.shared, shared));
      const auto size = DataTypeSize(input.type);
      const std::size_t own_bytes = shared.OwnBytes(input.row_bytes);
      own_row = {static_cast<std::int64_t>(own_bytes / size)};
      shared_row = {input.row_shape[0] - own_row[0]};
    }
    if (tensors.shared != nullptr) {
      ASSIGN_OR_RETURN(shared.values, Values(index, *tensors.shared, "shared",
                                             WithRows(1, shared_row)));
    }
    if (tensors.items != nullptr) {
      ASSIGN_OR_RETURN(request_.inputs[index],
                       Values(request_.inputs.size() + index, *tensors.items,
                              "item", WithRows(items_, own_row)));
    }
    return absl::OkStatus();
  }

 private:
  // Which features of the rows of `input` are shared: those that the config
  // names, or as many as `tensor` has, the first ones.
  absl::Status Split(const TensorSignature& input, const v1::RankTensor& tensor,
                     SharedValues& shared) const {
    if (input.row_shape.size() != 1) {
      return Wrong(fmt::format(
          "input \"{}\" is among the shared tensors and the items, which only "
          "one with rows of one dimension can be: it has shape {}",
          input.name, ShapeText(input.shape)));
    }
    const std::size_t size = DataTypeSize(input.type);
    const auto add = [&](std::int64_t begin, std::int64_t end) {
      shared.pieces.push_back(
          {.offset_bytes = static_cast<std::size_t>(begin) * size,
           .bytes = static_cast<std::size_t>(end - begin) * size});
    };
    const SharedFeatures& configured = model_.config().shared_features;
    const auto ranges = configured.find(input.name);
    if (ranges != configured.end()) {
      for (const FeatureRange& range : ranges->second) {
        add(range.begin, range.end);
      }
      return absl::OkStatus();
    }
    const std::int64_t features =
        tensor.shape_size() == 2 ? tensor.shape(1) : -1;
    if (features < 0 || features > input.row_shape[0]) {
      return Wrong(fmt::format(
          "{}: shape {}, expected [1,S] with the first S of the {} features",
          TextOf("shared", tensor),
          ShapeText(ShapeOf(tensor).first(
              std::min<std::size_t>(ShapeOf(tensor).size(), 16))),
          input.row_shape[0]));
    }
    add(0, features);
    return absl::OkStatus();
  }

  // The values of a tensor of this shape; `buffer` is the number of its own.
  absl::StatusOr<const std::byte*> Values(std::size_t buffer,
                                          const v1::RankTensor& tensor,
                                          std::string_view kind,
                                          const Shape& shape) {
    RETURN_IF_ERROR(CheckShape(tensor, kind, shape));
    const std::size_t input = buffer % request_.inputs.size();
    return ValuesOf(tensor, TextOf(kind, tensor),
                    model_.compiled().inputs()[input].type,
                    static_cast<std::size_t>(ElementCount(shape).value_or(0)),
                    converted_[buffer]);
  }

  const Model& model_;
  const std::int64_t items_;
  Converted& converted_;
  InferenceRequest& request_;
};

}  // namespace

absl::Status DecodeRankRequest(const v1::RankRequest& message,
                               const Model& model, Converted& converted,
                               InferenceRequest& request) {
  const CompiledModel& compiled = model.compiled();
  if (compiled.couples_rows()) {
    return absl::UnimplementedError(
        "the rows of the model depend on each other; ranked are items of "
        "models whose rows stand for themselves");
  }
  const std::span<const TensorSignature> inputs = compiled.inputs();
  std::vector<InputTensors> tensors(inputs.size());
  RETURN_IF_ERROR(FindTensors(message.shared(), "shared", inputs,
                              &InputTensors::shared, tensors));
  RETURN_IF_ERROR(FindTensors(message.items(), "item", inputs,
                              &InputTensors::items, tensors));
  ASSIGN_OR_RETURN(const std::int64_t items, CountItems(message, compiled));
  request.rows = items;
  request.inputs.assign(inputs.size(), nullptr);
  request.shared.assign(inputs.size(), {});
  request.outputs.assign(compiled.outputs().size(), nullptr);
  converted.resize(2 * inputs.size());
  RankDecoder decoder(model, items, converted, request);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    RETURN_IF_ERROR(decoder.Decode(i, tensors[i]));
  }
  return absl::OkStatus();
}

}  // namespace relu
