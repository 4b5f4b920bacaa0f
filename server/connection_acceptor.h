// ConnectionAcceptor: takes the connections of clients, as many as may be, and
// hands them on.

#ifndef SERVER_CONNECTION_ACCEPTOR_H_
#define SERVER_CONNECTION_ACCEPTOR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <thread>
#include <vector>

#include "server/listening_socket.h"
#include "server/open_connections.h"

namespace relu {

class ConnectionAcceptor {
 public:
  // Where clients come from.
  struct Listener {
    std::vector<ListeningSocket> sockets;
    // Takes over the connection `fd`, and closes it sometime.
    std::function<void(int fd)> take;
  };

  // What comes beyond `max_connections` of a listener is closed at once. When
  // all together have `many`, the log says once what to do about it.
  struct Limits {
    std::size_t max_connections = 0;
    std::size_t many = std::numeric_limits<std::size_t>::max();
  };

  // Starts the thread, which calls the functions: `refused` for each connection
  // that was closed.
  ConnectionAcceptor(std::vector<Listener> listeners, const Limits& limits,
                     std::function<void()> refused);

  // Accepts nothing more and listens no longer.
  ~ConnectionAcceptor();

  ConnectionAcceptor(const ConnectionAcceptor&) = delete;
  ConnectionAcceptor& operator=(const ConnectionAcceptor&) = delete;

 private:
  using Clock = OpenConnections::Clock;

  // One socket of a listener.
  struct Source {
    const ListeningSocket& socket;
    const Listener& listener;
    OpenConnections& open;
  };

  void Loop();
  // Takes a burst of what waits. False: the process can open nothing more.
  bool Accept(const Source& source);
  void Take(const Source& source, int fd);
  // Once those that were closed are forgotten; false until they can be again.
  bool HasMany();
  std::size_t CountOpen() const;
  void Refuse(int fd);
  // Whether a line of the log is due, so that a flood fills no disk.
  bool MayLog();

  const std::vector<Listener> listeners_;
  const Limits limits_;
  const std::function<void()> refused_;
  std::vector<OpenConnections> open_;  // By listener.
  std::vector<Source> sources_;
  Clock::time_point next_log_ = Clock::time_point::min();
  std::uint64_t unlogged_ = 0;  // Refusals.
  bool said_many_ = false;
  Clock::time_point next_count_ = Clock::time_point::min();  // For HasMany().
  const int stop_fd_;  // An eventfd: the thread is to end.
  std::thread thread_;
};

}  // namespace relu

#endif  // SERVER_CONNECTION_ACCEPTOR_H_
