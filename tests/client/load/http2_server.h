// Http2Server: a gRPC server on nghttp2 for tests, which answers what a test
// says, when it says, and breaks the protocol if it is told to.

#ifndef TESTS_CLIENT_LOAD_HTTP2_SERVER_H_
#define TESTS_CLIENT_LOAD_HTTP2_SERVER_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace relu::load {

// What a client has sent: a whole call, or on ModelStreamInfer a message of it.
struct Http2Request {
  std::map<std::string, std::string> headers;
  std::string message;  // Without gRPC's prefix.
  std::chrono::steady_clock::time_point received;
};

struct Http2Answer {
  std::chrono::nanoseconds delay{0};  // From `received`.
  std::string body = {};              // With gRPC's prefix.
  int http_status = 200;
  std::map<std::string, std::string> trailers = {{"grpc-status", "0"}};
  std::optional<std::uint32_t> reset =
      {};                // End the stream with this HTTP/2 error.
  bool hang_up = false;  // Close the connection.
  bool go_away = false;  // Answer, and take no more calls on the connection.
};

class Http2Server {
 public:
  using Handler = std::function<Http2Answer(const Http2Request&)>;

  // `handler` runs on the server's one thread. Listens on a free port of the
  // loopback, or on `unix_path`.
  explicit Http2Server(Handler handler, const std::string& unix_path = "");
  // Closes all connections.
  ~Http2Server();
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;

  // "127.0.0.1:port" or "unix:/path".
  const std::string& address() const { return address_; }
  // Connections that were ever made.
  int connections() const { return connections_; }

 private:
  class Peer;  // One connection.

  void Serve();
  void Accept();

  const Handler handler_;
  std::string address_;
  int listener_ = -1;
  int epoll_ = -1;
  std::atomic<bool> ending_{false};
  std::atomic<int> connections_{0};
  std::map<int, std::unique_ptr<Peer>> peers_;  // By socket.
  std::thread thread_;
};

// The body of an answer that holds an empty ModelInferResponse.
std::string EmptyAnswerBody();

}  // namespace relu::load

#endif  // TESTS_CLIENT_LOAD_HTTP2_SERVER_H_
