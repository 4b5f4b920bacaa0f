#include "core/batching/shared_values.h"

#include <algorithm>
#include <cstddef>

#include "core/plan/compiled_model.h"
#include "core/plan/step.h"
#include "core/plan/workspace.h"

namespace relu {

std::size_t SharedValues::OwnBytes(std::size_t row_bytes) const {
  for (const Piece& piece : pieces) {
    row_bytes -= piece.bytes;
  }
  return row_bytes;
}

std::size_t SharedValues::PlaceOfShared(std::size_t byte) const {
  auto piece = pieces.begin();
  for (; byte >= piece->bytes; ++piece) {
    byte -= piece->bytes;
  }
  return piece->offset_bytes + byte;
}

std::size_t SharedValues::PlaceOfOwn(std::size_t byte) const {
  for (const Piece& piece : pieces) {
    if (byte < piece.offset_bytes) {
      break;
    }
    byte += piece.bytes;
  }
  return byte;
}

void CopyWholeRow(const SharedValues& shared, const std::byte* own,
                  std::size_t row_bytes, std::byte* row) {
  const std::byte* common = shared.values;
  std::size_t done = 0;
  const auto copy = [&](const std::byte*& from, std::size_t bytes) {
    std::copy_n(from, bytes, row + done);
    from += bytes;
    done += bytes;
  };
  for (const SharedValues::Piece& piece : shared.pieces) {
    copy(own, piece.offset_bytes - done);
    copy(common, piece.bytes);
  }
  copy(own, row_bytes - done);
}

void GatherShared(const CompiledModel& model, std::size_t index,
                  const SharedValues& shared, const std::byte* own,
                  RowRange rows, Workspace& workspace) {
  const std::size_t row_bytes = model.inputs()[index].row_bytes;
  const std::size_t own_bytes = shared.OwnBytes(row_bytes);
  const std::byte* common = shared.values;
  std::size_t done = 0;  // Bytes of each row.
  const auto copy_own = [&](std::size_t end) {
    if (done < end) {
      workspace.CopyColumnsIn(index, rows.begin, rows.size(),
                              {.offset_bytes = done,
                               .bytes = end - done,
                               .source = own,
                               .source_stride_bytes = own_bytes});
      own += end - done;
      done = end;
    }
  };
  for (const SharedValues::Piece& piece : shared.pieces) {
    copy_own(piece.offset_bytes);
    workspace.CopyColumnsIn(index, rows.begin, rows.size(),
                            {.offset_bytes = piece.offset_bytes,
                             .bytes = piece.bytes,
                             .source = common,
                             .source_stride_bytes = 0});
    common += piece.bytes;
    done += piece.bytes;
  }
  copy_own(row_bytes);
}

}  // namespace relu
