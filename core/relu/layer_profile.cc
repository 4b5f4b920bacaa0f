#include "core/relu/layer_profile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/aligned_buffer.h"
#include "core/base/status_macros.h"
#include "core/relu/dense_op.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/packed_product.h"
#include "core/relu/piecewise_linear.h"
#include "core/relu/piecewise_network.h"

namespace relu {
namespace {

double Length(const std::vector<double>& vector) {
  double sum = 0.0;
  for (const double value : vector) {
    sum += value * value;
  }
  return std::sqrt(sum);
}

// Power iteration on W W^T, from a random vector (a fixed seed): after so many
// steps the figure has four digits or more unless the two largest values are
// nearly equal, and then it lies between them. Never above the true one.
double SpectralNorm(const DenseOp& op) {
  constexpr int kSteps = 200;
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  std::vector<double> input(op.forward.k);
  for (double& value : input) {
    value = normal(random);
  }
  double norm = 0.0;
  for (int step = 0; step < kSteps; ++step) {
    const double length = Length(input);
    if (length == 0.0) {
      return 0.0;
    }
    for (double& value : input) {
      value /= length;
    }
    std::vector<double> output(op.forward.n);
    AddProduct(op.forward, input.data(), output.data());
    norm = Length(output);
    std::ranges::fill(input, 0.0);
    AddProduct(op.backward, output.data(), input.data());
  }
  return norm;
}

LayerProfile ProfileOf(const DenseOp& op, std::size_t index) {
  LayerProfile profile{
      .op = index, .inputs = op.forward.k, .outputs = op.forward.n};
  double squares = 0.0;
  for (const double weight : UnpackWeights(op.forward)) {
    squares += weight * weight;
    profile.zero_weights += weight == 0.0 ? 1 : 0;
  }
  const auto outputs = static_cast<double>(op.forward.n);
  // sqrt(squares / (inputs * outputs)) * sqrt(inputs / 2).
  profile.gain = std::sqrt(squares / outputs / 2.0);
  profile.spectral_norm = SpectralNorm(op);
  return profile;
}

void Count(const PiecewiseNetwork& network, const float* row,
           ActivationProfile& profile) {
  const auto& op = std::get<ActivationOp>(network.ops[profile.op]);
  std::int64_t zeros = 0;
  for (std::size_t i = 0; i < op.input.size; ++i) {
    const float input = row[op.input.offset + i];
    profile.largest_input =
        std::max(profile.largest_input, std::abs(double{input}));
    profile.on[i] += op.function(i).PieceOf(input) > 0 ? 1 : 0;
    zeros += row[op.output.offset + i] == 0.0F ? 1 : 0;
  }
  profile.zeros += static_cast<double>(zeros);
  ++profile.rows;
}

}  // namespace

std::vector<LayerProfile> ProfileLayers(const PiecewiseNetwork& network) {
  std::vector<LayerProfile> profiles;
  for (std::size_t i = 0; i < network.ops.size(); ++i) {
    if (const auto* const op = std::get_if<DenseOp>(&network.ops[i])) {
      profiles.push_back(ProfileOf(*op, i));
    }
  }
  return profiles;
}

std::int64_t ActivationProfile::dead() const {
  return std::ranges::count(on, 0);
}

std::int64_t ActivationProfile::always_on() const {
  return std::ranges::count(on, rows);
}

absl::StatusOr<std::vector<ActivationProfile>> ProfileActivations(
    const PiecewiseNetwork& network, const InputRows& rows) {
  std::vector<ActivationProfile> profiles;
  for (std::size_t i = 0; i < network.ops.size(); ++i) {
    if (const auto* const op = std::get_if<ActivationOp>(&network.ops[i])) {
      ActivationProfile& profile = profiles.emplace_back();
      profile.op = i;
      profile.neurons = op->input.size;
      profile.on.resize(op->input.size);
    }
  }
  AlignedBuffer memory(network.row_floats * sizeof(float));
  float* const row = memory.As<float>().data();
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    const auto first = static_cast<std::size_t>(i) * network.input_elements;
    RETURN_IF_ERROR(FillLeaves(
        network,
        std::span(rows.elements).subspan(first, network.input_elements), row));
    RunForward(network, 1, row);
    for (ActivationProfile& profile : profiles) {
      Count(network, row, profile);
    }
  }
  for (ActivationProfile& profile : profiles) {
    const double outputs = static_cast<double>(profile.rows) *
                           static_cast<double>(profile.neurons);
    profile.zeros = outputs == 0.0 ? 0.0 : profile.zeros / outputs;
  }
  return profiles;
}

}  // namespace relu
