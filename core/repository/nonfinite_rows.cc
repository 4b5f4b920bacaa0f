#include "core/repository/nonfinite_rows.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/functional/function_ref.h"

#include "core/batching/shared_values.h"
#include "core/relu/nonfinite.h"
#include "core/repository/row_marks.h"
#include "core/tensor/data_type.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Where an element of a tensor is.
struct ElementPlace {
  std::int64_t row = 0;
  std::size_t element = 0;  // Of the row.
};

// That of element `element` of a whole tensor.
ElementPlace PlaceOf(const TensorSignature& signature, std::int64_t rows,
                     std::size_t element) {
  if (!signature.row_axis.has_value()) {
    return {.row = 0, .element = element};
  }
  std::size_t inner = 1;  // Elements between those of a row and of the next.
  for (std::size_t axis = *signature.row_axis + 1;
       axis < signature.shape.size(); ++axis) {
    inner *= static_cast<std::size_t>(signature.shape[axis]);
  }
  const auto row_count = static_cast<std::size_t>(rows);
  return {.row = static_cast<std::int64_t>(element / inner % row_count),
          .element = element / inner / row_count * inner + element % inner};
}

bool BytesAreFinite(DataType type, std::size_t bytes, const std::byte* values) {
  return bytes == 0 || AllFinite(type, bytes / DataTypeSize(type), values);
}

bool InputsAreFinite(const CompiledModel& compiled,
                     const InferenceRequest& request) {
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    const TensorSignature& signature = compiled.inputs()[i];
    std::size_t own_bytes = signature.Bytes(request.rows);
    if (!request.shared.empty()) {
      const SharedValues& shared = request.shared[i];
      const std::size_t row_bytes = shared.OwnBytes(signature.row_bytes);
      if (!BytesAreFinite(signature.type, signature.row_bytes - row_bytes,
                          shared.values)) {
        return false;
      }
      own_bytes = row_bytes * static_cast<std::size_t>(request.rows);
    }
    if (!BytesAreFinite(signature.type, own_bytes, request.inputs[i])) {
      return false;
    }
  }
  return true;
}

bool OutputsAreFinite(const CompiledModel& compiled,
                      const InferenceRequest& request) {
  for (std::size_t i = 0; i < request.outputs.size(); ++i) {
    const TensorSignature& signature = compiled.outputs()[i];
    if (request.outputs[i] != nullptr &&
        !BytesAreFinite(signature.type, signature.Bytes(request.rows),
                        request.outputs[i])) {
      return false;
    }
  }
  return true;
}

// Calls `visit` with the place in bytes, and the value, of each that is not
// finite.
void VisitBytes(DataType type, std::size_t bytes, const std::byte* values,
                absl::FunctionRef<void(std::size_t byte, double value)> visit) {
  const std::size_t size = DataTypeSize(type);
  if (BytesAreFinite(type, bytes, values)) {
    return;
  }
  VisitNonfinite(
      type, bytes / size, values,
      [&](std::size_t element, double value) { visit(element * size, value); });
}

// Of the tensors of one request, one after the other.
class NonfiniteSearch {
 public:
  explicit NonfiniteSearch(std::int64_t rows) : rows_(rows) {}

  // A tensor of whole rows.
  void Whole(const TensorSignature& signature, const std::byte* values) {
    const std::size_t size = DataTypeSize(signature.type);
    VisitBytes(signature.type, signature.Bytes(rows_), values,
               [&](std::size_t byte, double value) {
                 CountInRow(signature, PlaceOf(signature, rows_, byte / size),
                            value);
               });
  }

  // What all rows of an input share.
  void Shared(const TensorSignature& signature, const SharedValues& shared) {
    const std::size_t size = DataTypeSize(signature.type);
    const std::int64_t before = found_.shared_values;
    VisitBytes(signature.type,
               signature.row_bytes - shared.OwnBytes(signature.row_bytes),
               shared.values, [&](std::size_t byte, double value) {
                 ++found_.shared_values;
                 Count(value, static_cast<std::uint64_t>(rows_));
                 if (found_.first.empty()) {
                   found_.first = fmt::format(
                       "\"{}\": element {}, which all rows share, is {}",
                       signature.name, shared.PlaceOfShared(byte) / size,
                       value);
                 }
               });
    if (found_.shared_values > before) {
      marks().MarkAll();
    }
  }

  // What each row has beside that.
  void Own(const TensorSignature& signature, const SharedValues& shared,
           const std::byte* values) {
    const std::size_t size = DataTypeSize(signature.type);
    const std::size_t own_bytes = shared.OwnBytes(signature.row_bytes);
    VisitBytes(signature.type, own_bytes * static_cast<std::size_t>(rows_),
               values, [&](std::size_t byte, double value) {
                 CountInRow(
                     signature,
                     {.row = static_cast<std::int64_t>(byte / own_bytes),
                      .element = shared.PlaceOfOwn(byte % own_bytes) / size},
                     value);
               });
  }

  NonfiniteRows Take() {
    found_.counts.rows =
        marks_.has_value() ? static_cast<std::uint64_t>(marks_->count()) : 0;
    return std::move(found_);
  }

 private:
  void Count(double value, std::uint64_t times) {
    (std::isnan(value) ? found_.counts.nans : found_.counts.infinities) +=
        times;
  }

  void CountInRow(const TensorSignature& signature, const ElementPlace& place,
                  double value) {
    Count(value, 1);
    marks().Mark(place.row);
    if (found_.first.empty()) {
      found_.first =
          fmt::format("\"{}\": row {}, element {} is {}", signature.name,
                      place.row, place.element, value);
    }
  }

  RowMarks& marks() {
    return marks_.has_value() ? *marks_ : marks_.emplace(rows_);
  }

  const std::int64_t rows_;
  std::optional<RowMarks> marks_;
  NonfiniteRows found_;
};

}  // namespace

NonfiniteRows FindNonfiniteInputs(const CompiledModel& compiled,
                                  const InferenceRequest& request) {
  if (InputsAreFinite(compiled, request)) {
    return {};
  }
  NonfiniteSearch search(request.rows);
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    const TensorSignature& signature = compiled.inputs()[i];
    if (request.shared.empty()) {
      search.Whole(signature, request.inputs[i]);
    } else {
      search.Shared(signature, request.shared[i]);
      search.Own(signature, request.shared[i], request.inputs[i]);
    }
  }
  return search.Take();
}

NonfiniteRows FindNonfiniteOutputs(const CompiledModel& compiled,
                                   const InferenceRequest& request) {
  if (OutputsAreFinite(compiled, request)) {
    return {};
  }
  NonfiniteSearch search(request.rows);
  for (std::size_t i = 0; i < request.outputs.size(); ++i) {
    if (request.outputs[i] != nullptr) {
      search.Whole(compiled.outputs()[i], request.outputs[i]);
    }
  }
  return search.Take();
}

}  // namespace relu
