// ActivityCounts: what the neurons and the inputs of a model did over some
// rows; and the pass that counts it.

#ifndef CORE_RELU_ACTIVITY_COUNTS_H_
#define CORE_RELU_ACTIVITY_COUNTS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"

namespace relu {

// By neuron of one of CompiledModel::activations().
struct LayerCounts {
  std::vector<std::int64_t> on;         // Rows in which it was on.
  std::vector<std::int64_t> saturated;  // Rows in which it was at its bound.
  std::vector<double> sum;              // Of its values.
  std::vector<double> squares;          // The sum of their squares.
  std::vector<float> largest;           // Of its values; 0 if there were none.

  std::int64_t dead() const;  // Neurons that were never on.
  std::int64_t always_on(std::int64_t rows) const;
  std::int64_t always_saturated(std::int64_t rows) const;
};

struct ActivityCounts {
  explicit ActivityCounts(const CompiledModel& model);

  void Add(const ActivityCounts& other);  // Of the same model.
  void Clear();
  std::size_t bytes() const;

  std::int64_t rows = 0;
  // Rows that count nowhere else, because an input was infinite or NaN.
  std::int64_t nonfinite_rows = 0;
  std::vector<LayerCounts> layers;
  // By element of all inputs, in their order: the sums of x - reference, of its
  // squares and fourth powers, where the reference is that of the ActivityPass.
  std::vector<double> input_sum;
  std::vector<double> input_squares;
  std::vector<double> input_fourths;
};

// The elements of one row of all inputs.
std::size_t InputElements(const CompiledModel& model);

// One row of an input, at `bytes`, as doubles.
void ReadElements(const TensorSignature& input, const std::byte* bytes,
                  std::span<double> elements);

// Runs rows through a model once more, beside its batches. Takes no memory
// after construction where inputs are FP32. For one thread at a time.
class ActivityPass {
 public:
  // `model` outlives it, and does not couple rows. Up to `max_rows` >= 1 rows
  // at a time. `reference` has one value for each element of the inputs, or
  // none: then it is 0.
  ActivityPass(const CompiledModel& model, std::int64_t max_rows,
               std::vector<double> reference = {});

  // `inputs` are, in the model's order, `rows` rows each; all have answers.
  void Run(std::int64_t rows, std::span<const std::byte* const> inputs,
           ActivityCounts& counts);

  std::int64_t max_rows() const { return workspace_.max_rows(); }

 private:
  void CountInputs(std::int64_t row, std::span<const std::byte* const> inputs,
                   ActivityCounts& counts);

  const CompiledModel& model_;
  const std::vector<double> reference_;
  Workspace workspace_;
  std::vector<double> elements_;     // Of one row.
  std::vector<std::uint8_t> skips_;  // By row.
};

}  // namespace relu

#endif  // CORE_RELU_ACTIVITY_COUNTS_H_
