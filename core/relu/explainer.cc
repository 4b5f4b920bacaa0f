#include "core/relu/explainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/aligned_buffer.h"
#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/kernels/piecewise.h"
#include "core/plan/compile_options.h"
#include "core/relu/gauss_legendre.h"
#include "core/relu/kink_walk.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/part_placement.h"
#include "core/relu/piecewise_lowering.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/scratch_floats.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

constexpr std::size_t kPoints = 50;
// Rows that go through the network together: enough for the kernels.
constexpr std::size_t kBlockRows = 16;
// Blocks of so many floats stand on the stack. What the allocator takes for
// more than the kilobyte that it keeps lists for, and back, is 5 % of an
// explanation of a microsecond.
constexpr std::size_t kStackFloats = 4096;

std::size_t BlockRows(std::size_t rows) { return std::min(kBlockRows, rows); }

// Rows of the network, in memory of somebody else.
class Block {
 public:
  Block(const PiecewiseNetwork& network, float* first)
      : stride_(network.row_floats), first_(first) {}

  float* row(std::size_t i) { return first_ + i * stride_; }
  const float* row(std::size_t i) const { return first_ + i * stride_; }
  std::span<const float> Row(std::size_t i) const { return {row(i), stride_}; }
  void Clear(std::size_t rows) { std::fill_n(first_, rows * stride_, 0.0F); }

 private:
  std::size_t stride_;
  float* first_;
};

// The link of element `element` of a row of the output.
double Answer(const PiecewiseNetwork& network, const float* output,
              std::size_t element) {
  const auto value = double{output[element]};
  if (network.link == Link::kNone) {
    return value;
  }
  if (network.link == Link::kSigmoid) {
    return 1.0 / (1.0 + std::exp(-value));
  }
  const std::size_t first = element / network.link_size * network.link_size;
  const std::span<const float> group(output + first, network.link_size);
  const auto largest = double{*std::ranges::max_element(group)};
  double sum = 0.0;
  for (const float other : group) {
    sum += std::exp(double{other} - largest);
  }
  const double log = value - largest - std::log(sum);
  return network.link == Link::kSoftmax ? std::exp(log) : log;
}

// One call of Explain().
class Explaining {
 public:
  Explaining(const PiecewiseNetwork& network, const ExplainOptions& options,
             const InputRows& inputs, const InputRows& baseline,
             std::span<float> place)
      : network_(network),
        options_(options),
        inputs_(inputs),
        baseline_(baseline),
        count_(static_cast<std::size_t>(inputs.rows)),
        each_(std::max<std::size_t>(options.elements.size(), 1)),
        origin_rows_(has_baseline() ? BlockRows(count_) : 0),
        floats_((BlockRows(count_) + origin_rows_ + BlockRows(count_ * each_)) *
                    network.row_floats,
                place),
        rows_(network, floats_.data()),
        origins_(network, rows_.row(BlockRows(count_))),
        adjoints_(network, origins_.row(origin_rows_)),
        memory_(network, BlockRows(count_ * each_)) {}

  absl::StatusOr<std::vector<Explanation>> Run();

 private:
  bool has_baseline() const { return baseline_.rows > 0; }
  absl::Status RunBlock(std::size_t first, std::size_t count);
  absl::Status ComputeRows(const InputRows& from, std::size_t first,
                           std::size_t count, Block& block);
  // Element `e` of those to explain of row `i` of the block.
  std::size_t ElementOf(std::size_t i, std::size_t e) const;
  absl::Status Begin(std::size_t row, std::size_t i, std::size_t element);

  // Sets gradient and what else the attribution gives, of `each_` explanations
  // for each row in the block, the last ones.
  void ExplainGradients(std::size_t count);
  // Of `rows` and, of each, `elements` from these on.
  void ExplainGradients(std::size_t row, std::size_t rows, std::size_t element,
                        std::size_t elements, std::span<Explanation> block);
  void IntegrateAtPoints(std::size_t i, Explanation& explanation);
  absl::Status IntegrateExactly(std::size_t i, Explanation& explanation);

  // From derivatives by the leaves to those by the inputs, and contributions.
  // Without a baseline they are floats: those of gradients.
  template <typename Real>
  void Attribute(std::size_t i, const Real* slopes, Explanation& explanation);

  const PiecewiseNetwork& network_;
  const ExplainOptions& options_;
  const InputRows& inputs_;
  const InputRows& baseline_;
  const std::size_t count_;  // Of all rows.
  const std::size_t each_;   // Elements to explain of each row.
  const std::size_t origin_rows_;
  ScratchFloats floats_;  // Of the three blocks.
  Block rows_;            // With their values.
  Block origins_;         // The baseline of each, if there is one.
  Block adjoints_;        // The way back of gradients.
  PassMemory memory_;
  std::vector<Explanation> explanations_;
};

absl::Status Explaining::ComputeRows(const InputRows& from, std::size_t first,
                                     std::size_t count, Block& block) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = from.rows == 1 ? 0 : first + i;
    RETURN_IF_ERROR(FillLeaves(
        network_,
        std::span(from.elements)
            .subspan(row * network_.input_elements, network_.input_elements),
        block.row(i)));
  }
  RunForward(network_, count, block.row(0), memory_);
  return absl::OkStatus();
}

std::size_t Explaining::ElementOf(std::size_t i, std::size_t e) const {
  if (!options_.elements.empty()) {
    return static_cast<std::size_t>(options_.elements[e]);
  }
  const std::span<const float> output(rows_.row(i) + network_.output.offset,
                                      network_.output.size);
  return static_cast<std::size_t>(std::ranges::max_element(output) -
                                  output.begin());
}

absl::Status Explaining::Begin(std::size_t row, std::size_t i,
                               std::size_t element) {
  const float* const output = rows_.row(i) + network_.output.offset;
  explanations_.push_back(
      {.row = static_cast<std::int64_t>(row),
       .element = static_cast<std::int64_t>(element),
       .value = double{output[element]},
       .answer = Answer(network_, output, element),
       .baseline_value =
           has_baseline()
               ? double{origins_.row(i)[network_.output.offset + element]}
               : 0.0,
       .gradient = std::vector<double>(network_.input_elements),
       .contributions = std::vector<double>(network_.input_elements)});
  const Explanation& explanation = explanations_.back();
  if (!std::isfinite(explanation.value) ||
      !std::isfinite(explanation.baseline_value)) {
    return absl::InvalidArgumentError(fmt::format(
        "row {}: \"{}\" is {} and {} at the baseline; only finite values have "
        "an explanation",
        row, network_.explained_name, explanation.value,
        explanation.baseline_value));
  }
  return absl::OkStatus();
}

// slopes[i] * (values[i] - origins[i]) each, for the floats of one leaf.
template <typename Real, typename Origin>
void AttributeLeaf(const Leaf& leaf, const Real* slopes, const float* values,
                   const Origin& origin, Explanation& explanation) {
  const auto contribution = [&](std::size_t j) {
    return double{slopes[j]} * (double{values[j]} - origin(j));
  };
  if (leaf.kind != Leaf::Kind::kInput) {
    const std::size_t entry = leaf.entry_size();
    for (std::size_t i = 0; i < leaf.sources.size(); ++i) {
      double sum = explanation.contributions[leaf.sources[i].element];
      for (std::size_t j = i * entry; j < (i + 1) * entry; ++j) {
        sum += contribution(j);
      }
      explanation.contributions[leaf.sources[i].element] = sum;
    }
    return;
  }
  double* const gradient = explanation.gradient.data() + leaf.first_element;
  double* const contributions =
      explanation.contributions.data() + leaf.first_element;
  for (std::size_t j = 0; j < leaf.slot.size; ++j) {
    gradient[j] = double{slopes[j]};
    contributions[j] += contribution(j);
  }
}

// The same without a baseline.
void AttributeLeaf(const Leaf& leaf, const float* slopes, const float* values,
                   Explanation& explanation) {
  if (leaf.kind == Leaf::Kind::kInput) {
    kernels::AddContributions(
        leaf.slot.size, slopes, values,
        explanation.gradient.data() + leaf.first_element,
        explanation.contributions.data() + leaf.first_element);
  } else {
    AttributeLeaf(
        leaf, slopes, values, [](std::size_t) { return 0.0; }, explanation);
  }
}

template <typename Real>
void Explaining::Attribute(std::size_t i, const Real* slopes,
                           Explanation& explanation) {
  for (const Leaf& leaf : network_.leaves) {
    const std::size_t first = leaf.slot.offset;
    const float* const values = rows_.row(i) + first;
    if (has_baseline()) {
      const float* const origins = origins_.row(i) + first;
      AttributeLeaf(
          leaf, slopes + first, values,
          [origins](std::size_t j) { return double{origins[j]}; }, explanation);
    } else if constexpr (std::is_same_v<Real, float>) {
      AttributeLeaf(leaf, slopes + first, values, explanation);
    }
  }
  explanation.remainder =
      explanation.value -
      kernels::Sum(explanation.contributions.size(),
                   explanation.contributions.data()) -
      (has_baseline() ? explanation.baseline_value : explanation.intercept);
}

void Explaining::ExplainGradients(std::size_t row, std::size_t rows,
                                  std::size_t element, std::size_t elements,
                                  std::span<Explanation> block) {
  adjoints_.Clear(rows * elements);
  const auto explained = [&](std::size_t i) -> Explanation& {
    return block[(row + i / elements) * each_ + element + i % elements];
  };
  for (std::size_t i = 0; i < rows * elements; ++i) {
    adjoints_.row(i)[network_.output.offset +
                     static_cast<std::size_t>(explained(i).element)] = 1.0F;
  }
  RunBackward(network_, {.rows = rows, .each = elements}, rows_.row(row),
              adjoints_.row(0), memory_);
  for (std::size_t i = 0; i < rows * elements; ++i) {
    const std::size_t at = row + i / elements;
    Explanation& explanation = explained(i);
    explanation.intercept =
        Intercept(network_, rows_.row(at), adjoints_.row(i));
    Attribute(at, adjoints_.row(i), explanation);
  }
}

void Explaining::ExplainGradients(std::size_t count) {
  const std::span<Explanation> block =
      std::span(explanations_).last(count * each_);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t kinks = CountKinks(network_, rows_.row(i));
    for (Explanation& explanation : block.subspan(i * each_, each_)) {
      explanation.kinks = kinks;
    }
  }
  // Several elements of a row, or rows, go back together.
  const std::size_t elements = std::min(each_, kBlockRows);
  const std::size_t rows = std::min(kBlockRows / elements, count);
  for (std::size_t row = 0; row < count; row += rows) {
    for (std::size_t element = 0; element < each_; element += elements) {
      ExplainGradients(row, std::min(rows, count - row), element,
                       std::min(elements, each_ - element), block);
    }
  }
}

void Explaining::IntegrateAtPoints(std::size_t i, Explanation& explanation) {
  static const std::vector<QuadraturePoint> rule = GaussLegendre(kPoints);
  ScratchFloats floats(2 * kPoints * network_.row_floats);
  Block points(network_, floats.data());
  Block adjoints(network_, points.row(kPoints));
  adjoints.Clear(kPoints);
  PassMemory memory(network_, kPoints);
  for (std::size_t p = 0; p < kPoints; ++p) {
    for (const Leaf& leaf : network_.leaves) {
      for (std::size_t j = 0; j < leaf.slot.size; ++j) {
        const std::size_t at = leaf.slot.offset + j;
        const double start{origins_.row(i)[at]};
        const double end{rows_.row(i)[at]};
        points.row(p)[at] =
            static_cast<float>(start + rule[p].at * (end - start));
      }
    }
    adjoints.row(p)[network_.output.offset +
                    static_cast<std::size_t>(explanation.element)] = 1.0F;
  }
  RunForward(network_, kPoints, points.row(0), memory);
  RunBackward(network_, {.rows = kPoints}, points.row(0), adjoints.row(0),
              memory);
  std::vector<double> mean(network_.row_floats);
  for (const Leaf& leaf : network_.leaves) {
    for (std::size_t j = 0; j < leaf.slot.size; ++j) {
      const std::size_t at = leaf.slot.offset + j;
      for (std::size_t p = 0; p < kPoints; ++p) {
        mean[at] += rule[p].weight * double{adjoints.row(p)[at]};
      }
    }
  }
  Attribute(i, mean.data(), explanation);
}

absl::Status Explaining::IntegrateExactly(std::size_t i,
                                          Explanation& explanation) {
  // Each piece takes values, speeds and derivatives.
  constexpr double kPasses = 3.0;
  constexpr double kMostPieces = 1e9;
  const double room =
      options_.max_multiply_adds /
      (kPasses * static_cast<double>(network_.multiply_adds + 1));
  const double share = room / static_cast<double>(count_ * each_);
  ASSIGN_OR_RETURN(
      const KinkWalk walk,
      WalkKinks(network_, origins_.Row(i), rows_.Row(i),
                static_cast<std::size_t>(explanation.element),
                static_cast<std::int64_t>(std::min(share, kMostPieces))));
  // In double, as the slopes are.
  explanation.value = walk.end_value;
  explanation.baseline_value = walk.start_value;
  explanation.pieces = walk.pieces;
  Attribute(i, walk.mean_slopes.data(), explanation);
  return absl::OkStatus();
}

absl::Status Explaining::RunBlock(std::size_t first, std::size_t count) {
  RETURN_IF_ERROR(ComputeRows(inputs_, first, count, rows_));
  if (has_baseline()) {
    RETURN_IF_ERROR(ComputeRows(baseline_, first, count, origins_));
  }
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t e = 0; e < each_; ++e) {
      RETURN_IF_ERROR(Begin(first + i, i, ElementOf(i, e)));
      if (options_.attribution == Attribution::kIntegratedGradients) {
        IntegrateAtPoints(i, explanations_.back());
      } else if (options_.attribution ==
                 Attribution::kExactIntegratedGradients) {
        RETURN_IF_ERROR(IntegrateExactly(i, explanations_.back()));
      }
    }
  }
  if (options_.attribution == Attribution::kGradient) {
    ExplainGradients(count);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Explanation>> Explaining::Run() {
  explanations_.reserve(count_ * each_);
  for (std::size_t first = 0; first < count_; first += kBlockRows) {
    RETURN_IF_ERROR(RunBlock(first, BlockRows(count_ - first)));
  }
  return std::move(explanations_);
}

// Of the multiply-adds that are known beforehand.
absl::Status CheckWork(const PiecewiseNetwork& network,
                       const ExplainOptions& options, std::int64_t rows) {
  const auto elements =
      static_cast<double>(std::max<std::size_t>(options.elements.size(), 1));
  const double passes = options.attribution == Attribution::kIntegratedGradients
                            ? 2.0 * static_cast<double>(kPoints) * elements
                            : 2.0 + elements;
  const double work = passes * static_cast<double>(rows) *
                      static_cast<double>(network.multiply_adds);
  if (work > options.max_multiply_adds) {
    return absl::ResourceExhaustedError(fmt::format(
        "{} rows take {:.0f} multiply-adds, the most for one call are {:.0f}; "
        "send fewer rows or elements",
        rows, work, options.max_multiply_adds));
  }
  return absl::OkStatus();
}

absl::Status CheckElements(const PiecewiseNetwork& network,
                           const ExplainOptions& options) {
  const auto size = static_cast<std::int64_t>(network.output.size);
  if (size == 0) {
    return absl::InvalidArgumentError(
        fmt::format("output \"{}\" has no elements", network.output_name));
  }
  for (const std::int64_t element : options.elements) {
    if (element < 0 || element >= size) {
      return absl::InvalidArgumentError(
          fmt::format("output \"{}\": element {}, a row has 0 to {}",
                      network.output_name, element, size - 1));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckBaseline(const InputRows& inputs, const InputRows& baseline,
                           const ExplainOptions& options) {
  if (baseline.rows == 0 && options.attribution != Attribution::kGradient) {
    return absl::InvalidArgumentError(
        "integrated gradients go from a baseline to the row: there is none");
  }
  if (baseline.rows > 1 && baseline.rows != inputs.rows) {
    return absl::InvalidArgumentError(
        fmt::format("baseline: {} rows, wanted is 1, or one for each of the {} "
                    "of the inputs",
                    baseline.rows, inputs.rows));
  }
  return absl::OkStatus();
}

}  // namespace

Explainer::Explainer(PiecewiseNetwork network)
    : network_(std::make_unique<const PiecewiseNetwork>(std::move(network))) {}

absl::StatusOr<Explainer> Explainer::Create(const Graph& graph,
                                            std::string_view output,
                                            WeightStorage weights) {
  ASSIGN_OR_RETURN(PiecewiseNetwork network,
                   LowerToPiecewise(graph, output, weights));
  PlaceParts(network);
  return Explainer(std::move(network));
}

absl::StatusOr<std::vector<Explanation>> Explainer::Explain(
    const InputRows& inputs, const InputRows& baseline,
    const ExplainOptions& options) const {
  RETURN_IF_ERROR(CheckElements(*network_, options));
  RETURN_IF_ERROR(CheckBaseline(inputs, baseline, options));
  RETURN_IF_ERROR(CheckWork(*network_, options, inputs.rows));
  alignas(kBufferAlignment) float place[kStackFloats];
  return Explaining(*network_, options, inputs, baseline, place).Run();
}

absl::StatusOr<std::vector<Explanation>> Explainer::Explain(
    std::span<const Tensor> inputs, std::span<const Tensor> baseline,
    const ExplainOptions& options) const {
  ASSIGN_OR_RETURN(const InputRows rows,
                   ReadInputRows(*network_, inputs, "input"));
  InputRows origins;
  if (!baseline.empty()) {
    ASSIGN_OR_RETURN(origins, ReadInputRows(*network_, baseline, "baseline"));
  }
  return Explain(rows, origins, options);
}

absl::StatusOr<std::vector<double>> Explainer::Answers(
    const InputRows& inputs) const {
  std::vector<double> answers;
  ScratchFloats floats(network_->row_floats);
  Block block(*network_, floats.data());
  for (std::size_t row = 0; row < static_cast<std::size_t>(inputs.rows);
       ++row) {
    RETURN_IF_ERROR(FillLeaves(
        *network_,
        std::span(inputs.elements)
            .subspan(row * network_->input_elements, network_->input_elements),
        block.row(0)));
    RunForward(*network_, 1, block.row(0));
    for (std::size_t i = 0; i < network_->output.size; ++i) {
      answers.push_back(
          Answer(*network_, block.row(0) + network_->output.offset, i));
    }
  }
  return answers;
}

}  // namespace relu
