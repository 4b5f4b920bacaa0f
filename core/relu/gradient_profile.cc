#include "core/relu/gradient_profile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/aligned_buffer.h"
#include "core/base/status_macros.h"
#include "core/relu/dense_op.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"

namespace relu {
namespace {

// One row of the network and the way back.
class GradientRow {
 public:
  explicit GradientRow(const PiecewiseNetwork& network)
      : network_(network),
        values_(network.row_floats * sizeof(float)),
        adjoints_(network.row_floats * sizeof(float)),
        memory_(network, 1) {}

  // Sets the adjoints of all values.
  absl::Status Run(std::span<const double> elements, Activations activations) {
    const std::span<float> values = values_.As<float>();
    const std::span<float> adjoints = adjoints_.As<float>();
    RETURN_IF_ERROR(FillLeaves(network_, elements, values.data()));
    RunForward(network_, 1, values.data(), memory_, activations);
    std::ranges::fill(adjoints, 0.0F);
    const auto [offset, size] = network_.output;
    const auto largest =
        std::ranges::max_element(values.subspan(offset, size)) - values.begin();
    adjoints[static_cast<std::size_t>(largest)] = 1.0F;
    RunBackward(network_, {}, values.data(), adjoints.data(), memory_,
                activations);
    return absl::OkStatus();
  }

  // Of the gradient by a slot: the square of its length.
  double Square(const Slot& slot) {
    double sum = 0.0;
    for (const float adjoint :
         adjoints_.As<float>().subspan(slot.offset, slot.size)) {
      sum += double{adjoint} * double{adjoint};
    }
    return sum;
  }

 private:
  const PiecewiseNetwork& network_;
  AlignedBuffer values_;
  AlignedBuffer adjoints_;
  PassMemory memory_;
};

}  // namespace

absl::StatusOr<std::vector<GradientProfile>> ProfileGradients(
    const PiecewiseNetwork& network, const InputRows& rows,
    std::int64_t most_rows) {
  std::vector<GradientProfile> profiles;
  for (std::size_t i = 0; i < network.ops.size(); ++i) {
    if (std::holds_alternative<DenseOp>(network.ops[i])) {
      profiles.push_back({.op = i});
    }
  }
  const std::int64_t count = std::min(rows.rows, most_rows);
  GradientRow row(network);
  const auto add = [&](std::int64_t i, Activations activations,
                       double GradientProfile::*field) -> absl::Status {
    const auto first = static_cast<std::size_t>(i * rows.rows / count) *
                       network.input_elements;
    RETURN_IF_ERROR(
        row.Run(std::span(rows.elements).subspan(first, network.input_elements),
                activations));
    for (GradientProfile& profile : profiles) {
      profile.*field +=
          row.Square(std::get<DenseOp>(network.ops[profile.op]).output) /
          static_cast<double>(count);
    }
    return absl::OkStatus();
  };
  for (std::int64_t i = 0; i < count; ++i) {
    RETURN_IF_ERROR(add(i, Activations::kOwn, &GradientProfile::own));
    RETURN_IF_ERROR(add(i, Activations::kTanh, &GradientProfile::tanh));
    RETURN_IF_ERROR(add(i, Activations::kSigmoid, &GradientProfile::sigmoid));
  }
  for (GradientProfile& profile : profiles) {
    profile.own = std::sqrt(profile.own);
    profile.tanh = std::sqrt(profile.tanh);
    profile.sigmoid = std::sqrt(profile.sigmoid);
  }
  return profiles;
}

}  // namespace relu
