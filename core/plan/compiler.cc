#include "core/plan/compiler.h"

#include <fmt/format.h>

#include <algorithm>
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
#include "core/graph/row_samples.h"
#include "core/kernels/kernels.h"
#include "core/plan/cast_step.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/concat_step.h"
#include "core/plan/dense_cost_cache.h"
#include "core/plan/dense_layer.h"
#include "core/plan/dense_step.h"
#include "core/plan/interpret_step.h"
#include "core/plan/lower_node.h"
#include "core/plan/plan_builder.h"
#include "core/plan/plan_limits.h"
#include "core/plan/plan_report.h"
#include "core/plan/rewrite.h"
#include "core/plan/step.h"
#include "core/plan/storage.h"
#include "core/plan/weight_memory.h"
#include "core/plan/zero_skip.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

bool IsConverted(DataType type) { return StorageType(type) != type; }

// `rows` stands for the batch dimension.
TensorSignature SignatureOf(const Value& value, std::int64_t rows) {
  TensorSignature signature{.name = value.name,
                            .type = value.type,
                            .shape = WithRows(value.shape, rows),
                            .row_axis = std::nullopt,
                            .row_shape = value.shape,
                            .row_bytes = 0};
  const auto axis = std::ranges::find(value.shape, kBatchDim);
  if (axis != value.shape.end()) {
    const auto place = axis - value.shape.begin();
    signature.row_axis = static_cast<std::size_t>(place);
    signature.row_shape.erase(signature.row_shape.begin() + place);
  }
  signature.row_bytes =
      static_cast<std::size_t>(ElementCount(signature.row_shape).value()) *
      DataTypeSize(value.type);
  return signature;
}

}  // namespace

Compiler::Compiler(const RewrittenGraph& rewritten,
                   const CompileOptions& options, DenseCostCache* costs)
    : rewritten_(rewritten),
      graph_(rewritten.graph),
      options_(options),
      costs_(costs),
      uses_(graph_),
      plan_(graph_),
      activations_(graph_, uses_),
      lowered_(graph_.nodes.size(), false) {}

absl::StatusOr<CompiledModel> Compiler::Compile() {
  if (graph_.couples_rows) {
    return CompileCoupled();
  }
  RETURN_IF_ERROR(CheckRowSizes());
  RETURN_IF_ERROR(FindDenseLayers());
  RETURN_IF_ERROR(TakeWeightMemory());
  ReserveConcatParts();
  AddInputs();
  RETURN_IF_ERROR(LowerNodes());
  ChooseZeroSkip();
  AddOutputs();
  return FinishModel(kMaxWorkspaceRowBytes);
}

absl::StatusOr<CompiledModel> Compiler::FinishModel(std::size_t max_row_bytes) {
  PlanBuilder::Plan plan = plan_.Finish();
  if (plan.workspace_row_bytes > max_row_bytes) {
    return absl::UnimplementedError(fmt::format(
        "the values of one row take {} bytes, the most that is supported is {}",
        plan.workspace_row_bytes, max_row_bytes));
  }
  model_.options_ = options_;
  model_.fixed_rows_ = graph_.fixed_rows;
  model_.weight_bytes_ = plan.constant_bytes;
  model_.scratch_bytes_ = plan.scratch_bytes;
  model_.workspace_row_bytes_ = plan.workspace_row_bytes;
  model_.buffers_ = std::move(plan.buffers);
  model_.steps_ = std::move(plan.steps);
  model_.activations_ = activations_.Take();
  if (!model_.couples_rows_) {
    model_.block_rows_ =
        BlockRows(model_.weight_bytes_, model_.workspace_row_bytes_);
  }
  // Only now do the steps know all of themselves.
  for (std::size_t i = 0; i < model_.steps_.size(); ++i) {
    StepReport& report = model_.report_.steps[i];
    report.text = model_.steps_[i]->Describe();
    report.constant_bytes = model_.steps_[i]->constant_bytes();
  }
  return std::move(model_);
}

absl::StatusOr<CompiledModel> Compiler::CompileCoupled() {
  RETURN_IF_ERROR(CheckCoupledSizes());
  model_.couples_rows_ = true;
  model_.has_batch_dim_ = HasBatchDim(graph_);
  model_.input_buffers_ = AddCoupledTensors(graph_.inputs, model_.inputs_);
  model_.output_buffers_ = AddCoupledTensors(graph_.outputs, model_.outputs_);
  LowerGraphByInterpreter(model_.input_buffers_, model_.output_buffers_, plan_);
  Report(/*first=*/0, {});
  return FinishModel(model_.has_batch_dim_ ? kMaxWorkspaceRowBytes
                                           : kMaxInterpretedBytes);
}

// Before the interpreter takes memory for values.
absl::Status Compiler::CheckCoupledSizes() const {
  std::size_t room_bytes = kMaxInterpretedBytes;
  for (const Value& value : graph_.values) {
    if (value.constant == nullptr && !TakeRoom(value, room_bytes)) {
      return absl::UnimplementedError(fmt::format(
          "value \"{}\", shape {}: with this value, those of {} rows take more "
          "than {} bytes, the most that is supported where rows depend on each "
          "other",
          value.name, ShapeText(value.shape), kInterpretedRows,
          kMaxInterpretedBytes));
    }
  }
  for (const Node& node : graph_.nodes) {
    RETURN_IF_ERROR(CheckProduct(graph_, node));
  }
  for (const ValueId id : graph_.outputs) {
    const Value& value = graph_.values[id];
    if (std::ranges::count(value.shape, kBatchDim) > 1) {
      return absl::UnimplementedError(fmt::format(
          "output \"{}\" has shape {}: only one dimension may be the batch",
          value.name, ShapeText(value.shape)));
    }
  }
  return absl::OkStatus();
}

std::vector<std::size_t> Compiler::AddCoupledTensors(
    const std::vector<ValueId>& values,
    std::vector<TensorSignature>& signatures) {
  std::vector<std::size_t> buffers;
  for (const ValueId id : values) {
    const Value& value = graph_.values[id];
    signatures.push_back(SignatureOf(value, graph_.fixed_rows));
    buffers.push_back(plan_.AddBuffer(signatures.back().row_bytes));
    plan_.KeepAlways(buffers.back());
  }
  return buffers;
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
    TensorSignature signature = SignatureOf(value, graph_.fixed_rows);
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
  Report(/*first=*/0, {});
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
  const std::size_t first = plan_.steps().size();
  if (const absl::Status status = LowerNode(node, plan_);
      absl::IsUnimplemented(status)) {
    RETURN_IF_ERROR(CheckInterpretedSizes(node, status));
    LowerByInterpreter(node, plan_);
  } else {
    RETURN_IF_ERROR(status);
  }
  // The first output of a Split may be nobody's.
  if (plan_.steps().size() > first && plan_.uses().IsUsed(node.outputs[0])) {
    activations_.AddNode(node, plan_.steps().size() - 1,
                         plan_.BufferOf(node.outputs[0]));
  }
  for (const ValueId input : node.inputs) {
    plan_.Release(input);
  }
  Report(first, {index});
  return absl::OkStatus();
}

// `otherwise` if the values of one node are too large for the interpreter.
absl::Status Compiler::CheckInterpretedSizes(
    const Node& node, const absl::Status& otherwise) const {
  std::size_t room_bytes = kMaxInterpretedBytes;
  for (const std::vector<ValueId>* ids : {&node.inputs, &node.outputs}) {
    for (const ValueId id : *ids) {
      if (id != kNoValue && graph_.values[id].constant == nullptr &&
          !TakeRoom(graph_.values[id], room_bytes)) {
        return otherwise;
      }
    }
  }
  return CheckProduct(graph_, node);
}

void Compiler::Report(std::size_t first,
                      const std::vector<std::size_t>& nodes) {
  std::vector<std::size_t> all = nodes;
  for (const std::size_t node : nodes) {
    const std::vector<std::size_t>& absorbed = rewritten_.absorbed[node];
    all.insert(all.end(), absorbed.begin(), absorbed.end());
  }
  std::ranges::sort(all);
  std::vector<std::string> names;
  for (const std::size_t node : all) {
    names.push_back(graph_.nodes[node].name);
  }
  PlanReport& report = model_.report_;
  if (plan_.steps().size() == first) {
    report.nodes_without_step.insert(report.nodes_without_step.end(),
                                     names.begin(), names.end());
  }
  for (std::size_t i = first; i < plan_.steps().size(); ++i) {
    StepReport& entry = report.steps.emplace_back();
    entry.nodes = names;
    if (!nodes.empty()) {
      const auto shape =
          RowShape(graph_.values[graph_.nodes[nodes.back()].outputs[0]]);
      entry.row_shape = {shape.begin(), shape.end()};
    }
  }
}

// Before anything is lowered: layers take in nodes that come before them.
absl::Status Compiler::FindDenseLayers() {
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    if ((node.op != Operator::kGemm && node.op != Operator::kMatMul) ||
        !uses_.IsLive(i) || RowElements(graph_.values[node.outputs[0]]) == 0) {
      continue;
    }
    absl::StatusOr<DenseLayer> layer =
        FindDenseLayer(graph_, uses_, i, lowered_);
    if (absl::IsUnimplemented(layer.status())) {
      continue;  // Left to the interpreter.
    }
    RETURN_IF_ERROR(layer.status());
    for (const std::size_t taken : layer->nodes) {
      lowered_[taken] = taken != i;
    }
    layers_.emplace(i, *std::move(layer));
  }
  return absl::OkStatus();
}

// For all layers together, so that their weights lie in large pages, one after
// the other.
absl::Status Compiler::TakeWeightMemory() {
  std::size_t bytes = 0;
  std::size_t row_bytes = 0;
  for (const auto& [node, layer] : layers_) {
    bytes += DenseStep::PackedBytes(layer, options_.weights);
    if (options_.zero_skip != ZeroSkip::kNever) {
      row_bytes += DenseStep::PackedRowsBytes(layer, options_.weights);
    }
  }
  const std::size_t most = MaxConstantBytes(graph_);
  if (bytes + row_bytes > most) {
    return absl::UnimplementedError(
        fmt::format("the packed weights of the network take {} bytes; the most "
                    "for a file of this size is {}",
                    bytes + row_bytes, most));
  }
  model_.weights_ = WeightMemory(bytes);
  model_.row_weights_ = WeightMemory(row_bytes);
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
  const std::size_t first = plan_.steps().size();
  RETURN_IF_ERROR(ReadWeights(graph_, layer));
  ASSIGN_OR_RETURN(DenseStep* const step,
                   LowerDense(layer, options_.weights, plan_, model_.weights_,
                              options_.zero_skip == ZeroSkip::kNever
                                  ? nullptr
                                  : &model_.row_weights_));
  dense_steps_.push_back(step);
  dense_reports_.push_back(first);
  activations_.AddDense(layer, step->packed(), plan_.steps().size() - 1,
                        plan_.BufferOf(layer.output));
  model_.multiply_adds_ += layer.k * layer.n * layer.vectors_per_row;
  plan_.Release(layer.input);
  layer.weights = {};  // Packed by now.
  Report(first, layer.nodes);
  StepReport& report = model_.report_.steps.back();
  const auto weights = static_cast<std::int64_t>(layer.k * layer.n);
  report.parameters = weights + static_cast<std::int64_t>(layer.n);
  report.multiply_adds =
      weights * static_cast<std::int64_t>(layer.vectors_per_row);
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
  const std::vector<DenseCosts> costs =
      costs_ != nullptr ? costs_->CostsOf(layers) : MeasureDenseCosts(layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto limits = ZeroSkipLimits::FromCosts(costs[i], layers[i].k);
    dense_steps_[i]->SetZeroSkip(limits);
    StepReport& report = model_.report_.steps[dense_reports_[i]];
    report.costs = costs[i];
    report.zero_skip_entries = limits.MaxEntries(1);
  }
  GiveBackRowMemory();
}

// That of layers that skip no zeros.
void Compiler::GiveBackRowMemory() {
  std::size_t needed = 0;
  bool all = true;
  for (const DenseStep* const step : dense_steps_) {
    if (step->SkipsZeros()) {
      needed += WeightMemory::Size(step->row_bytes());
    } else {
      all = all && step->row_bytes() == 0;
    }
  }
  if (all) {
    return;
  }
  WeightMemory memory(needed);
  for (DenseStep* const step : dense_steps_) {
    step->MoveRows(memory);
  }
  model_.row_weights_ = std::move(memory);
}

void Compiler::AddOutputs() {
  const std::size_t first = plan_.steps().size();
  for (const ValueId output : graph_.outputs) {
    const std::size_t buffer = OutputBuffer(output);
    // Rows are computed in blocks: those before this one have their answers.
    plan_.KeepAlways(buffer);
    model_.output_buffers_.push_back(buffer);
    model_.outputs_.push_back(
        SignatureOf(graph_.values[output], graph_.fixed_rows));
  }
  Report(first, {});
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
