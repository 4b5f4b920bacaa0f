#include "core/plan/normalization_step.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/kernels/elementwise.h"
#include "core/plan/channel_affine.h"
#include "core/plan/index_table.h"
#include "core/plan/plan_builder.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/workspace.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

struct NormalizationBuffers {
  std::size_t input = 0;
  std::size_t output = 0;
};

// Scale and shift, each float32 of the size of one run.
struct Constants {
  Tensor scale;
  std::optional<Tensor> shift;

  std::size_t bytes() const {
    return scale.bytes().size() +
           (shift.has_value() ? shift->bytes().size() : 0);
  }
};

class LayerNormStep : public Step {
 public:
  // `count` runs in each row.
  LayerNormStep(Constants constants, float epsilon, std::size_t count,
                const NormalizationBuffers& buffers)
      : constants_(std::move(constants)),
        epsilon_(epsilon),
        count_(count),
        buffers_(buffers) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    const std::size_t size = constants_.scale.As<float>().size();
    const kernels::LayerNormalization layer{
        .scale = constants_.scale.As<float>().data(),
        .shift = constants_.shift.has_value()
                     ? constants_.shift->As<float>().data()
                     : nullptr,
        .epsilon = epsilon_};
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const auto* input = workspace.Row<const float>(buffers_.input, row);
      auto* output = workspace.Row<float>(buffers_.output, row);
      for (std::size_t i = 0; i < count_; ++i) {
        kernels::LayerNorm(layer, size, input + i * size, output + i * size);
      }
    }
  }

  std::string Describe() const override {
    const std::size_t size = constants_.scale.As<float>().size();
    return count_ == 1
               ? fmt::format("layer norm {}", size)
               : fmt::format("layer norm {}, {} times a row", size, count_);
  }

  std::size_t constant_bytes() const override { return constants_.bytes(); }

 private:
  Constants constants_;
  float epsilon_;
  std::size_t count_;
  NormalizationBuffers buffers_;
};

class AffineStep : public Step {
 public:
  AffineStep(Constants constants, const NormalizationBuffers& buffers)
      : constants_(std::move(constants)), buffers_(buffers) {}

  void Run(RowRange rows, Workspace& workspace) const override {
    const auto scale = constants_.scale.As<float>();
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      kernels::Affine(scale.size(),
                      workspace.Row<const float>(buffers_.input, row),
                      scale.data(), constants_.shift->As<float>().data(),
                      workspace.Row<float>(buffers_.output, row));
    }
  }

  std::string Describe() const override {
    return fmt::format("scale and shift {}",
                       constants_.scale.As<float>().size());
  }

  std::size_t constant_bytes() const override { return constants_.bytes(); }

 private:
  Constants constants_;
  NormalizationBuffers buffers_;
};

// A constant parameter of a LayerNormalization, broadcast to one run.
absl::StatusOr<Tensor> ReadRun(const Node& node, const Value& parameter,
                               const Shape& run) {
  std::optional<IndexTable> table;
  if (parameter.constant != nullptr) {
    table = BroadcastTable(parameter.constant->shape(), run);
  }
  if (!table.has_value()) {
    return absl::UnimplementedError(fmt::format(
        "{}: parameter \"{}\" of shape {} must be a constant for {} values",
        NodeText(node), parameter.name, ShapeText(parameter.shape),
        ShapeText(run)));
  }
  const Tensor stored = ToStorage(*parameter.constant);
  Tensor values(DataType::kFp32, run);
  for (std::size_t i = 0; i < table->size(); ++i) {
    values.As<float>()[i] = stored.As<float>()[(*table)[i]];
  }
  return values;
}

absl::Status RequireOneOutput(const Node& node, const PlanBuilder& plan) {
  for (std::size_t i = 1; i < node.outputs.size(); ++i) {
    if (plan.uses().IsUsed(node.outputs[i])) {
      return absl::UnimplementedError(
          fmt::format("{}: only its first output has a step", NodeText(node)));
    }
  }
  return absl::OkStatus();
}

// A float for each element of a row, from one for each channel, which is the
// first dimension of the row.
Tensor SpreadChannels(const std::vector<double>& channels, std::size_t size) {
  Tensor row(DataType::kFp32, {static_cast<std::int64_t>(size)});
  const std::size_t inner = size / channels.size();
  for (std::size_t i = 0; i < size; ++i) {
    row.As<float>()[i] = static_cast<float>(channels[i / inner]);
  }
  return row;
}

}  // namespace

absl::Status LowerLayerNormalization(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  RETURN_IF_ERROR(RequireFloat(node, value));
  RETURN_IF_ERROR(RequireOneOutput(node, plan));
  const auto axis = static_cast<std::ptrdiff_t>(IntAttribute(node, "axis"));
  const Shape run(value.shape.begin() + axis, value.shape.end());
  Constants constants;
  ASSIGN_OR_RETURN(constants.scale,
                   ReadRun(node, plan.value(node.inputs[1]), run));
  if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
    ASSIGN_OR_RETURN(constants.shift,
                     ReadRun(node, plan.value(node.inputs[2]), run));
  }
  const std::size_t count =
      RowElements(value) / constants.scale.As<float>().size();
  NormalizationBuffers buffers{.input = plan.BufferOf(node.inputs[0])};
  buffers.output = plan.DefineInPlace(node.outputs[0], node, /*input=*/0);
  plan.AddStep(std::make_unique<LayerNormStep>(std::move(constants),
                                               FloatAttribute(node, "epsilon"),
                                               count, buffers),
               {buffers.input, buffers.output});
  return absl::OkStatus();
}

absl::Status LowerBatchNormalization(const Node& node, PlanBuilder& plan) {
  const Value& value = plan.value(node.inputs[0]);
  RETURN_IF_ERROR(RequireFloat(node, value));
  RETURN_IF_ERROR(RequireOneOutput(node, plan));
  ASSIGN_OR_RETURN(const ChannelAffine affine,
                   ReadBatchNormalization(plan.graph(), node));
  const std::size_t size = RowElements(value);
  Constants constants{.scale = SpreadChannels(affine.scale, size),
                      .shift = SpreadChannels(affine.shift, size)};
  NormalizationBuffers buffers{.input = plan.BufferOf(node.inputs[0])};
  buffers.output = plan.DefineInPlace(node.outputs[0], node, /*input=*/0);
  plan.AddStep(std::make_unique<AffineStep>(std::move(constants), buffers),
               {buffers.input, buffers.output});
  return absl::OkStatus();
}

}  // namespace relu
