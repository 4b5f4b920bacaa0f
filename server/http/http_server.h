// HttpServer: the listening HTTP/1.1 server with its threads, free of what the
// requests mean.

#ifndef SERVER_HTTP_HTTP_SERVER_H_
#define SERVER_HTTP_HTTP_SERVER_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/in_flight_bytes.h"
#include "server/http/byte_budget.h"
#include "server/http/http_limits.h"
#include "server/http/http_message.h"
#include "server/http/tls_context.h"

namespace relu {

// Where clients come from.
struct HttpListener {
  std::string address = "127.0.0.1";  // An IP address or a host name.
  int port = 0;                       // 0: any free one.
  std::string unix_path = {};         // If not empty: a Unix socket instead.
  // Outlives the server. nullptr: in the clear.
  const TlsContext* tls = nullptr;
  int role = 0;  // What HttpCall::role() says of its clients.
};

struct HttpServerOptions {
  std::vector<HttpListener> listeners;
  int threads = 1;
  // Of each listener, so that no flood of one closes the others. Beyond these a
  // client is turned away, with 503 where it can be told.
  std::size_t max_connections = 1024;
  // Bodies of all requests in flight.
  std::size_t max_bodies_bytes = 512 << 20;
  // Where answers are counted from when they are there until they have been
  // written. Outlives the server. nullptr: nowhere.
  InFlightBytes* answers = nullptr;
  HttpLimits limits = {};
};

// The public functions are for one thread. A connection belongs to one thread
// for its life; one that waits for its client costs memory, and no thread.
class HttpServer {
 public:
  // Makes the handler of one thread; called before that thread starts.
  using MakeHandler = std::function<std::unique_ptr<HttpHandler>()>;

  // Listens and serves. UNAVAILABLE if an address cannot be listened on.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(
      const HttpServerOptions& options, const MakeHandler& make_handler);

  // For Start(): does not listen yet.
  explicit HttpServer(const HttpServerOptions& options);

  // Shuts down, if that was not done, and waits for no request.
  ~HttpServer();

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Of the listener with this index; 0 if it is a Unix socket.
  int port(std::size_t listener) const;

  // From now on every answer is the last of its connection, so that clients
  // find another server. Serves on.
  void BeginDrain();

  // Takes no more connections, and ends each with the answer that is due, or
  // now if none is. Once, before Shutdown(), which does it otherwise.
  void StopAccepting();

  // Waits until the requests that have arrived are answered; those that take
  // longer than `timeout` are cut off. Returns how many were.
  int Shutdown(std::chrono::milliseconds timeout);

 private:
  class Acceptor;
  class Worker;

  absl::Status Listen(const MakeHandler& make_handler);

  const HttpServerOptions options_;
  ByteBudget budget_;
  std::deque<std::atomic<std::size_t>> connections_;  // By listener.
  bool accepting_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
  // Destroyed first: they hand sockets to the workers.
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
};

}  // namespace relu

#endif  // SERVER_HTTP_HTTP_SERVER_H_
