// RestHandler: the V2 REST API and the metrics: from a request over HTTP to its
// answer, through the same handlers as gRPC.

#ifndef SERVER_REST_HANDLER_H_
#define SERVER_REST_HANDLER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/batching/dispatcher.h"
#include "core/metrics/metrics.h"
#include "server/access.h"
#include "server/arrived_calls.h"
#include "server/http/http_message.h"
#include "server/infer_exchange.h"
#include "server/rest_infer_request.h"
#include "server/rest_inference.h"
#include "server/rest_routes.h"
#include "server/rpc_table.h"

namespace relu {

// What the listeners of HTTP serve; the `role` of each.
enum class RestRole {
  kMain,     // The REST API.
  kControl,  // The same, with what changes the server.
  kMetrics,  // The metrics, and health for probes.
};

// All of it outlives the handlers.
struct RestEnvironment {
  const RpcTable& rpcs;
  const InferEnvironment& inference;
  const Access& access;          // For kMain and kMetrics.
  const Access& control_access;  // For kControl.
};

// For one thread, as HttpHandler says; one of the dispatcher's workers.
class RestHandler final : public HttpHandler, private Dispatcher::Worker {
 public:
  explicit RestHandler(const RestEnvironment& environment);

  // Every call has been answered.
  ~RestHandler() override;

  void Start(std::function<void()> wake) override;
  void Stop() override;
  std::optional<HttpResponse> Refuse(const HttpCall& call) override;
  void Handle(std::shared_ptr<HttpCall> call) override;
  std::size_t arrived() const override { return arrived_.size(); }
  bool RunArrived() override;
  HttpResponse ErrorResponse(int status, std::string_view message) override;

 private:
  void Wake() override { wake_(); }

  // Any RPC but inference.
  void CallAndAnswer(const RestMatch& match, std::shared_ptr<HttpCall> call);
  void Answer(HttpCall& call, HttpResponse response);
  void Infer(const RestMatch& match, std::shared_ptr<HttpCall> call);

  const RestEnvironment environment_;
  std::function<void()> wake_;
  RestInferReader reader_;
  std::vector<std::unique_ptr<RestInference>> inferences_;
  std::vector<RestInference*> idle_;
  // RPCs that were not answered yet, for this thread to let go of.
  std::map<HttpCall*, std::shared_ptr<HttpCall>> waiting_;
  ArrivedCalls arrived_;
  std::vector<RestInference*> begun_;  // Since the last RunArrived().
};

}  // namespace relu

#endif  // SERVER_REST_HANDLER_H_
