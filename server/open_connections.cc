#include "server/open_connections.h"

#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <vector>

namespace relu {
namespace {

// 0 if it is not open.
ino_t InodeOf(int fd) {
  struct stat found {};
  return fstat(fd, &found) == 0 ? found.st_ino : 0;
}

}  // namespace

bool OpenConnections::full(Clock::time_point now) {
  if (connections_.size() >= limit_ && now >= next_look_) {
    ForgetClosed();
    next_look_ = now + kLookPeriod;
  }
  return connections_.size() >= limit_;
}

void OpenConnections::Add(int fd) {
  connections_.push_back({.fd = fd, .inode = InodeOf(fd)});
}

void OpenConnections::ForgetClosed() {
  std::erase_if(connections_, [](const Connection& connection) {
    return InodeOf(connection.fd) != connection.inode;
  });
}

}  // namespace relu
