// SharedValues: what the rows of a request have in common: it comes once, and
// is copied to each row when the rows are gathered.

#ifndef CORE_BATCHING_SHARED_VALUES_H_
#define CORE_BATCHING_SHARED_VALUES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/plan/compiled_model.h"
#include "core/plan/step.h"
#include "core/plan/workspace.h"

namespace relu {

// Of one input of a model. None: the rows have nothing in common.
struct SharedValues {
  // Bytes of a row.
  struct Piece {
    std::size_t offset_bytes = 0;
    std::size_t bytes = 0;
  };

  // Ascending; they do not overlap.
  std::vector<Piece> pieces;
  // Of the pieces, one after the other. Borrowed. No alignment needed.
  const std::byte* values = nullptr;

  // Bytes of a row that are its own.
  std::size_t OwnBytes(std::size_t row_bytes) const;

  // Where in a row byte `byte` of `values` lies, and that of a row's own bytes.
  std::size_t PlaceOfShared(std::size_t byte) const;
  std::size_t PlaceOfOwn(std::size_t byte) const;
};

// Puts a row of an input together: `shared`, and of `own` the rest. `row` has
// room for row_bytes. `own` may be nullptr if there is no rest.
void CopyWholeRow(const SharedValues& shared, const std::byte* own,
                  std::size_t row_bytes, std::byte* row);

// Fills the rows of input `index` of `model` from `first_row` on, `rows` of
// them: with `shared` and, of `own`, the rest of each row. `own` is that of the
// first of these rows; nullptr if there is none.
void GatherShared(const CompiledModel& model, std::size_t index,
                  const SharedValues& shared, const std::byte* own,
                  RowRange rows, Workspace& workspace);

}  // namespace relu

#endif  // CORE_BATCHING_SHARED_VALUES_H_
