#include "core/relu/leaf_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

Shape WithRows(const NetworkInput& input, std::int64_t rows) {
  Shape shape = input.row_shape;
  shape.insert(shape.begin(), rows);
  return shape;
}

absl::Status CheckTensor(const NetworkInput& input, const Tensor& tensor,
                         std::int64_t rows, std::string_view what) {
  if (tensor.type() != input.type || tensor.shape() != WithRows(input, rows)) {
    return absl::InvalidArgumentError(fmt::format(
        "{} \"{}\": {} {}, model wants {} {}", what, input.name,
        DataTypeName(tensor.type()), ShapeText(tensor.shape()),
        DataTypeName(input.type), ShapeText(WithRows(input, rows))));
  }
  return absl::OkStatus();
}

absl::Status CheckFinite(const NetworkInput& input,
                         std::span<const double> values,
                         std::string_view what) {
  const auto bad = std::ranges::find_if(
      values, [](double value) { return !std::isfinite(value); });
  if (bad == values.end()) {
    return absl::OkStatus();
  }
  const auto at = static_cast<std::size_t>(bad - values.begin());
  return absl::InvalidArgumentError(fmt::format(
      "{} \"{}\": row {}, element {} is {}; only finite values "
      "have an explanation",
      what, input.name, at / input.elements, at % input.elements, *bad));
}

// The one of `named` that is the rows of `input`.
absl::StatusOr<const NamedRows*> FindRows(const NetworkInput& input,
                                          std::span<const NamedRows> named,
                                          std::string_view what) {
  const NamedRows* found = nullptr;
  for (const NamedRows& rows : named) {
    if (rows.name == input.name && found != nullptr) {
      return absl::InvalidArgumentError(
          fmt::format("{} \"{}\" is there twice", what, input.name));
    }
    found = rows.name == input.name ? &rows : found;
  }
  if (found == nullptr) {
    return absl::InvalidArgumentError(fmt::format(
        "{} \"{}\" is missing, model wants {} [-1{}{}]", what, input.name,
        DataTypeName(input.type), input.row_shape.empty() ? "" : ",",
        fmt::join(input.row_shape, ",")));
  }
  return found;
}

absl::StatusOr<Tensor> ToTensor(const NetworkInput& input,
                                const NamedRows& rows, std::string_view what) {
  const Shape shape(rows.shape.begin(), rows.shape.end());
  if (ElementCount(shape) != static_cast<std::int64_t>(rows.data.size())) {
    return absl::InvalidArgumentError(
        fmt::format("{} \"{}\": {} numbers for the shape {}", what, input.name,
                    rows.data.size(), ShapeText(shape)));
  }
  RETURN_IF_ERROR(CheckFinite(input, rows.data, what));
  Tensor tensor = FromDoubles(input.type, shape, rows.data);
  if (!IsFloatingPoint(input.type) &&
      !std::ranges::equal(ToDoubles(tensor), rows.data)) {
    return absl::InvalidArgumentError(
        fmt::format("{} \"{}\": a number is not of type {}", what, input.name,
                    DataTypeName(input.type)));
  }
  return tensor;
}

// What the float32 network takes for an element.
float ToFloat(double element) { return static_cast<float>(element); }

std::int64_t IntegerOf(const IntegerSource& source, double element) {
  // Beyond it no table reaches, and the conversion has no meaning.
  constexpr double kMost = 0x1p52;
  const double whole = std::clamp(std::trunc(element), -kMost, kMost);
  const double scaled = whole * static_cast<double>(source.scale) +
                        static_cast<double>(source.shift);
  return static_cast<std::int64_t>(std::clamp(scaled, -kMost, kMost));
}

absl::Status FillLookup(const Leaf& leaf, std::span<const double> elements,
                        float* values) {
  const std::size_t entry = leaf.entry_size();
  const std::int64_t entries = leaf.table.shape()[0];
  const std::span<const float> table = leaf.table.As<float>();
  for (std::size_t i = 0; i < leaf.sources.size(); ++i) {
    const IntegerSource& source = leaf.sources[i];
    std::int64_t index = IntegerOf(source, elements[source.element]);
    index += index < 0 ? entries : 0;
    if (index < 0 || index >= entries) {
      return absl::InvalidArgumentError(fmt::format(
          "{}: index {} is outside of the table, which has {} entries",
          leaf.node, index < 0 ? index - entries : index, entries));
    }
    std::ranges::copy(
        table.subspan(static_cast<std::size_t>(index) * entry, entry),
        values + leaf.slot.offset + i * entry);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<InputRows> ReadInputRows(const PiecewiseNetwork& network,
                                        std::span<const Tensor> tensors,
                                        std::string_view what) {
  if (tensors.size() != network.inputs.size()) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} tensors, model wants {}", what, tensors.size(),
                    network.inputs.size()));
  }
  const bool has_rows = !tensors.empty() && !tensors[0].shape().empty();
  InputRows read{.rows = has_rows ? tensors[0].shape()[0] : 0, .elements = {}};
  const auto rows = static_cast<std::size_t>(read.rows);
  read.elements.resize(rows * network.input_elements);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const NetworkInput& input = network.inputs[i];
    RETURN_IF_ERROR(CheckTensor(input, tensors[i], read.rows, what));
    const std::vector<double> values = ToDoubles(tensors[i]);
    RETURN_IF_ERROR(CheckFinite(input, values, what));
    for (std::size_t row = 0; row < rows; ++row) {
      std::copy_n(values.data() + row * input.elements, input.elements,
                  read.elements.data() + row * network.input_elements +
                      input.first_element);
    }
  }
  return read;
}

absl::StatusOr<InputRows> ReadInputRows(const PiecewiseNetwork& network,
                                        std::span<const NamedRows> named,
                                        std::string_view what) {
  std::vector<Tensor> tensors;
  for (const NetworkInput& input : network.inputs) {
    ASSIGN_OR_RETURN(const NamedRows* const rows, FindRows(input, named, what));
    ASSIGN_OR_RETURN(Tensor tensor, ToTensor(input, *rows, what));
    tensors.push_back(std::move(tensor));
  }
  if (named.size() != tensors.size()) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: {} inputs, model has {}", what, named.size(), tensors.size()));
  }
  return ReadInputRows(network, tensors, what);
}

absl::Status FillLeaves(const PiecewiseNetwork& network,
                        std::span<const double> elements, float* values) {
  for (const Leaf& leaf : network.leaves) {
    float* const slot = values + leaf.slot.offset;
    if (leaf.kind == Leaf::Kind::kInput) {
      std::ranges::transform(
          elements.subspan(leaf.first_element, leaf.slot.size), slot, &ToFloat);
    } else if (leaf.kind == Leaf::Kind::kLookup) {
      RETURN_IF_ERROR(FillLookup(leaf, elements, values));
    } else {
      for (std::size_t i = 0; i < leaf.sources.size(); ++i) {
        const IntegerSource& source = leaf.sources[i];
        slot[i] =
            static_cast<float>(IntegerOf(source, elements[source.element]));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace relu
