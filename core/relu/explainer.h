// Explainer: what each input contributes to an output of a network, exactly.

#ifndef CORE_RELU_EXPLAINER_H_
#define CORE_RELU_EXPLAINER_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/plan/compile_options.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/tensor/tensor.h"

namespace relu {

enum class Attribution : std::uint8_t {
  // The derivatives at the row: around it, the network is f(x) = J x + t.
  kGradient,
  // Their mean along the straight line from the baseline to the row, at 50
  // points of the Gauss-Legendre rule.
  kIntegratedGradients,
  // The same without error: from kink to kink.
  kExactIntegratedGradients,
};

struct ExplainOptions {
  Attribution attribution = Attribution::kGradient;
  // Of each row of the output, which elements to explain; empty: the largest.
  std::vector<std::int64_t> elements = {};
  // What the explanations may take together, in multiply-adds of layers.
  double max_multiply_adds = std::numeric_limits<double>::infinity();
};

// Of one element of the output, in one row.
struct Explanation {
  std::int64_t row = 0;
  std::int64_t element = 0;
  double value = 0.0;   // f(x): what is explained.
  double answer = 0.0;  // What the model answers: the link of f.
  // With a baseline x0: f(x0). Otherwise 0.
  double baseline_value = 0.0;
  // kGradient: t of f(x) = J x + t. Otherwise 0.
  double intercept = 0.0;
  // By element of all inputs. J, or its mean along the line; 0 for integers,
  // which have no derivative.
  std::vector<double> gradient;
  // gradient * (x - x0); x0 is 0 without a baseline. For an integer that a
  // table reads: the same over what it reads.
  std::vector<double> contributions;
  // kGradient without a baseline: f(x) - t - the sum of contributions, which
  // is rounding alone. Otherwise f(x) - f(x0) - that sum: what the explanation
  // does not account for.
  double remainder = 0.0;
  std::int64_t kinks = 0;   // kGradient: CountKinks().
  std::int64_t pieces = 0;  // kExactIntegratedGradients: of the line.
};

// Of one output of a model. Immutable, so thread-safe.
class Explainer {
 public:
  // Errors: those of LowerToPiecewise().
  static absl::StatusOr<Explainer> Create(
      const Graph& graph, std::string_view output,
      WeightStorage weights = WeightStorage::kFloat32);

  // The explanations of all rows, and of each row those of all elements. The
  // baseline has one row, as many as there are, or none; both integrated
  // gradients need one. Errors:
  //   INVALID_ARGUMENT    the baseline is not so, a value is not finite, an
  //                       index is outside of its table, or an element is not
  //                       there
  //   RESOURCE_EXHAUSTED  it takes more than max_multiply_adds
  absl::StatusOr<std::vector<Explanation>> Explain(
      const InputRows& inputs, const InputRows& baseline,
      const ExplainOptions& options = {}) const;

  // The same of tensors, which ReadInputRows() reads.
  absl::StatusOr<std::vector<Explanation>> Explain(
      std::span<const Tensor> inputs, std::span<const Tensor> baseline,
      const ExplainOptions& options = {}) const;

  // What the model answers, [rows, elements of a row of the output].
  // INVALID_ARGUMENT if an index is outside of its table.
  absl::StatusOr<std::vector<double>> Answers(const InputRows& inputs) const;

  const PiecewiseNetwork& network() const { return *network_; }

 private:
  explicit Explainer(PiecewiseNetwork network);

  std::unique_ptr<const PiecewiseNetwork> network_;
};

}  // namespace relu

#endif  // CORE_RELU_EXPLAINER_H_
