// ConnectionAcceptor: takes the connections of clients, as many as may be, and
// hands them on.

#ifndef SERVER_CONNECTION_ACCEPTOR_H_
#define SERVER_CONNECTION_ACCEPTOR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
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

  // Starts the thread, which calls the functions. Each listener may have
  // `max_connections`; what comes beyond them is closed at once and counted by
  // a call of `refused`.
  ConnectionAcceptor(std::vector<Listener> listeners,
                     std::size_t max_connections,
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
  void Refuse(int fd);
  // Whether a line of the log is due, so that a flood fills no disk.
  bool MayLog();

  const std::vector<Listener> listeners_;
  const std::size_t max_connections_;
  const std::function<void()> refused_;
  std::vector<OpenConnections> open_;  // By listener.
  std::vector<Source> sources_;
  Clock::time_point next_log_ = Clock::time_point::min();
  std::uint64_t unlogged_ = 0;  // Refusals.
  const int stop_fd_;           // An eventfd: the thread is to end.
  std::thread thread_;
};

}  // namespace relu

#endif  // SERVER_CONNECTION_ACCEPTOR_H_
