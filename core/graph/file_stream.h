// FileStream: a stretch of a file as protobuf's streams read it.

#ifndef CORE_GRAPH_FILE_STREAM_H_
#define CORE_GRAPH_FILE_STREAM_H_

#include <cstdint>

#include "absl/status/status.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

#include "core/base/file.h"

namespace relu {

// Borrows the file. For a CopyingInputStreamAdaptor, and for one thread.
class FileStream final : public google::protobuf::io::CopyingInputStream {
 public:
  // From `begin` to `end`, in bytes.
  FileStream(const File& file, std::int64_t begin, std::int64_t end);

  int Read(void* buffer, int size) override;
  int Skip(int count) override;

  // Why Read() failed, if it did; those of File::Read().
  const absl::Status& status() const { return status_; }

 private:
  const File& file_;
  std::int64_t at_;
  std::int64_t end_;
  absl::Status status_;
};

}  // namespace relu

#endif  // CORE_GRAPH_FILE_STREAM_H_
