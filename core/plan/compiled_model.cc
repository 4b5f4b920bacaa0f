#include "core/plan/compiled_model.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "core/base/thread_team.h"
#include "core/graph/graph.h"
#include "core/plan/compiler.h"
#include "core/plan/rewrite.h"
#include "core/plan/step.h"
#include "core/plan/workspace.h"

namespace relu {
namespace {

// Multiply-adds below which a team is not worth its start and its barriers:
// some microseconds of work.
constexpr std::size_t kLeastWorkToShare = 100'000;
// Rows that fill a register tile. Where each member gets two such tiles or
// more, rows are split, not columns.
constexpr std::int64_t kTileRows = 6;

}  // namespace

absl::StatusOr<CompiledModel> CompiledModel::Compile(
    const Graph& graph, const CompileOptions& options) {
  const RewrittenGraph rewritten = Rewrite(graph);
  return Compiler(rewritten, options).Compile();
}

void CompiledModel::Run(std::int64_t rows, Workspace& workspace) const {
  workspace.ClearFaults();
  for (const std::unique_ptr<const Step>& step : steps_) {
    step->Run({.begin = 0, .end = rows}, workspace);
  }
}

void CompiledModel::Run(std::int64_t rows, Workspace& workspace,
                        ThreadTeam& team) const {
  CHECK(static_cast<std::size_t>(team.size()) <= workspace.threads());
  if (multiply_adds_ * static_cast<std::size_t>(rows) < kLeastWorkToShare) {
    Run(rows, workspace);
    return;
  }
  workspace.ClearFaults();
  const std::int64_t tiles = (rows + kTileRows - 1) / kTileRows;
  const bool split_rows = tiles >= 2 * std::int64_t{team.size()};
  const std::int64_t pieces = std::min(tiles, 4 * std::int64_t{team.size()});
  // One step after the other, for rows too: the memory of a buffer may be that
  // of another one, which the rows of another thread still need.
  for (const std::unique_ptr<const Step>& step : steps_) {
    if (split_rows) {
      team.Run(
          static_cast<std::size_t>(pieces), [&](std::size_t i, int member) {
            const auto piece = static_cast<std::int64_t>(i);
            const RowRange range = {
                .begin = tiles * piece / pieces * kTileRows,
                .end = std::min(tiles * (piece + 1) / pieces * kTileRows, rows),
                .thread = static_cast<std::size_t>(member)};
            step->Run(range, workspace);
          });
    } else {
      const std::size_t shares = step->column_shares();
      team.Run(shares, [&](std::size_t share, int member) {
        step->RunColumns({.begin = 0,
                          .end = rows,
                          .thread = static_cast<std::size_t>(member)},
                         {.index = share, .count = shares}, workspace);
      });
    }
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
