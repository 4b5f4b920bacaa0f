#include "core/relu/linear_bound.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <span>
#include <variant>
#include <vector>

#include "core/relu/dense_op.h"
#include "core/relu/leaf_box.h"
#include "core/relu/packed_product.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"

namespace relu {
namespace {

// As in value_bounds.cc: what double rounds is less than this part.
constexpr double kSlack = 1e-10;

// Targets whose coefficients are held at once.
constexpr std::size_t kBlock = 64;

std::size_t PieceAt(const PiecewiseLinear& function, double x) {
  std::size_t piece = 0;
  while (piece < function.kinks && x > double{function.kink_at[piece]}) {
    ++piece;
  }
  return piece;
}

// Lower bounds of `sign` times some floats of a slot, as linear functions of
// the values before it, one operation after the other, until only leaves are
// left.
class BackwardPass {
 public:
  BackwardPass(const PiecewiseNetwork& network, const InputBox& box,
               const std::vector<double>& low, const std::vector<double>& high)
      : network_(network), box_(box), low_(low), high_(high) {}

  // Of floats first .. first + count - 1 of `slot`.
  std::vector<double> LowerBounds(const Slot& slot, std::size_t first,
                                  std::size_t count, std::size_t op,
                                  double sign) {
    count_ = count;
    coefficients_.clear();
    constants_.assign(count, 0.0);
    sizes_.assign(count, 0.0);
    std::vector<double>& target = At(slot);
    for (std::size_t t = 0; t < count; ++t) {
      target[t * slot.size + first + t] = sign;
    }
    for (std::size_t i = op + 1; i-- > 0;) {
      std::visit([&](const auto& any) { Backward(any); }, network_.ops[i]);
    }
    for (const Leaf& leaf : network_.leaves) {
      AddLeaf(leaf);
    }
    for (std::size_t t = 0; t < count; ++t) {
      constants_[t] -= kSlack * sizes_[t];
    }
    return constants_;
  }

 private:
  // The coefficients of a slot: [count, slot.size]. Zero if there were none.
  std::vector<double>& At(const Slot& slot) {
    std::vector<double>& found = coefficients_[slot.offset];
    found.resize(count_ * slot.size);
    return found;
  }

  // nullptr: nothing that is bounded depends on the slot.
  const std::vector<double>* Find(const Slot& slot) const {
    const auto found = coefficients_.find(slot.offset);
    return found == coefficients_.end() ? nullptr : &found->second;
  }

  void AddConstant(std::size_t target, double value) {
    constants_[target] += value;
    sizes_[target] += std::abs(value);
  }

  void Backward(const DenseOp& op) {
    const std::vector<double>* const found = Find(op.output);
    if (found == nullptr) {
      return;
    }
    std::vector<double>& input = At(op.input);
    for (std::size_t t = 0; t < count_; ++t) {
      for (std::size_t vector = 0; vector < op.vectors; ++vector) {
        const double* const y =
            found->data() + t * op.output.size + vector * op.forward.n;
        for (std::size_t j = 0; j < op.forward.n; ++j) {
          AddConstant(t, y[j] * double{op.forward.bias[j]});
        }
        AddProduct(op.backward, y,
                   input.data() + t * op.input.size + vector * op.forward.k);
      }
    }
  }

  void Backward(const ArithmeticOp& op) {
    const std::vector<double>* const found = Find(op.output);
    if (found == nullptr) {
      return;
    }
    std::vector<double>& input = At(op.input);
    for (std::size_t t = 0; t < count_; ++t) {
      for (std::size_t i = 0; i < op.output.size; ++i) {
        const double y = (*found)[t * op.output.size + i];
        input[t * op.input.size + i] += y * op.Slope(i);
        AddConstant(t, y * op.Offset(i));
      }
    }
  }

  void Backward(const ActivationOp& op) {
    const std::vector<double>* const found = Find(op.output);
    if (found == nullptr) {
      return;
    }
    std::vector<double>& input = At(op.input);
    for (std::size_t i = 0; i < op.output.size; ++i) {
      const std::size_t at = op.input.offset + i;
      const Relaxation lines =
          RelaxationOf(op.function(i), {low_[at], high_[at]});
      for (std::size_t t = 0; t < count_; ++t) {
        const double y = (*found)[t * op.output.size + i];
        input[t * op.input.size + i] +=
            y * (y > 0.0 ? lines.low_slope : lines.high_slope);
        AddConstant(t, y * (y > 0.0 ? lines.low_offset : lines.high_offset));
      }
    }
  }

  void Backward(const SumOp& op) {
    const std::vector<double>* const found = Find(op.output);
    if (found == nullptr) {
      return;
    }
    for (const auto& [slot, sign] :
         {std::pair(op.left, 1.0), std::pair(op.right, double{op.sign})}) {
      std::vector<double>& input = At(slot);
      for (std::size_t i = 0; i < input.size(); ++i) {
        input[i] += sign * (*found)[i];
      }
    }
  }

  void Backward(const MoveOp& op) {
    const std::vector<double>* const found = Find(op.output);
    if (found == nullptr) {
      return;
    }
    std::vector<double>& input = At(op.input);
    for (std::size_t t = 0; t < count_; ++t) {
      for (std::size_t i = 0; i < op.size(); ++i) {
        input[t * op.input.size + op.From(i)] +=
            (*found)[t * op.output.size + op.To(i)];
      }
    }
  }

  // The least that a leaf's part can be.
  void AddLeaf(const Leaf& leaf) {
    const std::vector<double>* const found = Find(leaf.slot);
    if (found == nullptr) {
      return;
    }
    const std::vector<OneHotGroup> groups = GroupsOf(leaf, box_);
    for (std::size_t t = 0; t < count_; ++t) {
      const double* const a = found->data() + t * leaf.slot.size;
      if (leaf.kind == Leaf::Kind::kLookup) {
        AddLookup(leaf, a, t);
        continue;
      }
      std::size_t next = 0;
      for (const OneHotGroup& group : groups) {
        AddFloats(leaf, a, next, group.first, t);
        AddGroup({a + group.first, group.size}, t);
        next = group.first + group.size;
      }
      AddFloats(leaf, a, next, leaf.slot.size, t);
    }
  }

  // Floats `first` to `end` of a leaf, each for itself.
  void AddFloats(const Leaf& leaf, const double* a, std::size_t first,
                 std::size_t end, std::size_t target) {
    for (std::size_t i = first; i < end; ++i) {
      const Interval interval = LeafInterval(leaf, i, box_);
      AddConstant(target, a[i] * (a[i] > 0.0 ? interval.low : interval.high));
    }
  }

  // One of the floats is 1, so their part is one of the coefficients.
  void AddGroup(std::span<const double> coefficients, std::size_t target) {
    const auto [least, most] = std::ranges::minmax(coefficients);
    constants_[target] += least;
    sizes_[target] += std::max(std::abs(least), std::abs(most));
  }

  // The floats of one entry come together.
  void AddLookup(const Leaf& leaf, const double* a, std::size_t target) {
    const std::size_t size = leaf.entry_size();
    const std::span<const float> table = leaf.table.As<float>();
    for (std::size_t source = 0; source < leaf.sources.size(); ++source) {
      const Entries entries = EntriesOf(leaf, source, box_);
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t entry = entries.first; entry <= entries.last; ++entry) {
        double sum = 0.0;
        for (std::size_t i = 0; i < size; ++i) {
          sum += a[source * size + i] * double{table[entry * size + i]};
        }
        least = std::min(least, sum);
      }
      AddConstant(target, least);
    }
  }

  const PiecewiseNetwork& network_;
  const InputBox& box_;
  const std::vector<double>& low_;
  const std::vector<double>& high_;
  std::size_t count_ = 0;
  std::map<std::size_t, std::vector<double>> coefficients_;  // By slot.
  std::vector<double> constants_;                            // By target.
  std::vector<double> sizes_;  // The sizes of what the constants add up.
};

}  // namespace

Relaxation RelaxationOf(const PiecewiseLinear& function,
                        const Interval& interval) {
  const std::size_t first = PieceAt(function, interval.low);
  const std::size_t last = PieceAt(function, interval.high);
  const auto line = [&](std::size_t piece) {
    return std::pair(double{function.pieces[piece].slope},
                     double{function.pieces[piece].offset});
  };
  if (first == last) {
    const auto [slope, offset] = line(first);
    return {slope, offset, slope, offset};
  }
  if (last - first > 1) {
    const Interval image = ImageOf(function, interval);
    return {0.0, image.low, 0.0, image.high};
  }
  // One kink: a chord on one side, on the other the line that is nearer.
  const auto kink = double{function.kink_at[first]};
  const double at_low = function.pieces[first].At(interval.low);
  const double at_high = function.pieces[last].At(interval.high);
  const double chord = (at_high - at_low) / (interval.high - interval.low);
  const double chord_offset = at_low - chord * interval.low;
  const bool right = interval.high - kink > kink - interval.low;
  const auto [slope, offset] = line(right ? last : first);
  const bool convex =
      function.pieces[last].slope > function.pieces[first].slope;
  return convex ? Relaxation{slope, offset, chord, chord_offset}
                : Relaxation{chord, chord_offset, slope, offset};
}

void TightenByLinearBounds(const PiecewiseNetwork& network, const InputBox& box,
                           const Slot& slot, std::size_t op,
                           std::vector<double>& low,
                           std::vector<double>& high) {
  BackwardPass pass(network, box, low, high);
  for (std::size_t first = 0; first < slot.size; first += kBlock) {
    const std::size_t count = std::min(kBlock, slot.size - first);
    const std::vector<double> lower =
        pass.LowerBounds(slot, first, count, op, 1.0);
    const std::vector<double> upper =
        pass.LowerBounds(slot, first, count, op, -1.0);
    for (std::size_t t = 0; t < count; ++t) {
      const std::size_t at = slot.offset + first + t;
      low[at] = std::max(low[at], lower[t]);
      high[at] = std::min(high[at], -upper[t]);
    }
  }
}

}  // namespace relu
