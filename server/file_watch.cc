#include "server/file_watch.h"

#include <sys/stat.h>

#include <chrono>
#include <cstddef>
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

std::vector<FileLook> LookAtAll(const FileWatch::Watched& watched) {
  std::vector<FileLook> looks;
  for (const auto& file : watched.files) {
    looks.push_back(LookAt(file));
  }
  return looks;
}

}  // namespace

FileWatch::FileWatch(std::vector<Watched> watched,
                     std::chrono::milliseconds interval)
    : watched_(std::move(watched)), interval_(interval) {
  // Not on the thread, which may start late: no change is missed.
  std::vector<std::vector<FileLook>> first;
  for (const Watched& files : watched_) {
    first.push_back(LookAtAll(files));
  }
  thread_ = std::thread([this, looks = std::move(first)] { Loop(looks); });
}

FileWatch::~FileWatch() {
  {
    const MutexLock lock(mu_);
    ending_ = true;
  }
  ending_changed_.NotifyAll();
  thread_.join();
}

void FileWatch::Loop(std::vector<std::vector<FileLook>> before) {
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
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      std::vector<FileLook> now = LookAtAll(watched_[i]);
      if (now != before[i]) {
        before[i] = std::move(now);
        watched_[i].changed();
      }
    }
  }
}

}  // namespace relu
