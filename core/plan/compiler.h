// Compiler: lowers a graph to the steps and buffers of a CompiledModel.

#ifndef CORE_PLAN_COMPILER_H_
#define CORE_PLAN_COMPILER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/plan/activation_layers.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/dense_cost_cache.h"
#include "core/plan/dense_layer.h"
#include "core/plan/dense_step.h"
#include "core/plan/graph_uses.h"
#include "core/plan/plan_builder.h"
#include "core/plan/plan_limits.h"
#include "core/plan/rewrite.h"
#include "core/tensor/data_type.h"

namespace relu {

// For one use of Compile(), on one thread. Nodes whose results no output needs
// are left out; Reshape, Flatten and casts between floating-point types are
// other names for the same buffer.
class Compiler {
 public:
  // `rewritten` must outlive the compiler.
  // `costs` may be null.
  Compiler(const RewrittenGraph& rewritten, const CompileOptions& options,
           DenseCostCache* costs);

  // Errors: see CompiledModel::Compile().
  absl::StatusOr<CompiledModel> Compile();

 private:
  // Of a graph whose rows depend on each other.
  absl::StatusOr<CompiledModel> CompileCoupled();
  absl::Status CheckCoupledSizes() const;
  std::vector<std::size_t> AddCoupledTensors(
      const std::vector<ValueId>& values,
      std::vector<TensorSignature>& signatures);
  absl::StatusOr<CompiledModel> FinishModel(std::size_t max_row_bytes);

  absl::Status CheckRowSizes() const;
  void AddInputs();
  absl::Status LowerNodes();
  absl::Status LowerNodeAt(std::size_t index);
  absl::Status CheckInterpretedSizes(const Node& node,
                                     const absl::Status& otherwise) const;
  absl::Status FindDenseLayers();
  absl::Status TakeWeightMemory();
  void ReserveConcatParts();
  absl::Status LowerDenseLayer(DenseLayer& layer);
  void ChooseZeroSkip();
  void GiveBackRowMemory();
  void AddOutputs();
  std::size_t OutputBuffer(ValueId output);

  // Reports the steps from number `first` on, of these nodes and what they have
  // absorbed.
  void Report(std::size_t first, const std::vector<std::size_t>& nodes);

  const RewrittenGraph& rewritten_;
  const Graph& graph_;
  const CompileOptions options_;
  DenseCostCache* const costs_;
  GraphUses uses_;
  PlanBuilder plan_;
  ActivationLayerFinder activations_;
  CompiledModel model_;
  std::vector<DenseStep*> dense_steps_;     // Owned by the plan.
  std::vector<std::size_t> dense_reports_;  // Of the steps of the report.
  std::vector<bool> lowered_;  // By node: part of the layer of another node.
  std::map<std::size_t, DenseLayer> layers_;  // By the node of the product.
  // Buffers of inputs and outputs that hold FP64, FP16 or BF16, by the buffer
  // that holds the same value as float32.
  std::map<std::pair<std::size_t, DataType>, std::size_t> converted_buffers_;
};

}  // namespace relu

#endif  // CORE_PLAN_COMPILER_H_
