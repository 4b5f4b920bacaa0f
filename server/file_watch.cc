#include "server/file_watch.h"

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/mutex.h"

namespace relu {
namespace {

FileLook LookAt(const std::filesystem::path& file) {
  struct stat found {};
  if (stat(file.c_str(), &found) != 0) {
    return {};
  }
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .bytes = found.st_size,
          .changed_seconds = found.st_ctim.tv_sec,
          .changed_nanoseconds = found.st_ctim.tv_nsec};
}

}  // namespace

std::vector<FileLook> LookAt(const std::vector<std::filesystem::path>& files) {
  std::vector<FileLook> looks;
  for (const auto& file : files) {
    looks.push_back(LookAt(file));
  }
  return looks;
}

FileWatch::FileWatch(std::vector<Watched> watched,
                     std::chrono::milliseconds interval)
    : watched_(std::move(watched)),
      interval_(interval),
      thread_([this] { Loop(); }) {}

FileWatch::~FileWatch() {
  {
    const MutexLock lock(mu_);
    ending_ = true;
  }
  ending_changed_.NotifyAll();
  thread_.join();
}

void FileWatch::Loop() {
  while (true) {
    {
      const auto next = std::chrono::steady_clock::now() + interval_;
      const MutexLock lock(mu_);
      while (!ending_ && ending_changed_.WaitUntil(mu_, next)) {
      }
      if (ending_) {
        return;
      }
    }
    for (Watched& watched : watched_) {
      // Looked at before they are read: what changes meanwhile is read again.
      std::vector<FileLook> now = LookAt(watched.files);
      if (now != watched.seen) {
        watched.seen = std::move(now);
        if (!watched.read()) {
          watched.seen.clear();  // Unlike any look: it is read again.
        }
      }
    }
  }
}

}  // namespace relu
