#include "core/relu/leaf_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/kernels/piecewise.h"
#include "core/relu/integer_source.h"
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

absl::Status CheckRowsOf(const NetworkInput& input, DataType type,
                         std::span<const std::int64_t> shape, std::int64_t rows,
                         std::string_view what) {
  if (type != input.type || shape.empty() || shape[0] != rows ||
      !std::ranges::equal(shape.subspan(1), input.row_shape)) {
    return absl::InvalidArgumentError(fmt::format(
        "{} \"{}\": {} {}, model wants {} {}", what, input.name,
        DataTypeName(type), ShapeText(shape), DataTypeName(input.type),
        ShapeText(WithRows(input, rows))));
  }
  return absl::OkStatus();
}

// Eight sums side by side, so that they fit vectors.
bool AreFinite(std::span<const double> values) {
  std::array<double, 8> sums{};  // Of zeros, or NaN for one that is not finite.
  std::size_t i = 0;
  for (; i + sums.size() <= values.size(); i += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) {
      sums[lane] += values[i + lane] - values[i + lane];
    }
  }
  for (; i < values.size(); ++i) {
    sums[0] += values[i] - values[i];
  }
  return std::ranges::all_of(sums, [](double sum) { return sum == 0.0; });
}

// Of rows from `row` on.
absl::Status CheckFinite(const NetworkInput& input, std::size_t row,
                         std::span<const double> values,
                         std::string_view what) {
  if (AreFinite(values)) {
    return absl::OkStatus();
  }
  const auto bad = std::ranges::find_if(
      values, [](double value) { return !std::isfinite(value); });
  const auto at = static_cast<std::size_t>(bad - values.begin());
  return absl::InvalidArgumentError(fmt::format(
      "{} \"{}\": row {}, element {} is {}; only finite values "
      "have an explanation",
      what, input.name, row + at / input.elements, at % input.elements, *bad));
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

// By input of the network. Few networks have more than eight.
using RowsOfInputs = absl::InlinedVector<const NamedRows*, 8>;

absl::StatusOr<RowsOfInputs> RowsByInput(const PiecewiseNetwork& network,
                                         std::span<const NamedRows> named,
                                         std::string_view what) {
  RowsOfInputs by_input;
  for (const NetworkInput& input : network.inputs) {
    ASSIGN_OR_RETURN(by_input.emplace_back(), FindRows(input, named, what));
  }
  if (named.size() != by_input.size()) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: {} inputs, model has {}", what, named.size(), by_input.size()));
  }
  return by_input;
}

// As the first input has it.
std::int64_t RowCount(std::span<const NamedRows* const> by_input) {
  return by_input.empty() || by_input[0]->shape.empty() ? 0
                                                        : by_input[0]->shape[0];
}

// Before memory is taken for them. What is not finite is found later, in
// floats.
absl::Status CheckNamed(const NetworkInput& input, const NamedRows& named,
                        std::int64_t rows, std::string_view what) {
  if (ElementCount(named.shape) !=
      static_cast<std::int64_t>(named.data.size())) {
    return absl::InvalidArgumentError(
        fmt::format("{} \"{}\": {} numbers for the shape {}", what, input.name,
                    named.data.size(), ShapeText(named.shape)));
  }
  RETURN_IF_ERROR(CheckRowsOf(input, input.type, named.shape, rows, what));
  return IsFloatingPoint(input.type) ? absl::OkStatus()
                                     : CheckFinite(input, 0, named.data, what);
}

// Where one row of one input stands among the elements of all.
std::span<double> Place(const PiecewiseNetwork& network,
                        const NetworkInput& input, std::size_t row,
                        InputRows& read) {
  return std::span(read.elements)
      .subspan(row * network.input_elements + input.first_element,
               input.elements);
}

// Rounds the numbers of row `i` to the type of the input, into `row`. Those of
// integers are finite.
absl::Status Round(const NetworkInput& input, std::size_t i,
                   std::span<const double> numbers, std::string_view what,
                   std::span<double> row) {
  if (input.type == DataType::kFp32) {
    return kernels::RoundToFloats(row.size(), numbers.data(), row.data())
               ? absl::OkStatus()
               : CheckFinite(input, i, row, what);
  }
  std::ranges::copy(numbers, row.begin());
  RoundTo(input.type, row);
  if (IsFloatingPoint(input.type)) {
    return CheckFinite(input, i, row, what);
  }
  if (!std::ranges::equal(row, numbers)) {
    return absl::InvalidArgumentError(
        fmt::format("{} \"{}\": a number is not of type {}", what, input.name,
                    DataTypeName(input.type)));
  }
  return absl::OkStatus();
}

// What the float32 network takes for an element.
float ToFloat(double element) { return static_cast<float>(element); }

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

// As the plan converts them.
absl::Status FillIntegers(const Leaf& leaf, std::span<const double> elements,
                          float* values) {
  // Integers beyond it have come here rounded.
  constexpr double kMostExact = 0x1p53;
  float* const slot = values + leaf.slot.offset;
  for (std::size_t i = 0; i < leaf.sources.size(); ++i) {
    const IntegerSource& source = leaf.sources[i];
    const double element = elements[source.element];
    if (!source.is_float && std::abs(element) > kMostExact) {
      return absl::InvalidArgumentError(fmt::format(
          "the integer {} is read as a float: beyond 2^53 that has no exact "
          "explanation",
          element));
    }
    const std::int64_t integer = IntegerOf(source, element);
    slot[i] = source.type == DataType::kUint64
                  ? static_cast<float>(static_cast<std::uint64_t>(integer))
                  : static_cast<float>(integer);
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
    RETURN_IF_ERROR(CheckRowsOf(input, tensors[i].type(), tensors[i].shape(),
                                read.rows, what));
    const std::vector<double> values = ToDoubles(tensors[i]);
    RETURN_IF_ERROR(CheckFinite(input, 0, values, what));
    for (std::size_t row = 0; row < rows; ++row) {
      std::copy_n(values.data() + row * input.elements, input.elements,
                  Place(network, input, row, read).data());
    }
  }
  return read;
}

absl::StatusOr<InputRows> ReadInputRows(const PiecewiseNetwork& network,
                                        std::span<const NamedRows> named,
                                        std::string_view what) {
  ASSIGN_OR_RETURN(const RowsOfInputs by_input,
                   RowsByInput(network, named, what));
  InputRows read{.rows = RowCount(by_input), .elements = {}};
  for (std::size_t i = 0; i < by_input.size(); ++i) {
    RETURN_IF_ERROR(
        CheckNamed(network.inputs[i], *by_input[i], read.rows, what));
  }
  const auto rows = static_cast<std::size_t>(read.rows);
  read.elements.resize(rows * network.input_elements);
  for (std::size_t i = 0; i < by_input.size(); ++i) {
    const NetworkInput& input = network.inputs[i];
    for (std::size_t row = 0; row < rows; ++row) {
      const std::span<double> place = Place(network, input, row, read);
      RETURN_IF_ERROR(
          Round(input, row,
                by_input[i]->data.subspan(row * input.elements, input.elements),
                what, place));
    }
  }
  return read;
}

absl::Status FillLeaves(const PiecewiseNetwork& network,
                        std::span<const double> elements, float* values) {
  for (const Leaf& leaf : network.leaves) {
    if (leaf.kind == Leaf::Kind::kInput) {
      std::ranges::transform(
          elements.subspan(leaf.first_element, leaf.slot.size),
          values + leaf.slot.offset, &ToFloat);
    } else if (leaf.kind == Leaf::Kind::kLookup) {
      RETURN_IF_ERROR(FillLookup(leaf, elements, values));
    } else {
      RETURN_IF_ERROR(FillIntegers(leaf, elements, values));
    }
  }
  return absl::OkStatus();
}

}  // namespace relu
