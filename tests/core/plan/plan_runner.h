// Compiles and runs graphs made by hand, for the tests of this folder.

#ifndef TESTS_CORE_PLAN_PLAN_RUNNER_H_
#define TESTS_CORE_PLAN_PLAN_RUNNER_H_

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

#include "core/base/check.h"
#include "core/graph/graph.h"
#include "core/plan/compile_options.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {

// What a test cannot go on without.
inline CompiledModel CompileOrDie(const Graph& graph,
                                  const CompileOptions& options = {}) {
  absl::StatusOr<CompiledModel> model = CompiledModel::Compile(graph, options);
  if (!model.ok()) {
    ADD_FAILURE() << model.status();
  }
  CHECK(model.ok());
  return *std::move(model);
}

struct PlanRun {
  std::vector<Tensor> outputs;
  std::optional<std::string> fault;  // Of any row.
};

// The first `rows` rows of every output of the last run.
inline std::vector<Tensor> OutputsOf(const CompiledModel& model,
                                     const Workspace& workspace,
                                     std::int64_t rows) {
  std::vector<Tensor> outputs;
  for (std::size_t i = 0; i < model.outputs().size(); ++i) {
    Shape shape{rows};
    const Shape& row_shape = model.outputs()[i].row_shape;
    shape.insert(shape.end(), row_shape.begin(), row_shape.end());
    Tensor& output = outputs.emplace_back(model.outputs()[i].type, shape);
    workspace.CopyOut(i, 0, rows, output.bytes().data());
  }
  return outputs;
}

// Runs `model` on inputs whose first dimension counts the rows.
inline PlanRun RunPlan(const CompiledModel& model,
                       const std::vector<Tensor>& inputs) {
  const std::int64_t rows = inputs[0].shape()[0];
  Workspace workspace(model, rows);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    workspace.CopyIn(i, 0, rows, inputs[i].bytes().data());
  }
  model.Run(rows, workspace);
  PlanRun run;
  if (const auto fault = workspace.Fault(0, rows)) {
    run.fault = fmt::format("row {}: {}", fault->row, fault->reason);
  }
  run.outputs = OutputsOf(model, workspace, rows);
  return run;
}

// A vector with one tensor (tensors cannot be copied from a braced list).
inline std::vector<Tensor> OneTensor(Tensor tensor) {
  std::vector<Tensor> tensors;
  tensors.push_back(std::move(tensor));
  return tensors;
}

inline std::vector<Tensor> TwoTensors(Tensor first, Tensor second) {
  std::vector<Tensor> tensors = OneTensor(std::move(first));
  tensors.push_back(std::move(second));
  return tensors;
}

inline bool SameBits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.type() == b.type() &&
         (a.bytes().empty() || std::memcmp(a.bytes().data(), b.bytes().data(),
                                           a.bytes().size()) == 0);
}

}  // namespace relu

#endif  // TESTS_CORE_PLAN_PLAN_RUNNER_H_
