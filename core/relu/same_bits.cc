#include "core/relu/same_bits.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/graph/elements.h"
#include "core/plan/compiled_model.h"
#include "core/plan/workspace.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "core/tensor/tensor.h"

namespace relu {
namespace {

constexpr std::int64_t kMostRows = 64;  // At a time.

Shape ShapeOf(const TensorSignature& signature, std::int64_t rows) {
  Shape shape = signature.row_shape;
  shape.insert(shape.begin(), rows);
  return shape;
}

// Runs two models on the same inputs.
class Pair {
 public:
  Pair(const CompiledModel& model, const CompiledModel& other)
      : model_(model),
        other_(other),
        workspace_(model, kMostRows),
        other_workspace_(other, kMostRows) {}

  // `elements` are those of all inputs, row by row.
  absl::Status Compare(std::int64_t rows, std::span<const double> elements) {
    CopyIn(rows, elements);
    model_.Run(rows, workspace_);
    other_.Run(rows, other_workspace_);
    for (std::size_t i = 0; i < model_.outputs().size(); ++i) {
      RETURN_IF_ERROR(CompareOutput(rows, i));
    }
    return absl::OkStatus();
  }

 private:
  void CopyIn(std::int64_t rows, std::span<const double> elements) {
    const auto count = static_cast<std::size_t>(rows);
    const std::size_t stride = elements.size() / count;
    std::size_t first = 0;
    std::vector<double> values;
    for (std::size_t i = 0; i < model_.inputs().size(); ++i) {
      const TensorSignature& input = model_.inputs()[i];
      const std::size_t size = input.row_bytes / DataTypeSize(input.type);
      values.clear();
      for (std::size_t row = 0; row < count; ++row) {
        const auto from = elements.subspan(row * stride + first, size);
        values.insert(values.end(), from.begin(), from.end());
      }
      first += size;
      const Tensor tensor =
          FromDoubles(input.type, ShapeOf(input, rows), values);
      for (Workspace* const workspace : {&workspace_, &other_workspace_}) {
        workspace->CopyIn(i, /*first_row=*/0, rows, tensor.bytes().data());
      }
    }
  }

  absl::Status CompareOutput(std::int64_t rows, std::size_t i) {
    const TensorSignature& output = model_.outputs()[i];
    Tensor left(output.type, ShapeOf(output, rows));
    Tensor right(output.type, ShapeOf(output, rows));
    workspace_.CopyOut(i, /*first_row=*/0, rows, left.bytes().data());
    other_workspace_.CopyOut(i, /*first_row=*/0, rows, right.bytes().data());
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto at = static_cast<std::size_t>(row) * output.row_bytes;
      const bool fails = workspace_.Fault(row, 1).has_value();
      const bool same = fails == other_workspace_.Fault(row, 1).has_value() &&
                        (fails || std::memcmp(left.bytes().data() + at,
                                              right.bytes().data() + at,
                                              output.row_bytes) == 0);
      if (!same) {
        return Difference(output, at / DataTypeSize(output.type), left, right);
      }
    }
    return absl::OkStatus();
  }

  // From element `first` on.
  static absl::Status Difference(const TensorSignature& output,
                                 std::size_t first, const Tensor& left,
                                 const Tensor& right) {
    const std::size_t size = DataTypeSize(output.type);
    std::size_t at = first;
    while (at + 1 < static_cast<std::size_t>(left.element_count()) &&
           std::memcmp(left.bytes().data() + at * size,
                       right.bytes().data() + at * size, size) == 0) {
      ++at;
    }
    return absl::InternalError(fmt::format(
        "output \"{}\": {} and {} for the same input, wanted the same bits",
        output.name, ToDoubles(left)[at], ToDoubles(right)[at]));
  }

  const CompiledModel& model_;
  const CompiledModel& other_;
  Workspace workspace_;
  Workspace other_workspace_;
};

// Points of a box.
class Points {
 public:
  Points(const CompiledModel& model, const InputBox& box) : box_(box) {
    for (const TensorSignature& input : model.inputs()) {
      is_float_.insert(is_float_.end(),
                       input.row_bytes / DataTypeSize(input.type),
                       IsFloatingPoint(input.type));
    }
  }

  void Add(bool at_ends, std::vector<double>& elements) {
    for (std::size_t i = 0; i < is_float_.size(); ++i) {
      const double low = box_.low[i];
      const double high = box_.high[i];
      // 2^-53 of 53 bits: the same with every standard library.
      double part = static_cast<double>(random_() >> 11U) * 0x1p-53;
      if (at_ends) {
        part = part < 0.5 ? 0.0 : 1.0;
      }
      const double value = low + part * (high - low);
      elements.push_back(at_ends && part == 1.0 ? high
                         : is_float_[i]         ? value
                                                : std::round(value));
    }
    const std::size_t first = elements.size() - is_float_.size();
    for (const OneHotGroup& group : box_.one_hot) {
      const auto begin =
          elements.begin() + static_cast<std::ptrdiff_t>(first + group.first);
      std::fill_n(begin, group.size, 0.0);
      begin[static_cast<std::ptrdiff_t>(random_() % group.size)] = 1.0;
    }
  }

 private:
  const InputBox& box_;
  std::vector<bool> is_float_;
  std::mt19937_64 random_{20240607};
};

}  // namespace

absl::StatusOr<SameBitsCount> CheckSameBits(const CompiledModel& model,
                                            const CompiledModel& other,
                                            const InputBox& box,
                                            const InputRows& rows,
                                            const SameBitsOptions& options) {
  using Clock = std::chrono::steady_clock;
  Pair pair(model, other);
  SameBitsCount done;
  const std::size_t stride = box.low.size();
  // The first of them alone, too: one row has kernels of its own.
  const auto compare = [&](std::int64_t count,
                           std::span<const double> elements) -> absl::Status {
    RETURN_IF_ERROR(pair.Compare(count, elements));
    RETURN_IF_ERROR(pair.Compare(1, elements.first(stride)));
    ++done.alone;
    return absl::OkStatus();
  };
  while (done.rows < rows.rows) {
    const std::int64_t count = std::min(kMostRows, rows.rows - done.rows);
    RETURN_IF_ERROR(compare(
        count, std::span(rows.elements)
                   .subspan(static_cast<std::size_t>(done.rows) * stride,
                            static_cast<std::size_t>(count) * stride)));
    done.rows += count;
  }
  Points points(model, box);
  const Clock::time_point end = Clock::now() + options.time;
  std::vector<double> elements;
  while (done.points < options.points && Clock::now() < end) {
    const std::int64_t count =
        std::min(kMostRows, options.points - done.points);
    elements.clear();
    for (std::int64_t i = 0; i < count; ++i) {
      points.Add(/*at_ends=*/i % 2 == 0, elements);
    }
    RETURN_IF_ERROR(compare(count, elements));
    done.points += count;
  }
  return done;
}

}  // namespace relu
