#include "client/cli/inspect_command.h"

#include "absl/status/status.h"

#include "client/cli/inspect_report.h"
#include "client/cli/outcome.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/plan/compiled_model.h"
#include "core/plan/self_check.h"

namespace relu {

Outcome RunInspect(const InspectOptions& options) {
  const auto graph = ImportOnnx(options.file);
  if (!graph.ok()) {
    return WrongInput(graph.status());
  }
  const auto model = CompiledModel::Compile(*graph);
  if (!model.ok()) {
    return WrongInput(model.status());
  }
  if (const absl::Status status = SelfCheck(*graph, *model); !status.ok()) {
    return WrongInput(status);
  }
  return {.code = ExitCode::kOk,
          .out = options.json ? InspectionJson(*graph, *model)
                              : InspectionText(*graph, *model),
          .err = {}};
}

}  // namespace relu
