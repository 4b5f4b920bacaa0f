// HttpFixture: an HttpServer on a free loopback port with a handler that shows
// what it was given, and clients of it.

#ifndef TESTS_SERVER_HTTP_HTTP_FIXTURE_H_
#define TESTS_SERVER_HTTP_HTTP_FIXTURE_H_

#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/http_message.h"
#include "server/http/http_server.h"

namespace relu {

// One connection to a loopback port. For one thread.
class HttpClient {
 public:
  explicit HttpClient(int port);
  ~HttpClient();

  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void Send(std::string_view bytes);
  // Sends no more; still reads.
  void SendEnd();

  // One answer: header and body. What came before the end of the connection if
  // it ends early: "" if nothing did.
  std::string Read(bool has_body = true);
  // All there is until the end.
  std::string ReadToEnd();

 private:
  // False at the end.
  bool Receive();

  const int fd_;
  std::string received_;
};

// Answers "METHOD TARGET BODY", except
//
//   /refused     401 before the body is read
//   /held        waits until Release()
//   /large       a megabyte of text
class EchoHandler final : public HttpHandler {
 public:
  struct Shared {
    std::latch held{1};     // A request is held.
    std::latch release{1};  // Held requests are answered.
    std::latch gone{1};     // The client of a held request has gone.
  };

  explicit EchoHandler(Shared& shared) : shared_(shared) {}

  void Start(std::function<void()> wake) override { wake(); }
  void Stop() override {}

  std::optional<HttpResponse> Refuse(const HttpCall& call) override;
  void Handle(std::shared_ptr<HttpCall> call) override;
  std::size_t arrived() const override { return 0; }
  bool RunArrived() override { return false; }
  HttpResponse ErrorResponse(int status, std::string_view message) override;

 private:
  Shared& shared_;
};

class HttpFixture {
 public:
  // `listener`, without a port, comes before those of `options`.
  explicit HttpFixture(HttpServerOptions options = {},
                       HttpListener listener = {});

  HttpServer& server() { return *server_; }
  int port() const { return server_->port(0); }
  EchoHandler::Shared& shared() { return shared_; }

  // Sends one request on a new connection and returns the answer.
  std::string Fetch(std::string_view request);

 private:
  EchoHandler::Shared shared_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace relu

#endif  // TESTS_SERVER_HTTP_HTTP_FIXTURE_H_
