// HttpConnection: one connection of a client to the HTTP server, and the
// requests that come over it one after the other.

#ifndef SERVER_HTTP_HTTP_CONNECTION_H_
#define SERVER_HTTP_HTTP_CONNECTION_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <utility>

#include "core/base/in_flight_bytes.h"
#include "server/http/byte_budget.h"
#include "server/http/http_limits.h"
#include "server/http/http_message.h"
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

namespace boost::asio::ssl {
class context;
}

namespace relu {

class HttpConnection;

// Counts one connection of a listener from its acceptance to its end. The count
// outlives it; it is a count alone, in relaxed order.
class CountedConnection {
 public:
  explicit CountedConnection(std::atomic<std::size_t>& count) : count_(&count) {
    count.fetch_add(1, std::memory_order_relaxed);
  }
  CountedConnection(CountedConnection&& other) noexcept
      : count_(std::exchange(other.count_, nullptr)) {}
  CountedConnection& operator=(CountedConnection&&) = delete;
  ~CountedConnection() {
    if (count_ != nullptr) {
      count_->fetch_sub(1, std::memory_order_relaxed);
    }
  }

 private:
  std::atomic<std::size_t>* count_;
};

// What the connections of one thread share; it outlives them.
struct HttpThread {
  const HttpLimits& limits;
  HttpHandler& handler;
  ByteBudget& budget;
  // Where answers are counted until they have been written; nullptr: nowhere.
  InFlightBytes* answers;
  // Each answer is the last of its connection.
  bool draining = false;
  // No connection waits for a further request.
  bool stopping = false;
  // From their start to their end.
  std::set<HttpConnection*> open;
};

// A TCP or a Unix socket.
using StreamSocket =
    boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                     boost::asio::io_context::executor_type>;

// For one thread. Keeps itself alive while something is to come.
class HttpConnection : public HttpCall {
 public:
  using Clock = std::chrono::steady_clock;

  // Serves the client. `tls`: nullptr for none.
  static void Serve(StreamSocket socket, CountedConnection counted,
                    std::shared_ptr<boost::asio::ssl::context> tls, int role,
                    HttpThread& thread);

  // Ends the connection if it is later than what it waits for may take.
  virtual void CloseIfLate(Clock::time_point now) = 0;

  // Ends the connection, unless a request is on its way or in work.
  virtual void CloseIfIdle() = 0;

  // Ends the connection now. True if a request was on its way or in work.
  virtual bool Close() = 0;
};

}  // namespace relu

#endif  // SERVER_HTTP_HTTP_CONNECTION_H_
