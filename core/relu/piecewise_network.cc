#include "core/relu/piecewise_network.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <variant>
#include <vector>

#include "core/kernels/piecewise.h"
#include "core/relu/dense_op.h"
#include "core/relu/piecewise_linear.h"

namespace relu {
namespace {

// --- Forwards ---

// y[i] = function(x[i], constant i).
template <typename Function>
void ForEachConstant(const ArithmeticOp& op, const float* x, float* y,
                     const Function& function) {
  const float* const constants = op.constants.data();
  for (std::size_t i = 0; i < op.output.size; ++i) {
    y[i] = function(x[i], constants[i]);
  }
}

void Forward(const ArithmeticOp& op, float* row) {
  const float* const x = row + op.input.offset;
  float* const y = row + op.output.offset;
  switch (op.kind) {
    case ArithmeticOp::Kind::kAdd:
      return ForEachConstant(op, x, y, std::plus<>());
    case ArithmeticOp::Kind::kSubtract:
      return ForEachConstant(op, x, y, std::minus<>());
    case ArithmeticOp::Kind::kSubtractFrom:
      return ForEachConstant(op, x, y, [](float a, float c) { return c - a; });
    case ArithmeticOp::Kind::kMultiply:
      return ForEachConstant(op, x, y, std::multiplies<>());
    case ArithmeticOp::Kind::kDivide:
      return ForEachConstant(op, x, y, std::divides<>());
  }
}

void Forward(const ActivationOp& op, float* row) {
  const float* const x = row + op.input.offset;
  float* const y = row + op.output.offset;
  if (op.functions.size() == 1) {
    return Apply(op.functions[0], op.output.size, x, y);
  }
  for (std::size_t i = 0; i < op.output.size; ++i) {
    Apply(op.functions[i], 1, x + i, y + i);
  }
}

// Whether something stands in the place of an activation.
bool IsReplaced(const Op& any, Activations activations) {
  const auto* const op = std::get_if<ActivationOp>(&any);
  return activations != Activations::kOwn && op != nullptr &&
         std::ranges::any_of(op->functions,
                             [](const PiecewiseLinear& function) {
                               return function.kinks > 0;
                             });
}

void ForwardSmooth(const ActivationOp& op, Activations activations,
                   float* row) {
  for (std::size_t i = 0; i < op.output.size; ++i) {
    const float x = row[op.input.offset + i];
    row[op.output.offset + i] = activations == Activations::kTanh
                                    ? std::tanh(x)
                                    : 1.0F / (1.0F + std::exp(-x));
  }
}

void Forward(const SumOp& op, float* row) {
  const float* const left = row + op.left.offset;
  const float* const right = row + op.right.offset;
  float* const y = row + op.output.offset;
  for (std::size_t i = 0; i < op.output.size; ++i) {
    y[i] = left[i] + op.sign * right[i];
  }
}

// Calls move(from, to) for each element.
template <typename Move>
void ForEachMove(const MoveOp& op, const Move& move) {
  const std::size_t size = op.size();
  const std::uint32_t* const from = op.from.data();
  const std::uint32_t* const to = op.to.data();
  if (op.from.empty()) {
    for (std::size_t i = 0; i < size; ++i) {
      move(i, op.to.empty() ? i : to[i]);
    }
    return;
  }
  for (std::size_t i = 0; i < size; ++i) {
    move(from[i], op.to.empty() ? i : to[i]);
  }
}

void Forward(const MoveOp& op, float* row) {
  const float* const x = row + op.input.offset;
  float* const y = row + op.output.offset;
  ForEachMove(op, [&](std::size_t from, std::size_t to) { y[to] = x[from]; });
}

// --- Backwards ---

void Backward(const ArithmeticOp& op, const float* /*row*/, float* adjoints) {
  const float* const y = adjoints + op.output.offset;
  float* const x = adjoints + op.input.offset;
  const auto add = [&](const auto& slope) {
    for (std::size_t i = 0; i < op.output.size; ++i) {
      x[i] += y[i] * slope(op.constants[i]);
    }
  };
  switch (op.kind) {
    case ArithmeticOp::Kind::kAdd:
    case ArithmeticOp::Kind::kSubtract:
      return add([](float /*c*/) { return 1.0F; });
    case ArithmeticOp::Kind::kSubtractFrom:
      return add([](float /*c*/) { return -1.0F; });
    case ArithmeticOp::Kind::kMultiply:
      return add([](float c) { return c; });
    case ArithmeticOp::Kind::kDivide:
      return add([](float c) { return static_cast<float>(1.0 / double{c}); });
  }
}

void Backward(const ActivationOp& op, const float* row, float* adjoints) {
  const float* const y = adjoints + op.output.offset;
  float* const x = adjoints + op.input.offset;
  const float* const input = row + op.input.offset;
  if (op.functions.size() == 1) {
    return AddSlopes(op.functions[0], op.output.size, input, y, x);
  }
  for (std::size_t i = 0; i < op.output.size; ++i) {
    AddSlopes(op.functions[i], 1, input + i, y + i, x + i);
  }
}

void BackwardSmooth(const ActivationOp& op, Activations activations,
                    const float* row, float* adjoints) {
  for (std::size_t i = 0; i < op.output.size; ++i) {
    const float y = row[op.output.offset + i];
    const float slope =
        activations == Activations::kTanh ? 1.0F - y * y : y * (1.0F - y);
    adjoints[op.input.offset + i] += slope * adjoints[op.output.offset + i];
  }
}

void Backward(const SumOp& op, const float* /*row*/, float* adjoints) {
  for (std::size_t i = 0; i < op.output.size; ++i) {
    const float y = adjoints[op.output.offset + i];
    adjoints[op.left.offset + i] += y;
    adjoints[op.right.offset + i] += op.sign * y;
  }
}

void Backward(const MoveOp& op, const float* /*row*/, float* adjoints) {
  const float* const y = adjoints + op.output.offset;
  float* const x = adjoints + op.input.offset;
  ForEachMove(op, [&](std::size_t from, std::size_t to) { x[from] += y[to]; });
}

// The kernels write, they don't add: to other memory, unless nothing is there.
void BackwardDense(const DenseOp& op, const FloatRows& rows, float* adjoints,
                   PassMemory& memory) {
  float* const target = op.last_reader ? adjoints : memory.sums.data();
  RunDense(op.backward, op.vectors, rows, adjoints + op.output.offset,
           memory.sparse, target + op.input.offset);
  for (std::size_t row = 0; row < rows.rows && !op.last_reader; ++row) {
    for (std::size_t i = 0; i < op.input.size; ++i) {
      const std::size_t at = row * rows.stride + op.input.offset + i;
      adjoints[at] += target[at];
    }
  }
}

// --- The intercept ---

double Constant(const DenseOp& op, const float* /*row*/,
                const float* adjoints) {
  const std::size_t n = op.forward.n;
  double sum = 0.0;
  for (std::size_t i = 0; i < op.vectors; ++i) {
    sum += kernels::SumOfProducts(n, op.forward.bias,
                                  adjoints + op.output.offset + i * n);
  }
  return sum;
}

double Constant(const ArithmeticOp& op, const float* /*row*/,
                const float* adjoints) {
  if (op.kind == ArithmeticOp::Kind::kMultiply ||
      op.kind == ArithmeticOp::Kind::kDivide) {
    return 0.0;
  }
  const float* const y = adjoints + op.output.offset;
  double sum = 0.0;
  for (std::size_t i = 0; i < op.output.size; ++i) {
    sum += double{op.constants[i]} * double{y[i]};
  }
  return op.kind == ArithmeticOp::Kind::kSubtract ? -sum : sum;
}

bool HasOffset(const PiecewiseLinear& function) {
  return std::ranges::any_of(function.pieces, [](const LinearPiece& piece) {
    return piece.offset != 0.0F;
  });
}

double Constant(const ActivationOp& op, const float* row,
                const float* adjoints) {
  if (std::ranges::none_of(op.functions, &HasOffset)) {
    return 0.0;
  }
  double sum = 0.0;
  for (std::size_t i = 0; i < op.output.size; ++i) {
    const PiecewiseLinear& function = op.function(i);
    const std::size_t piece = function.PieceOf(row[op.input.offset + i]);
    sum += double{function.pieces[piece].offset} *
           double{adjoints[op.output.offset + i]};
  }
  return sum;
}

double Constant(const SumOp& /*op*/, const float* /*row*/,
                const float* /*adjoints*/) {
  return 0.0;
}

double Constant(const MoveOp& /*op*/, const float* /*row*/,
                const float* /*adjoints*/) {
  return 0.0;
}

// --- Kinks ---

std::int64_t CountOnKink(const ActivationOp& op, const float* z) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < op.input.size; ++i) {
    const PiecewiseLinear& function = op.function(i);
    for (std::size_t kink = 0; kink < function.kinks; ++kink) {
      count += z[i] == function.kink_at[kink] ? 1 : 0;
    }
  }
  return count;
}

// Of a neuron without weights and bias there is nothing to round.
std::int64_t CountNearKink(const ActivationOp& op, const DenseOp& layer,
                           const float* row) {
  const std::size_t n = layer.forward.n;
  std::size_t count = 0;
  for (std::size_t vector = 0; vector < layer.vectors; ++vector) {
    const float largest = LargestInput(layer, row, vector);
    const auto count_kinks = [&](const PiecewiseLinear& function, std::size_t j,
                                 std::size_t neurons) {
      for (std::size_t i = 0; i < function.kinks; ++i) {
        count += kernels::CountNear(function.kink_at[i], largest, neurons,
                                    row + op.input.offset + vector * n + j,
                                    layer.weight_rounding.data() + j,
                                    layer.bias_rounding.data() + j);
      }
    };
    if (op.functions.size() == 1) {
      count_kinks(op.functions[0], 0, n);
      continue;
    }
    for (std::size_t j = 0; j < n; ++j) {
      count_kinks(op.functions[vector * n + j], j, 1);
    }
  }
  return static_cast<std::int64_t>(count);
}

}  // namespace

double ArithmeticOp::Slope(std::size_t i) const {
  const auto constant = double{constants[i]};
  switch (kind) {
    case Kind::kSubtractFrom:
      return -1.0;
    case Kind::kMultiply:
      return constant;
    case Kind::kDivide:
      return 1.0 / constant;
    default:
      return 1.0;
  }
}

double ArithmeticOp::Offset(std::size_t i) const {
  const auto constant = double{constants[i]};
  switch (kind) {
    case Kind::kAdd:
    case Kind::kSubtractFrom:
      return constant;
    case Kind::kSubtract:
      return -constant;
    default:
      return 0.0;
  }
}

std::vector<Slot> InputsOf(const Op& any) {
  return std::visit(
      []<typename T>(const T& op) -> std::vector<Slot> {
        if constexpr (std::is_same_v<T, SumOp>) {
          return {op.left, op.right};
        } else {
          return {op.input};
        }
      },
      any);
}

std::size_t PiecewiseNetwork::bytes() const {
  std::size_t total = 0;
  for (const Op& op : ops) {
    if (const auto* const dense = std::get_if<DenseOp>(&op)) {
      total += dense->bytes();
    }
  }
  for (const Leaf& leaf : leaves) {
    total += leaf.table.bytes().size();
  }
  return total;
}

PassMemory::PassMemory(const PiecewiseNetwork& network, std::size_t rows)
    : sparse(network.most_sparse, rows),
      sums(network.shares_inputs ? rows * network.row_floats : 0) {}

void RunForward(const PiecewiseNetwork& network, std::size_t rows,
                float* values, PassMemory& memory, Activations activations) {
  const std::size_t stride = network.row_floats;
  for (const Op& any : network.ops) {
    if (const auto* const dense = std::get_if<DenseOp>(&any)) {
      RunDense(dense->forward, dense->vectors, {rows, stride},
               values + dense->input.offset, memory.sparse,
               values + dense->output.offset);
      continue;
    }
    if (IsReplaced(any, activations)) {
      for (std::size_t row = 0; row < rows; ++row) {
        ForwardSmooth(std::get<ActivationOp>(any), activations,
                      values + row * stride);
      }
      continue;
    }
    std::visit(
        [&]<typename T>(const T& op) {
          if constexpr (!std::is_same_v<T, DenseOp>) {
            for (std::size_t row = 0; row < rows; ++row) {
              Forward(op, values + row * stride);
            }
          }
        },
        any);
  }
}

void RunForward(const PiecewiseNetwork& network, std::size_t rows,
                float* values, Activations activations) {
  PassMemory memory(network, rows);
  RunForward(network, rows, values, memory, activations);
}

void RunBackward(const PiecewiseNetwork& network, const AdjointRows& rows,
                 const float* values, float* adjoints, PassMemory& memory,
                 Activations activations) {
  const std::size_t stride = network.row_floats;
  const std::size_t count = rows.rows * rows.each;
  const auto value_row = [&](std::size_t row) {
    return values + row / rows.each * stride;
  };
  for (std::size_t i = network.ops.size(); i-- > 0;) {
    if (const auto* const dense = std::get_if<DenseOp>(&network.ops[i])) {
      BackwardDense(*dense, {count, stride}, adjoints, memory);
      continue;
    }
    if (IsReplaced(network.ops[i], activations)) {
      for (std::size_t row = 0; row < count; ++row) {
        BackwardSmooth(std::get<ActivationOp>(network.ops[i]), activations,
                       value_row(row), adjoints + row * stride);
      }
      continue;
    }
    std::visit(
        [&]<typename T>(const T& op) {
          if constexpr (!std::is_same_v<T, DenseOp>) {
            for (std::size_t row = 0; row < count; ++row) {
              Backward(op, value_row(row), adjoints + row * stride);
            }
          }
        },
        network.ops[i]);
  }
}

double Intercept(const PiecewiseNetwork& network, const float* values,
                 const float* adjoints) {
  double sum = 0.0;
  for (const Op& any : network.ops) {
    sum += std::visit(
        [&](const auto& op) { return Constant(op, values, adjoints); }, any);
  }
  return sum;
}

std::int64_t CountKinks(const PiecewiseNetwork& network, const float* values) {
  std::int64_t count = 0;
  for (const Op& any : network.ops) {
    const auto* const op = std::get_if<ActivationOp>(&any);
    if (op == nullptr) {
      continue;
    }
    const float* const z = values + op->input.offset;
    if (op->layer == ActivationOp::kNone) {
      count += CountOnKink(*op, z);
    } else {
      const auto& layer = std::get<DenseOp>(network.ops[op->layer]);
      count += CountNearKink(*op, layer, values);
    }
  }
  return count;
}

}  // namespace relu
