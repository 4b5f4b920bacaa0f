// PiecewiseNetwork: a network of linear layers and piecewise linear functions,
// which can be run and differentiated exactly. Where no kink is crossed it is
// f(x) = J x + t.

#ifndef CORE_RELU_PIECEWISE_NETWORK_H_
#define CORE_RELU_PIECEWISE_NETWORK_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/graph/graph.h"
#include "core/plan/index_table.h"
#include "core/relu/dense_op.h"
#include "core/relu/integer_source.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/scratch_floats.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

// --- The operations, each from slots to another slot ---

// Each element with a constant of its own.
struct ArithmeticOp {
  enum class Kind : std::uint8_t {
    kAdd,
    kSubtract,
    kSubtractFrom,  // c - x.
    kMultiply,
    kDivide,
  };
  Kind kind = Kind::kAdd;
  Slot input;
  Slot output;
  std::vector<float> constants;

  // Of the output by the input.
  double Slope(std::size_t i) const;
  // What the output is where the input is 0.
  double Offset(std::size_t i) const;
};

struct ActivationOp {
  Slot input;
  Slot output;
  // One for all elements, or one for each.
  std::vector<PiecewiseLinear> functions;

  const PiecewiseLinear& function(std::size_t i) const {
    return functions.size() == 1 ? functions[0] : functions[i];
  }
  // Of PiecewiseNetwork::ops: the layer that computes the input; kNone if
  // another operation does.
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t layer = kNone;
};

// output = left + right, or left - right.
struct SumOp {
  Slot left;
  Slot right;
  Slot output;
  float sign = 1.0F;  // Of `right`: 1 or -1.
};

// output[to[i]] = input[from[i]]; an empty table counts 0, 1, 2, ...
struct MoveOp {
  Slot input;
  Slot output;
  IndexTable from;
  IndexTable to;

  std::size_t size() const {
    return !from.empty() ? from.size() : to.empty() ? input.size : to.size();
  }
  std::size_t From(std::size_t i) const { return from.empty() ? i : from[i]; }
  std::size_t To(std::size_t i) const { return to.empty() ? i : to[i]; }
};

using Op = std::variant<DenseOp, ArithmeticOp, ActivationOp, SumOp, MoveOp>;

std::vector<Slot> InputsOf(const Op& any);

// --- What the network starts from ---

// Floats that do not depend on others: the network is piecewise linear from
// here on.
struct Leaf {
  enum class Kind : std::uint8_t {
    kInput,    // The elements of an input of floats.
    kLookup,   // Rows of a table, such as embeddings, by integers.
    kInteger,  // Integers as floats.
  };
  Kind kind = Kind::kInput;
  Slot slot;
  std::size_t first_element = 0;       // kInput: of all inputs.
  std::vector<IntegerSource> sources;  // Of the others.
  Tensor table;                        // kLookup: float32, [entries, ...].
  std::string node;                    // kLookup: for messages.

  std::size_t entry_size() const {
    return kind == Kind::kLookup ? slot.size / sources.size() : 1;
  }
};

// An input of the model; its elements follow those of the inputs before it.
struct NetworkInput {
  std::string name;
  DataType type = DataType::kFp32;
  Shape row_shape;
  std::size_t first_element = 0;
  std::size_t elements = 0;
};

// A function at the end of the model that is left out: what is explained is
// what it is given.
enum class Link : std::uint8_t { kNone, kSigmoid, kSoftmax, kLogSoftmax };

// Immutable after it is made: any number of threads may use it.
struct PiecewiseNetwork {
  std::vector<NetworkInput> inputs;
  std::size_t input_elements = 0;
  std::vector<Leaf> leaves;
  std::vector<Op> ops;  // In the order of execution.
  Slot output;
  std::string output_name;     // Of the model.
  std::string explained_name;  // The value that `output` is.
  Shape output_row_shape;
  Link link = Link::kNone;
  std::size_t link_size = 1;  // Softmax: how many neighbours it goes over.
  // Inputs or outputs of a layer that skips zeros; 0: none does.
  std::size_t most_sparse = 0;
  // Whether other operations read the input of a layer, after it.
  bool shares_inputs = false;
  std::size_t row_floats = 0;     // Of all slots: a multiple of 16.
  std::size_t multiply_adds = 0;  // Of the layers, for one row.

  // Of weights and tables.
  std::size_t bytes() const;
};

// What stands in the place of the activations that bend, to compare.
enum class Activations : std::uint8_t { kOwn, kTanh, kSigmoid };

// Memory that passes take beside the rows. For one thread at a time.
struct PassMemory {
  // For so many rows at most, of values or adjoints.
  PassMemory(const PiecewiseNetwork& network, std::size_t rows);

  SparseRoom sparse;
  ScratchFloats sums;  // [rows, row_floats], if inputs are shared.
};

// Computes `rows` rows: in each, of row_floats, the leaves are set and the
// other slots follow.
void RunForward(const PiecewiseNetwork& network, std::size_t rows,
                float* values, PassMemory& memory,
                Activations activations = Activations::kOwn);

// The same in memory of its own.
void RunForward(const PiecewiseNetwork& network, std::size_t rows,
                float* values, Activations activations = Activations::kOwn);

struct AdjointRows {
  std::size_t rows = 1;  // Of values.
  std::size_t each = 1;  // Of adjoints, one after the other, for each of them.
};

// The way back: adjoints lie as the values do. In each row the output's hold
// what to differentiate (1 at one element), the rest is zero; the leaves'
// become the derivatives by them.
void RunBackward(const PiecewiseNetwork& network, const AdjointRows& rows,
                 const float* values, float* adjoints, PassMemory& memory,
                 Activations activations = Activations::kOwn);

// After RunBackward(), of one row: t of f(x) = J x + t, the constants of all
// operations through the same derivatives.
double Intercept(const PiecewiseNetwork& network, const float* values,
                 const float* adjoints);

// Of one row: how many activations are so close to a kink, given what their
// layer reads, that its rounding in float32 can have put them on the other
// side; where no layer comes before, how many are on the kink.
std::int64_t CountKinks(const PiecewiseNetwork& network, const float* values);

}  // namespace relu

#endif  // CORE_RELU_PIECEWISE_NETWORK_H_
