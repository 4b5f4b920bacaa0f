// OpenConnections: how many of the connections that were handed to a library,
// which closes them without a word, are still open.

#ifndef SERVER_OPEN_CONNECTIONS_H_
#define SERVER_OPEN_CONNECTIONS_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <vector>

namespace relu {

// For one thread.
class OpenConnections {
 public:
  using Clock = std::chrono::steady_clock;

  explicit OpenConnections(std::size_t limit) : limit_(limit) {}

  // Whether as many are open as may be, with those that were closed since the
  // last look, which is taken when it seems so.
  bool full(Clock::time_point now) {
    if (connections_.size() >= limit_) {
      Look(now);
    }
    return connections_.size() >= limit_;
  }

  // How many were open at the last look or have been added since.
  std::size_t count() const { return connections_.size(); }

  // Forgets those that were closed. False, and nothing done, within 100 ms of
  // the last look: one takes 0.3 us for each, which a flood of clients must not
  // multiply.
  bool Look(Clock::time_point now);

  // A connection that is open. Before it is handed on: later its descriptor may
  // be that of something else.
  void Add(int fd);

 private:
  // A descriptor is used again after it was closed; the inode of a socket is
  // not, for billions of sockets.
  struct Connection {
    int fd;
    ino_t inode;
  };

  const std::size_t limit_;
  std::vector<Connection> connections_;
  Clock::time_point next_look_ = Clock::time_point::min();
};

}  // namespace relu

#endif  // SERVER_OPEN_CONNECTIONS_H_
