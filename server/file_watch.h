// FileWatch: notices that files were replaced: certificates, keys and tokens.
// FileLook: what it sees of one.

#ifndef SERVER_FILE_WATCH_H_
#define SERVER_FILE_WATCH_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "core/base/mutex.h"

namespace relu {

// What shows that a file is not the one it was.
struct FileLook {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t bytes = -1;  // No such file.
  // Of its bytes, or of who may read it, so later than its time of writing.
  std::int64_t changed_seconds = 0;
  std::int64_t changed_nanoseconds = 0;

  bool operator==(const FileLook&) const = default;
};

// In their order.
std::vector<FileLook> LookAt(const std::vector<std::filesystem::path>& files);

// Looks at the files every so often, on a thread of its own: there may be
// links in the way, or another host's disk, where no notice comes of changes.
class FileWatch {
 public:
  struct Watched {
    std::vector<std::filesystem::path> files;
    // Called on the watching thread after one of them changed: another file,
    // size, contents, owner or permissions. False: they could not be read,
    // which need not be for the files (descriptors run out), so it is called
    // again after each look until they are.
    std::function<bool()> read;
    // LookAt() them, before they were read for the first time.
    std::vector<FileLook> seen = LookAt(files);
  };

  // Starts the thread. What the callbacks use outlives the watch.
  FileWatch(std::vector<Watched> watched, std::chrono::milliseconds interval);

  // Ends the thread, after a callback that runs.
  ~FileWatch();

  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);

  std::vector<Watched> watched_;  // The thread's own.
  const std::chrono::milliseconds interval_;
  Mutex mu_;
  CondVar ending_changed_;
  bool ending_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace relu

#endif  // SERVER_FILE_WATCH_H_
