#include "core/relu/kink_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/kernels/kernels.h"
#include "core/relu/dense_op.h"
#include "core/relu/packed_product.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"

namespace relu {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// The network at one point of the line, and how it changes along it.
class LinePoint {
 public:
  explicit LinePoint(const PiecewiseNetwork& network)
      : network_(network),
        values_(network.row_floats),
        speeds_(network.row_floats),
        adjoints_(network.row_floats),
        pieces_(network.row_floats) {}

  // Leaves are `start` + `time` * (end - start). The pieces that activations
  // are on stay as they are; kChoose: those that hold from here on.
  enum class Pieces : std::uint8_t { kKeep, kChoose };
  void MoveTo(std::span<const float> start, std::span<const float> end,
              double time, Pieces pieces) {
    std::ranges::fill(values_, 0.0);
    std::ranges::fill(speeds_, 0.0);
    for (const Leaf& leaf : network_.leaves) {
      for (std::size_t i = 0; i < leaf.slot.size; ++i) {
        const std::size_t at = leaf.slot.offset + i;
        speeds_[at] = double{end[at]} - double{start[at]};
        values_[at] = time == 1.0 ? double{end[at]}
                                  : double{start[at]} + time * speeds_[at];
      }
    }
    for (const Op& any : network_.ops) {
      std::visit([&](const auto& op) { Forward(op, pieces); }, any);
    }
  }

  double value(std::size_t element) const {
    return values_[network_.output.offset + element];
  }

  // How long until the first activation reaches a kink, which then moves on to
  // its next piece. kNever if none does.
  double TimeToKink() const {
    double first = kNever;
    for (const Op& any : network_.ops) {
      if (const auto* const op = std::get_if<ActivationOp>(&any)) {
        for (std::size_t i = 0; i < op->input.size; ++i) {
          first = std::min(first, TimeToKink(*op, i));
        }
      }
    }
    return first;
  }

  // Those that reach a kink after `time`, as TimeToKink() said, go on.
  void PassKinks(double time) {
    for (const Op& any : network_.ops) {
      const auto* const op = std::get_if<ActivationOp>(&any);
      for (std::size_t i = 0; op != nullptr && i < op->input.size; ++i) {
        if (TimeToKink(*op, i) <= time) {
          const std::size_t at = op->input.offset + i;
          std::int8_t& piece = pieces_[op->output.offset + i];
          piece =
              static_cast<std::int8_t>(piece + (speeds_[at] > 0.0 ? 1 : -1));
        }
      }
    }
  }

  // Adds `weight` times the derivatives of an element of the output by the
  // leaves.
  void AddSlopes(std::size_t element, double weight,
                 std::vector<double>& sums) {
    std::ranges::fill(adjoints_, 0.0);
    adjoints_[network_.output.offset + element] = 1.0;
    for (std::size_t i = network_.ops.size(); i-- > 0;) {
      std::visit([&](const auto& op) { Backward(op); }, network_.ops[i]);
    }
    for (const Leaf& leaf : network_.leaves) {
      for (std::size_t i = 0; i < leaf.slot.size; ++i) {
        const std::size_t at = leaf.slot.offset + i;
        sums[at] += weight * adjoints_[at];
      }
    }
  }

 private:
  double TimeToKink(const ActivationOp& op, std::size_t i) const {
    const PiecewiseLinear& function = op.function(i);
    const std::size_t at = op.input.offset + i;
    const auto piece = static_cast<std::size_t>(pieces_[op.output.offset + i]);
    double kink = 0.0;
    if (speeds_[at] > 0.0 && piece < function.kinks) {
      kink = double{function.kink_at[piece]};
    } else if (speeds_[at] < 0.0 && piece > 0) {
      kink = double{function.kink_at[piece - 1]};
    } else {
      return kNever;
    }
    return std::max(0.0, (kink - values_[at]) / speeds_[at]);
  }

  // The piece from here on: on a kink it is the one ahead.
  std::int8_t PieceAhead(const PiecewiseLinear& function,
                         std::size_t at) const {
    std::int8_t piece = 0;
    for (std::size_t i = 0; i < function.kinks; ++i) {
      const double beyond = values_[at] - double{function.kink_at[i]};
      const bool passed = beyond > 0.0 || (beyond == 0.0 && speeds_[at] > 0.0);
      piece = static_cast<std::int8_t>(piece + (passed ? 1 : 0));
    }
    return piece;
  }

  void Forward(const DenseOp& op, Pieces /*pieces*/) {
    const kernels::PackedDense& layer = op.forward;
    for (std::size_t i = 0; i < op.vectors; ++i) {
      const std::size_t from = op.input.offset + i * layer.k;
      const std::size_t to = op.output.offset + i * layer.n;
      std::copy_n(layer.bias, layer.n, values_.data() + to);
      AddProduct(layer, values_.data() + from, values_.data() + to);
      AddProduct(layer, speeds_.data() + from, speeds_.data() + to);
    }
  }

  void Forward(const ArithmeticOp& op, Pieces /*pieces*/) {
    for (std::size_t i = 0; i < op.output.size; ++i) {
      const std::size_t from = op.input.offset + i;
      const std::size_t to = op.output.offset + i;
      const double slope = op.Slope(i);
      values_[to] = values_[from] * slope + op.Offset(i);
      speeds_[to] = speeds_[from] * slope;
    }
  }

  void Forward(const ActivationOp& op, Pieces pieces) {
    for (std::size_t i = 0; i < op.output.size; ++i) {
      const std::size_t from = op.input.offset + i;
      const std::size_t to = op.output.offset + i;
      if (pieces == Pieces::kChoose) {
        pieces_[to] = PieceAhead(op.function(i), from);
      }
      const LinearPiece& line =
          op.function(i).pieces[static_cast<std::size_t>(pieces_[to])];
      values_[to] = line.At(values_[from]);
      speeds_[to] = double{line.slope} * speeds_[from];
    }
  }

  void Forward(const SumOp& op, Pieces /*pieces*/) {
    for (std::size_t i = 0; i < op.output.size; ++i) {
      const std::size_t left = op.left.offset + i;
      const std::size_t right = op.right.offset + i;
      const auto sign = double{op.sign};
      values_[op.output.offset + i] = values_[left] + sign * values_[right];
      speeds_[op.output.offset + i] = speeds_[left] + sign * speeds_[right];
    }
  }

  void Forward(const MoveOp& op, Pieces /*pieces*/) {
    for (std::size_t i = 0; i < op.size(); ++i) {
      const std::size_t from = op.input.offset + op.From(i);
      const std::size_t to = op.output.offset + op.To(i);
      values_[to] = values_[from];
      speeds_[to] = speeds_[from];
    }
  }

  void Backward(const DenseOp& op) {
    const kernels::PackedDense& transpose = op.backward;
    for (std::size_t i = 0; i < op.vectors; ++i) {
      AddProduct(transpose,
                 adjoints_.data() + op.output.offset + i * transpose.k,
                 adjoints_.data() + op.input.offset + i * transpose.n);
    }
  }

  void Backward(const ArithmeticOp& op) {
    for (std::size_t i = 0; i < op.output.size; ++i) {
      adjoints_[op.input.offset + i] +=
          op.Slope(i) * adjoints_[op.output.offset + i];
    }
  }

  void Backward(const ActivationOp& op) {
    for (std::size_t i = 0; i < op.output.size; ++i) {
      const std::size_t to = op.output.offset + i;
      const LinearPiece& line =
          op.function(i).pieces[static_cast<std::size_t>(pieces_[to])];
      adjoints_[op.input.offset + i] += double{line.slope} * adjoints_[to];
    }
  }

  void Backward(const SumOp& op) {
    for (std::size_t i = 0; i < op.output.size; ++i) {
      const double adjoint = adjoints_[op.output.offset + i];
      adjoints_[op.left.offset + i] += adjoint;
      adjoints_[op.right.offset + i] += double{op.sign} * adjoint;
    }
  }

  void Backward(const MoveOp& op) {
    for (std::size_t i = 0; i < op.size(); ++i) {
      adjoints_[op.input.offset + op.From(i)] +=
          adjoints_[op.output.offset + op.To(i)];
    }
  }

  const PiecewiseNetwork& network_;
  std::vector<double> values_;
  std::vector<double> speeds_;  // Of the values, along the line.
  std::vector<double> adjoints_;
  // By output of an activation: the piece that it is on.
  std::vector<std::int8_t> pieces_;
};

}  // namespace

absl::StatusOr<KinkWalk> WalkKinks(const PiecewiseNetwork& network,
                                   std::span<const float> start,
                                   std::span<const float> end,
                                   std::size_t element,
                                   std::int64_t max_pieces) {
  KinkWalk walk;
  walk.mean_slopes.resize(network.row_floats);
  LinePoint point(network);
  double time = 0.0;
  point.MoveTo(start, end, time, LinePoint::Pieces::kChoose);
  walk.start_value = point.value(element);
  // Several activations may pass a kink at the same point, one after the other:
  // these steps have no length. They come to an end, since what an activation
  // does depends on those before it alone.
  for (std::int64_t step = 0; time < 1.0; ++step) {
    if (step >= max_pieces) {
      return absl::ResourceExhaustedError(fmt::format(
          "the line from the baseline to the row crosses more than {} kinks; "
          "use 50 points in place of the exact walk, or send fewer rows",
          max_pieces));
    }
    const double to_kink = point.TimeToKink();
    const double length = std::min(to_kink, 1.0 - time);
    if (length > 0.0) {
      point.AddSlopes(element, length, walk.mean_slopes);
      ++walk.pieces;
    }
    time = to_kink < 1.0 - time ? time + length : 1.0;
    if (time < 1.0) {
      point.PassKinks(to_kink);
    }
    point.MoveTo(start, end, time, LinePoint::Pieces::kKeep);
  }
  walk.end_value = point.value(element);
  return walk;
}

}  // namespace relu
