// RestFixture: the REST API of relud in this process, without sockets.

#ifndef TESTS_SERVER_REST_FIXTURE_H_
#define TESTS_SERVER_REST_FIXTURE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"

#include "core/base/mutex.h"
#include "server/access.h"
#include "server/health.h"
#include "server/http/http_message.h"
#include "server/infer_exchange.h"
#include "server/inference_handlers.h"
#include "server/rest_handler.h"
#include "server/rpc_table.h"
#include "tests/server/loaded_repository.h"

namespace relu {

// What is to run on the thread of the test.
class TaskQueue {
 public:
  void Add(std::function<void()> task) ABSL_LOCKS_EXCLUDED(mu_);
  // Waits until there is something to run, and runs it.
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  Mutex mu_;
  CondVar added_;
  std::vector<std::function<void()>> tasks_ ABSL_GUARDED_BY(mu_);
};

// A request without a connection.
class FakeHttpCall final : public HttpCall {
 public:
  struct Request {
    std::string method = "GET";
    std::string target;
    std::map<std::string, std::string, std::less<>> headers = {};
    std::string body = {};
    RestRole role = RestRole::kMain;
  };

  // `tasks` outlives the call.
  FakeHttpCall(Request request, TaskQueue& tasks)
      : request_(std::move(request)), tasks_(tasks) {}

  std::string_view method() const override { return request_.method; }
  std::string_view target() const override { return request_.target; }
  std::string_view header(std::string_view name) const override;
  std::string& body() override { return request_.body; }
  int role() const override { return static_cast<int>(request_.role); }
  void Respond(HttpResponse response) override;
  void WatchClient(std::function<void()> gone) override {
    gone_ = std::move(gone);
  }
  void Post(std::function<void()> task) override {
    tasks_.Add(std::move(task));
  }

  // The client hangs up.
  void HangUp() { gone_(); }
  // Runs what there is to run until the call has been answered.
  HttpResponse Wait();

  const std::optional<HttpResponse>& response() const { return response_; }

 private:
  Request request_;
  TaskQueue& tasks_;
  std::optional<HttpResponse> response_;
  std::function<void()> gone_;
};

// For one thread, as a connection's is.
class RestFixture {
 public:
  explicit RestFixture(const LoadedRepository::Options& repository = {},
                       const TokenFiles& tokens = {});

  ~RestFixture();

  RestHandler& handler() { return *handler_; }
  LoadedRepository& loaded() { return loaded_; }
  InferenceHandlers& handlers() { return handlers_; }

  // As a connection does: asks whether to refuse, and hands over.
  std::shared_ptr<FakeHttpCall> Begin(FakeHttpCall::Request request);

  // Runs what has arrived, as the thread of a connection does.
  void RunArrived();

  // The answer to one request that nobody else holds up.
  HttpResponse Call(FakeHttpCall::Request request);
  HttpResponse Get(const std::string& target) {
    return Call({.target = target});
  }
  HttpResponse Post(const std::string& target, const std::string& body) {
    return Call({.method = "POST", .target = target, .body = body});
  }

 private:
  LoadedRepository loaded_;
  InferenceHandlers handlers_;
  Health health_;
  RpcTable rpcs_;
  std::unique_ptr<AccessTokens> tokens_;
  Access access_;
  Access control_access_;
  InferEnvironment environment_;
  TaskQueue tasks_;
  std::unique_ptr<RestHandler> handler_;
};

}  // namespace relu

#endif  // TESTS_SERVER_REST_FIXTURE_H_
