#include "core/plan/compiled_model.h"

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "core/graph/graph.h"
#include "core/plan/compiler.h"
#include "core/plan/step.h"
#include "core/plan/workspace.h"

namespace relu {

absl::StatusOr<CompiledModel> CompiledModel::Compile(
    const Graph& graph, const CompileOptions& options) {
  return Compiler(graph, options).Compile();
}

void CompiledModel::Run(std::int64_t rows, Workspace& workspace) const {
  workspace.ClearFaults();
  for (const std::unique_ptr<const Step>& step : steps_) {
    step->Run({.begin = 0, .end = rows}, workspace);
  }
}

std::string CompiledModel::Describe() const {
  std::string text;
  for (const std::unique_ptr<const Step>& step : steps_) {
    text += step->Describe();
    text += '\n';
  }
  return text;
}

}  // namespace relu
