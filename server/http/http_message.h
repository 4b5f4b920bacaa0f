// What handlers of HTTP see of a request, and what they answer: free of any
// library.

#ifndef SERVER_HTTP_HTTP_MESSAGE_H_
#define SERVER_HTTP_HTTP_MESSAGE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relu {

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  // Others than those of the connection and of the body.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// One request of a client, from its arrival to its answer. For the thread of
// its connection, but for Post().
class HttpCall {
 public:
  virtual ~HttpCall() = default;

  // Valid until Respond().
  virtual std::string_view method() const = 0;
  virtual std::string_view target() const = 0;  // Path and query, as sent.
  // The value of a header field, without regard to case; empty if it is absent.
  virtual std::string_view header(std::string_view name) const = 0;
  // Without its content encoding. May be taken.
  virtual std::string& body() = 0;
  // The `role` of the listener that the client is connected to.
  virtual int role() const = 0;

  // Answers, once. The call is not to be touched any more.
  virtual void Respond(HttpResponse response) = 0;

  // Calls `gone` if the client hangs up before the answer, from the
  // connection's thread. For requests that wait for long: it costs a system
  // call. The handler keeps what `gone` touches until Respond().
  virtual void WatchClient(std::function<void()> gone) = 0;

  // Runs `task` on the connection's thread. Any thread.
  virtual void Post(std::function<void()> task) = 0;
};

// Answers the requests that arrive on one thread of an HttpServer.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  // Called before the thread begins, and after its last request. `wake` makes
  // the thread call RunArrived() soon; any thread may call it until Stop() has
  // returned.
  virtual void Start(std::function<void()> wake) = 0;
  virtual void Stop() = 0;

  // Called when the header fields are there: an answer refuses the request, and
  // its body is not read.
  virtual std::optional<HttpResponse> Refuse(const HttpCall& call) = 0;

  // The request is complete. The handler holds `call` until it has answered.
  virtual void Handle(std::shared_ptr<HttpCall> call) = 0;

  // Requests that Handle() has put aside for RunArrived().
  virtual std::size_t arrived() const = 0;

  // Everything that had arrived has been handed over, or the thread was woken.
  // True if there is more to do: then it is called again after a look at what
  // has arrived meanwhile.
  virtual bool RunArrived() = 0;

  // The answer to what is no request, or cannot be read.
  virtual HttpResponse ErrorResponse(int status, std::string_view message) = 0;
};

}  // namespace relu

#endif  // SERVER_HTTP_HTTP_MESSAGE_H_
