#include "core/plan/compiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/kernels/kernels.h"
#include "core/plan/cast_step.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/concat_step.h"
#include "core/plan/dense_layer.h"
#include "core/plan/dense_step.h"
#include "core/plan/lower_node.h"
#include "core/plan/plan_builder.h"
#include "core/plan/storage.h"
#include "core/plan/zero_skip.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

bool IsConverted(DataType type) { return StorageType(type) != type; }

// Weights grow when they are packed (16 columns at least, FP16 to float32), so
// by 32 times at most, and small constants are expanded to rows. More than this
// comes from no trained network, but could come from a hostile file.
std::size_t MaxConstantBytes(const Graph& graph) {
  std::size_t graph_bytes = 0;
  for (const auto& constant : graph.constants) {
    graph_bytes += constant->bytes().size();
  }
  return (std::size_t{32} << 20) + 32 * graph_bytes;
}

absl::Status CheckRowSize(const Value& value) {
  if (!value.is_batched()) {
    return absl::UnimplementedError(
        fmt::format("value \"{}\", shape {}, is the same for all rows; only "
                    "values with the batch dimension first are supported",
                    value.name, ShapeText(value.shape)));
  }
  const std::optional<std::int64_t> count = ElementCount(RowShape(value));
  const std::size_t most = kMaxWorkspaceRowBytes / DataTypeSize(value.type);
  if (!count.has_value() || static_cast<std::size_t>(*count) > most) {
    return absl::UnimplementedError(fmt::format(
        "value \"{}\", shape {}: a row has more than {} elements, the most "
        "that is supported",
        value.name, ShapeText(value.shape), most));
  }
  return absl::OkStatus();
}

TensorSignature SignatureOf(const Value& value) {
  const auto row_shape = RowShape(value);
  return {.name = value.name,
          .type = value.type,
          .row_shape = Shape(row_shape.begin(), row_shape.end()),
          .row_bytes = RowElements(value) * DataTypeSize(value.type)};
}

}  // namespace

Compiler::Compiler(const Graph& graph, const CompileOptions& options)
    : graph_(graph),
      options_(options),
      uses_(graph),
      plan_(graph),
      lowered_(graph.nodes.size(), false) {}

absl::StatusOr<CompiledModel> Compiler::Compile() {
  RETURN_IF_ERROR(CheckRowSizes());
  RETURN_IF_ERROR(FindDenseLayers());
  ReserveConcatParts();
  AddInputs();
  RETURN_IF_ERROR(LowerNodes());
  ChooseZeroSkip();
  AddOutputs();
  model_.options_ = options_;
  model_.fixed_rows_ = graph_.fixed_rows;
  PlanBuilder::Plan plan = plan_.Finish();
  model_.weight_bytes_ = plan.constant_bytes;
  model_.scratch_bytes_ = plan.scratch_bytes;
  if (plan.workspace_row_bytes > kMaxWorkspaceRowBytes) {
    return absl::UnimplementedError(fmt::format(
        "the values of one row take {} bytes, the most that is supported is {}",
        plan.workspace_row_bytes, kMaxWorkspaceRowBytes));
  }
  model_.workspace_row_bytes_ = plan.workspace_row_bytes;
  model_.buffers_ = std::move(plan.buffers);
  model_.steps_ = std::move(plan.steps);
  return std::move(model_);
}

absl::Status Compiler::CheckRowSizes() const {
  std::vector<ValueId> values = graph_.inputs;
  values.insert(values.end(), graph_.outputs.begin(), graph_.outputs.end());
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (uses_.IsLive(i)) {
      const std::vector<ValueId>& outputs = graph_.nodes[i].outputs;
      values.insert(values.end(), outputs.begin(), outputs.end());
    }
  }
  for (const ValueId value : values) {
    RETURN_IF_ERROR(CheckRowSize(graph_.values[value]));
  }
  return absl::OkStatus();
}

void Compiler::AddInputs() {
  for (const ValueId input : graph_.inputs) {
    const Value& value = graph_.values[input];
    TensorSignature signature = SignatureOf(value);
    const std::size_t buffer = plan_.AddBuffer(signature.row_bytes);
    plan_.KeepAlways(buffer);
    model_.input_buffers_.push_back(buffer);
    model_.inputs_.push_back(std::move(signature));
    if (!IsConverted(value.type)) {
      plan_.Place(input, buffer);
    } else if (uses_.IsUsed(input)) {
      const std::size_t stored = plan_.Define(input);
      plan_.ProtectContent(stored);  // An output may be the same value.
      converted_buffers_[{stored, value.type}] = buffer;
      AddConversion({.from = value.type,
                     .to = DataType::kFp32,
                     .elements = RowElements(value),
                     .input = buffer,
                     .output = stored},
                    plan_);
    }
  }
}

absl::Status Compiler::LowerNodes() {
  const std::size_t max_constant_bytes = MaxConstantBytes(graph_);
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (!uses_.IsLive(i) || lowered_[i]) {
      continue;
    }
    RETURN_IF_ERROR(LowerNodeAt(i));
    if (plan_.constant_bytes() > max_constant_bytes) {
      return absl::UnimplementedError(fmt::format(
          "{}: with this node the constants of the network, expanded, take {} "
          "bytes; the most for a file of this size is {}",
          NodeText(graph_.nodes[i]), plan_.constant_bytes(),
          max_constant_bytes));
    }
  }
  return absl::OkStatus();
}

absl::Status Compiler::LowerNodeAt(std::size_t index) {
  const Node& node = graph_.nodes[index];
  const auto is_empty = [this](ValueId output) {
    return RowElements(graph_.values[output]) == 0;
  };
  if (std::ranges::all_of(node.outputs, is_empty)) {
    for (const ValueId output : node.outputs) {
      plan_.Define(output);  // Nothing to compute.
    }
    return absl::OkStatus();
  }
  const auto layer = layers_.find(index);
  if (layer != layers_.end()) {
    return LowerDenseLayer(layer->second);
  }
  RETURN_IF_ERROR(LowerNode(node, plan_));
  for (const ValueId input : node.inputs) {
    plan_.Release(input);
  }
  return absl::OkStatus();
}

// Before anything is lowered: layers take in nodes that come before them.
absl::Status Compiler::FindDenseLayers() {
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    if ((node.op != Operator::kGemm && node.op != Operator::kMatMul) ||
        !uses_.IsLive(i) || RowElements(graph_.values[node.outputs[0]]) == 0) {
      continue;
    }
    ASSIGN_OR_RETURN(DenseLayer layer,
                     FindDenseLayer(graph_, uses_, i, lowered_));
    for (const std::size_t taken : layer.nodes) {
      lowered_[taken] = taken != i;
    }
    layers_.emplace(i, std::move(layer));
  }
  return absl::OkStatus();
}

// The last one first: its parts may be results of others.
void Compiler::ReserveConcatParts() {
  for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
    if (graph_.nodes[i].op == Operator::kConcat && uses_.IsLive(i)) {
      ReserveParts(graph_.nodes[i], plan_);
    }
  }
}

absl::Status Compiler::LowerDenseLayer(DenseLayer& layer) {
  RETURN_IF_ERROR(ReadWeights(graph_, layer));
  ASSIGN_OR_RETURN(DenseStep* const step,
                   LowerDense(layer, options_.weights, plan_));
  dense_steps_.push_back(step);
  model_.multiply_adds_ += layer.k * layer.n * layer.vectors_per_row;
  plan_.Release(layer.input);
  layer.weights = {};  // Packed by now.
  return absl::OkStatus();
}

void Compiler::ChooseZeroSkip() {
  if (options_.zero_skip != ZeroSkip::kMeasured) {
    const bool always = options_.zero_skip == ZeroSkip::kAlways;
    for (DenseStep* const step : dense_steps_) {
      step->SetZeroSkip(always ? ZeroSkipLimits::Always()
                               : ZeroSkipLimits::Never());
    }
    return;
  }
  std::vector<kernels::PackedDense> layers;
  for (const DenseStep* const step : dense_steps_) {
    layers.push_back(step->packed());
  }
  const std::vector<DenseCosts> costs = MeasureDenseCosts(layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    dense_steps_[i]->SetZeroSkip(
        ZeroSkipLimits::FromCosts(costs[i], layers[i].k));
  }
}

void Compiler::AddOutputs() {
  for (const ValueId output : graph_.outputs) {
    const std::size_t buffer = OutputBuffer(output);
    plan_.KeepToEnd(buffer);
    model_.output_buffers_.push_back(buffer);
    model_.outputs_.push_back(SignatureOf(graph_.values[output]));
  }
}

// The buffer that holds an output in the type that the model declares.
std::size_t Compiler::OutputBuffer(ValueId output) {
  const Value& value = graph_.values[output];
  const std::size_t computed = plan_.BufferOf(output);
  if (!IsConverted(value.type)) {
    return computed;
  }
  const auto [entry, is_new] =
      converted_buffers_.try_emplace({computed, value.type}, 0);
  if (is_new) {
    entry->second =
        plan_.AddBuffer(RowElements(value) * DataTypeSize(value.type));
    AddConversion({.from = DataType::kFp32,
                   .to = value.type,
                   .elements = RowElements(value),
                   .input = computed,
                   .output = entry->second},
                  plan_);
  }
  return entry->second;
}

}  // namespace relu
