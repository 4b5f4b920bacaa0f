#include "tests/benchmark/our_engine.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/status_macros.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/kernels/kernels.h"
#include "tests/benchmark/answers.h"

namespace relu::benchmarks {

std::string OurEngine::version() const { return kernels::InstructionSet(); }

absl::Status OurEngine::Prepare(const Network& network,
                                const Batches& batches) {
  ASSIGN_OR_RETURN(const Graph graph, ImportOnnx(network.model, "."));
  ASSIGN_OR_RETURN(CompiledModel model,
                   CompiledModel::Compile(graph, options_));
  workspace_.reset();
  model_ = std::make_unique<const CompiledModel>(std::move(model));
  workspace_ = std::make_unique<Workspace>(
      *model_, static_cast<std::int64_t>(batches.rows), team_.size());
  outputs_ = MakeOutputs(network, batches.rows);
  batches_ = &batches;
  return absl::OkStatus();
}

void OurEngine::Run(std::size_t batch) {
  const auto rows = static_cast<std::int64_t>(batches_->rows);
  for (std::size_t i = 0; i < batches_->inputs.size(); ++i) {
    const std::span<const std::byte> bytes = batches_->inputs[i].bytes();
    const std::size_t batch_bytes = bytes.size() / batches_->count;
    workspace_->CopyIn(i, 0, rows, bytes.data() + batch * batch_bytes);
  }
  if (team_.size() == 1) {
    model_->Run(rows, *workspace_);
  } else {
    model_->Run(rows, *workspace_, team_);
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    workspace_->CopyOut(i, 0, rows, outputs_[i].bytes().data());
  }
}

std::vector<double> OurEngine::Answers() const { return ElementsOf(outputs_); }

}  // namespace relu::benchmarks
