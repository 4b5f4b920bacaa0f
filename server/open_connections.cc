#include "server/open_connections.h"

#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <vector>

namespace relu {
namespace {

constexpr std::chrono::milliseconds kLookPeriod{100};

// 0 if it is not open.
ino_t InodeOf(int fd) {
  struct stat found {};
  return fstat(fd, &found) == 0 ? found.st_ino : 0;
}

}  // namespace

bool OpenConnections::Look(Clock::time_point now) {
  if (now < next_look_) {
    return false;
  }
  next_look_ = now + kLookPeriod;
  std::erase_if(connections_, [](const Connection& connection) {
    return InodeOf(connection.fd) != connection.inode;
  });
  return true;
}

void OpenConnections::Add(int fd) {
  connections_.push_back({.fd = fd, .inode = InodeOf(fd)});
}

}  // namespace relu
