#include "core/plan/compiled_model.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "core/base/thread_team.h"
#include "core/graph/graph.h"
#include "core/plan/activation_layers.h"
#include "core/plan/compiler.h"
#include "core/plan/rewrite.h"
#include "core/plan/step.h"
#include "core/plan/workspace.h"

namespace relu {
namespace {

// Multiply-adds below which a team is not worth its start and its barriers:
// some microseconds of work.
constexpr std::size_t kLeastWorkToShare = 100'000;
// The fewest rows of a piece: as many as make the reading of all weights cheap.
constexpr std::int64_t kLeastPieceRows = 16;
// Rows of a piece beyond which it is split, so that a member that lost its CPU
// for a while does not keep the others waiting.
constexpr std::int64_t kManyPieceRows = 64;
constexpr std::int64_t kMostPiecesPerMember = 4;

}  // namespace

absl::StatusOr<CompiledModel> CompiledModel::Compile(
    const Graph& graph, const CompileOptions& options, DenseCostCache* costs) {
  const RewrittenGraph rewritten = Rewrite(graph);
  return Compiler(rewritten, options, costs).Compile();
}

void CompiledModel::Run(std::int64_t rows, Workspace& workspace) const {
  workspace.ClearFaults();
  if (rows <= block_rows_) {
    RunBlock({.begin = 0, .end = rows}, workspace);
    return;
  }
  // Blocks of the same size, but for one row.
  const std::int64_t blocks = (rows - 1) / block_rows_ + 1;
  for (std::int64_t i = 0; i < blocks; ++i) {
    RunBlock({.begin = rows * i / blocks, .end = rows * (i + 1) / blocks},
             workspace);
  }
}

void CompiledModel::RunBlock(RowRange rows, Workspace& workspace) const {
  for (const std::unique_ptr<const Step>& step : steps_) {
    step->Run(rows, workspace);
  }
}

void CompiledModel::Run(std::int64_t rows, Workspace& workspace,
                        ThreadTeam& team, Sharing sharing) const {
  CHECK(static_cast<std::size_t>(team.size()) <= workspace.threads());
  if (sharing == Sharing::kAutomatic &&
      multiply_adds_ * static_cast<std::size_t>(rows) < kLeastWorkToShare) {
    Run(rows, workspace);
    return;
  }
  workspace.ClearFaults();
  const bool many_rows = rows >= kLeastPieceRows * team.size();
  if (sharing == Sharing::kAutomatic) {
    sharing = many_rows ? Sharing::kRows : Sharing::kColumns;
  }
  if (sharing == Sharing::kRows) {
    RunRows(rows, workspace, team);
  } else {
    RunColumns(rows, workspace, team);
  }
}

// One step after the other: the memory of a buffer may be that of another one,
// which the rows of another thread still need.
void CompiledModel::RunRows(std::int64_t rows, Workspace& workspace,
                            ThreadTeam& team) const {
  const std::int64_t pieces =
      std::min(rows, team.size() * std::clamp<std::int64_t>(
                                       rows / (kManyPieceRows * team.size()), 1,
                                       kMostPiecesPerMember));
  team.Run(
      steps_.size(),
      [&](std::size_t) { return static_cast<std::size_t>(pieces); },
      [&](std::size_t step, std::size_t i, int member) {
        const auto piece = static_cast<std::int64_t>(i);
        steps_[step]->Run({.begin = rows * piece / pieces,
                           .end = rows * (piece + 1) / pieces,
                           .thread = static_cast<std::size_t>(member)},
                          workspace);
      });
}

void CompiledModel::RunColumns(std::int64_t rows, Workspace& workspace,
                               ThreadTeam& team) const {
  // One share each: where zeros are skipped, all shares look for them.
  const auto shares = [&](std::size_t step) {
    return std::min(steps_[step]->column_shares(),
                    static_cast<std::size_t>(team.size()));
  };
  team.Run(steps_.size(), shares,
           [&](std::size_t step, std::size_t share, int member) {
             steps_[step]->RunColumns(
                 {.begin = 0,
                  .end = rows,
                  .thread = static_cast<std::size_t>(member)},
                 {.index = share, .count = shares(step)}, workspace);
           });
}

void CompiledModel::RunObserved(std::int64_t rows, Workspace& workspace,
                                Observer observer) const {
  workspace.ClearFaults();
  std::size_t next = 0;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    steps_[i]->Run({.begin = 0, .end = rows}, workspace);
    for (; next < activations_.size() && activations_[next].step == i; ++next) {
      observer(next);
    }
  }
}

std::span<const float> CompiledModel::ActivationRow(
    std::size_t activation, std::int64_t row,
    const Workspace& workspace) const {
  const ActivationLayer& layer = activations_[activation];
  return {workspace.Row<const float>(layer.buffer, row), layer.neurons};
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
