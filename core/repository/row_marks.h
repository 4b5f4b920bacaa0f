// RowMarks: which rows of a request something was found in.

#ifndef CORE_REPOSITORY_ROW_MARKS_H_
#define CORE_REPOSITORY_ROW_MARKS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace relu {

// For one thread. Takes memory: make one as soon as something is found.
class RowMarks {
 public:
  explicit RowMarks(std::int64_t rows)
      : marked_(static_cast<std::size_t>(rows)) {}

  void Mark(std::int64_t row) { marked_[static_cast<std::size_t>(row)] = true; }
  void MarkAll() { marked_.assign(marked_.size(), true); }

  std::int64_t count() const { return std::ranges::count(marked_, true); }

  // The first `most`, ascending.
  std::vector<std::int64_t> First(std::size_t most) const {
    std::vector<std::int64_t> rows;
    for (std::size_t i = 0; i < marked_.size() && rows.size() < most; ++i) {
      if (marked_[i]) {
        rows.push_back(static_cast<std::int64_t>(i));
      }
    }
    return rows;
  }

 private:
  std::vector<bool> marked_;
};

}  // namespace relu

#endif  // CORE_REPOSITORY_ROW_MARKS_H_
