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

  // Whether as many are open as may be.
  bool full(Clock::time_point now) { return AreAtLeast(limit_, now); }

  // Whether so many are open. Looks for those that were closed only when there
  // seem to be as many, and then not twice within 100 ms: a look takes 0.3 us
  // for each, which a flood of clients must not multiply.
  bool AreAtLeast(std::size_t count, Clock::time_point now);

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

  void ForgetClosed();

  const std::size_t limit_;
  std::vector<Connection> connections_;
  Clock::time_point next_look_ = Clock::time_point::min();
};

}  // namespace relu

#endif  // SERVER_OPEN_CONNECTIONS_H_
