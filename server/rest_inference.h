// RestInference: one ModelInfer call over REST.

#ifndef SERVER_REST_INFERENCE_H_
#define SERVER_REST_INFERENCE_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "server/arrived_call.h"
#include "server/http/http_message.h"
#include "server/infer_exchange.h"
#include "server/rest_infer_request.h"
#include "server/rest_routes.h"

namespace relu {

// Used again and again. Everything happens on the thread of its connection,
// except that the request may be computed, and its answer made, by another.
class RestInference final : public ArrivedCall {
 public:
  // All of these outlive the call. It adds itself to `idle` when it is over.
  RestInference(const InferEnvironment& environment, RestInferReader& reader,
                std::vector<RestInference*>& idle);

  // A request to the model of `match` has arrived.
  void Begin(const RestMatch& match, std::shared_ptr<HttpCall> call);

  bool Prepare() override;
  void Send(const ArrivedCall* next) override;

  // Drops the request if its client hangs up, unless it has been answered.
  void WatchClient();

 private:
  absl::Status Read();
  void Respond();

  const InferEnvironment& environment_;
  RestInferReader& reader_;
  std::vector<RestInference*>& idle_;

  std::shared_ptr<HttpCall> call_;
  InferExchange::Clock::time_point arrived_at_;
  OutputForms forms_;
  absl::Status status_;  // Of the answer.
  HttpResponse answer_;
  // A hint that it is not worth watching the client: nothing is published
  // through it, so relaxed order is enough.
  std::atomic<bool> answered_ = false;
};

}  // namespace relu

#endif  // SERVER_REST_INFERENCE_H_
