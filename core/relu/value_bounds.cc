#include "core/relu/value_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "core/relu/dense_op.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/linear_bound.h"
#include "core/relu/packed_product.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"

namespace relu {
namespace {

// What one operation of float32 rounds, relatively.
constexpr double kUnit = 0x1p-24;
// Bounds are computed in double, whose own rounding, some 1e-13 of the sums, is
// less than this part of them.
constexpr double kSlack = 1e-10;

// Computes the bounds of one operation after the other.
class Propagation {
 public:
  Propagation(const PiecewiseNetwork& network, const InputBox& box, bool linear,
              ValueStorage storage)
      : network_(network), box_(box), linear_(linear), storage_(storage) {
    bounds_.low.resize(network.row_floats);
    bounds_.high.resize(network.row_floats);
    bounds_.error.resize(network.row_floats);
  }

  ValueBounds Run() {
    for (const Leaf& leaf : network_.leaves) {
      for (std::size_t i = 0; i < leaf.slot.size; ++i) {
        const Interval interval = LeafInterval(leaf, i, box_);
        bounds_.low[leaf.slot.offset + i] = interval.low;
        bounds_.high[leaf.slot.offset + i] = interval.high;
      }
      Store(leaf.slot);
      for (OneHotGroup group : GroupsOf(leaf, box_)) {
        group.first += leaf.slot.offset;
        // float16 has 0 and 1.
        std::fill_n(
            bounds_.error.begin() + static_cast<std::ptrdiff_t>(group.first),
            group.size, 0.0);
        groups_.push_back(group);
      }
    }
    for (std::size_t i = 0; i < network_.ops.size(); ++i) {
      std::visit([&](const auto& op) { Forward(op, i); }, network_.ops[i]);
    }
    return std::move(bounds_);
  }

 private:
  double Size(std::size_t at) const {
    return std::max(std::abs(bounds_.low[at]), std::abs(bounds_.high[at])) +
           bounds_.error[at];
  }

  void Store(const Slot& slot) {
    for (std::size_t at = slot.offset; at < slot.offset + slot.size; ++at) {
      const double size = Size(at);
      bounds_.largest_value = std::max(bounds_.largest_value, size);
      if (storage_ == ValueStorage::kFloat16) {
        // Half a unit in the last of 11 bits, or of a subnormal number.
        bounds_.error[at] += 0x1p-11 * size + 0x1p-25;
      }
    }
  }

  // Makes the interval of a sum narrower by what CROWN says of it.
  void Tighten(const Slot& slot, std::size_t op) {
    if (linear_) {
      TightenByLinearBounds(network_, box_, slot, op, bounds_.low,
                            bounds_.high);
    }
  }

  void Forward(const DenseOp& op, std::size_t index) {
    const std::vector<double> weights = UnpackWeights(op.forward);
    for (std::size_t vector = 0; vector < op.vectors; ++vector) {
      ForwardVector(op, weights, vector);
    }
    Tighten(op.output, index);
    Store(op.output);
  }

  void ForwardVector(const DenseOp& op, const std::vector<double>& weights,
                     std::size_t vector) {
    const std::size_t k = op.forward.k;
    const std::size_t n = op.forward.n;
    const std::size_t from = op.input.offset + vector * k;
    const std::size_t to = op.output.offset + vector * n;
    std::vector<double> sizes(n);
    for (std::size_t j = 0; j < n; ++j) {
      const auto bias = double{op.forward.bias[j]};
      bounds_.low[to + j] = bounds_.high[to + j] = bias;
      bounds_.error[to + j] = 0.0;
      sizes[j] = std::abs(bias);
    }
    const std::vector<OneHotGroup> groups = GroupsIn({from, k});
    auto group = groups.begin();
    for (std::size_t i = 0; i < k; ++i) {
      if (group != groups.end() && from + i == group->first) {
        AddGroup({weights.data() + i * n, group->size * n}, to, sizes);
        i += group->size - 1;
        ++group;
        continue;
      }
      const double low = bounds_.low[from + i];
      const double high = bounds_.high[from + i];
      const double size = Size(from + i);
      for (std::size_t j = 0; j < n; ++j) {
        const double weight = weights[i * n + j];
        bounds_.low[to + j] += weight * (weight > 0.0 ? low : high);
        bounds_.high[to + j] += weight * (weight > 0.0 ? high : low);
        bounds_.error[to + j] += std::abs(weight) * bounds_.error[from + i];
        sizes[j] += std::abs(weight) * size;
      }
    }
    // Higham, Accuracy and Stability of Numerical Algorithms, 3.1: whatever the
    // order of k products and the bias.
    const double unit = (static_cast<double>(k) + 2.0) * kUnit;
    const double gamma = unit / (1.0 - unit);
    for (std::size_t j = 0; j < n; ++j) {
      bounds_.error[to + j] += gamma * sizes[j];
      bounds_.largest_sum =
          std::max(bounds_.largest_sum, sizes[j] * (1.0 + gamma));
      Widen(to + j, sizes[j]);
    }
  }

  // The groups that a vector of inputs holds, in whole.
  std::vector<OneHotGroup> GroupsIn(const Slot& vector) const {
    std::vector<OneHotGroup> found;
    for (const OneHotGroup& group : groups_) {
      if (group.first >= vector.offset &&
          group.first + group.size <= vector.offset + vector.size) {
        found.push_back(group);
      }
    }
    return found;
  }

  // Of a group one row of the weights is added, and products with 0.
  void AddGroup(std::span<const double> rows, std::size_t to,
                std::vector<double>& sizes) {
    const std::size_t n = sizes.size();
    for (std::size_t j = 0; j < n; ++j) {
      double least = rows[j];
      double most = rows[j];
      for (std::size_t at = j; at < rows.size(); at += n) {
        least = std::min(least, rows[at]);
        most = std::max(most, rows[at]);
      }
      bounds_.low[to + j] += least;
      bounds_.high[to + j] += most;
      sizes[j] += std::max(std::abs(least), std::abs(most));
    }
  }

  // By what double has rounded: sums of this size.
  void Widen(std::size_t at, double size) {
    bounds_.low[at] -= kSlack * size;
    bounds_.high[at] += kSlack * size;
    bounds_.error[at] *= 1.0 + 1e-6;
  }

  void Forward(const ArithmeticOp& op, std::size_t /*index*/) {
    for (std::size_t i = 0; i < op.output.size; ++i) {
      const std::size_t from = op.input.offset + i;
      const std::size_t to = op.output.offset + i;
      const double slope = op.Slope(i);
      const double a = bounds_.low[from] * slope + op.Offset(i);
      const double b = bounds_.high[from] * slope + op.Offset(i);
      bounds_.low[to] = std::min(a, b);
      bounds_.high[to] = std::max(a, b);
      const double size = std::abs(slope) * Size(from) + std::abs(op.Offset(i));
      bounds_.error[to] =
          std::abs(slope) * bounds_.error[from] + 2.0 * kUnit * size;
      Widen(to, size);
    }
    Store(op.output);
  }

  void Forward(const ActivationOp& op, std::size_t /*index*/) {
    for (std::size_t i = 0; i < op.output.size; ++i) {
      const std::size_t from = op.input.offset + i;
      const std::size_t to = op.output.offset + i;
      const PiecewiseLinear& function = op.function(i);
      const Interval image =
          ImageOf(function, {bounds_.low[from], bounds_.high[from]});
      bounds_.low[to] = image.low;
      bounds_.high[to] = image.high;
      // A slope that is no 0 or 1 is one more multiplication.
      double steepest = 0.0;
      for (std::size_t piece = 0; piece <= function.kinks; ++piece) {
        steepest =
            std::max(steepest, std::abs(double{function.pieces[piece].slope}));
      }
      bounds_.error[to] = steepest * bounds_.error[from];
      if (steepest != 1.0 || function.pieces[0].slope != 0.0F) {
        bounds_.error[to] += 2.0 * kUnit * steepest * Size(from);
      }
    }
    Store(op.output);
  }

  void Forward(const SumOp& op, std::size_t index) {
    for (std::size_t i = 0; i < op.output.size; ++i) {
      const std::size_t left = op.left.offset + i;
      const std::size_t right = op.right.offset + i;
      const std::size_t to = op.output.offset + i;
      const bool adds = op.sign > 0.0F;
      const double size = Size(left) + Size(right);
      bounds_.low[to] = bounds_.low[left] +
                        (adds ? bounds_.low[right] : -bounds_.high[right]);
      bounds_.high[to] = bounds_.high[left] +
                         (adds ? bounds_.high[right] : -bounds_.low[right]);
      bounds_.error[to] =
          bounds_.error[left] + bounds_.error[right] + 2.0 * kUnit * size;
      Widen(to, size);
    }
    Tighten(op.output, index);
    Store(op.output);
  }

  void Forward(const MoveOp& op, std::size_t /*index*/) {
    for (std::size_t i = 0; i < op.size(); ++i) {
      const std::size_t from = op.input.offset + op.From(i);
      const std::size_t to = op.output.offset + op.To(i);
      bounds_.low[to] = bounds_.low[from];
      bounds_.high[to] = bounds_.high[from];
      bounds_.error[to] = bounds_.error[from];
    }
  }

  const PiecewiseNetwork& network_;
  const InputBox& box_;
  const bool linear_;
  const ValueStorage storage_;
  std::vector<OneHotGroup> groups_;  // By float of a row, ascending.
  ValueBounds bounds_;
};

}  // namespace

InputBox BoxOf(const PiecewiseNetwork& network, const InputRows& rows) {
  InputBox box{
      .low = std::vector<double>(network.input_elements,
                                 std::numeric_limits<double>::infinity()),
      .high = std::vector<double>(network.input_elements,
                                  -std::numeric_limits<double>::infinity())};
  for (std::size_t i = 0; i < rows.elements.size(); ++i) {
    const std::size_t element = i % network.input_elements;
    box.low[element] = std::min(box.low[element], rows.elements[i]);
    box.high[element] = std::max(box.high[element], rows.elements[i]);
  }
  return box;
}

absl::Status CheckBox(const PiecewiseNetwork& network, const InputBox& box) {
  if (box.low.size() != network.input_elements ||
      box.high.size() != network.input_elements) {
    return absl::InvalidArgumentError(
        fmt::format("a box of {} and {} bounds, the inputs have {} elements",
                    box.low.size(), box.high.size(), network.input_elements));
  }
  for (std::size_t i = 0; i < box.low.size(); ++i) {
    if (!(box.low[i] <= box.high[i]) || !std::isfinite(box.low[i]) ||
        !std::isfinite(box.high[i])) {
      return absl::InvalidArgumentError(
          fmt::format("element {} of the inputs: from {} to {} is no interval",
                      i, box.low[i], box.high[i]));
    }
  }
  return absl::OkStatus();
}

bool FitsFloat32(const ValueBounds& bounds) {
  return std::max(bounds.largest_sum, bounds.largest_value) <
         double{std::numeric_limits<float>::max()};
}

bool FitsFloat16(const ValueBounds& bounds) {
  return FitsFloat32(bounds) && bounds.largest_value < kFloat16Limit;
}

ValueBounds IntervalBounds(const PiecewiseNetwork& network, const InputBox& box,
                           ValueStorage storage) {
  return Propagation(network, box, /*linear=*/false, storage).Run();
}

ValueBounds LinearBounds(const PiecewiseNetwork& network, const InputBox& box,
                         ValueStorage storage) {
  return Propagation(network, box, /*linear=*/true, storage).Run();
}

}  // namespace relu
