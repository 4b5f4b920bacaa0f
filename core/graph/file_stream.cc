#include "core/graph/file_stream.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/file.h"

namespace relu {

FileStream::FileStream(const File& file, std::int64_t begin, std::int64_t end)
    : file_(file), at_(begin), end_(end) {}

int FileStream::Read(void* buffer, int size) {
  const auto count = static_cast<int>(std::min<std::int64_t>(size, end_ - at_));
  status_ = file_.Read(static_cast<std::uint64_t>(at_),
                       std::span(static_cast<std::byte*>(buffer),
                                 static_cast<std::size_t>(count)));
  if (!status_.ok()) {
    return -1;
  }
  at_ += count;
  return count;
}

int FileStream::Skip(int count) {
  const auto skipped =
      static_cast<int>(std::min<std::int64_t>(count, end_ - at_));
  at_ += skipped;
  return skipped;
}

}  // namespace relu
