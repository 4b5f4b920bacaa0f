// ArrivedCall: one inference that a client sent, from its arrival to its
// answer, whatever carries it: a call of its own, or a message of a stream.

#ifndef SERVER_ARRIVED_CALL_H_
#define SERVER_ARRIVED_CALL_H_

#include "core/batching/inference_request.h"
#include "server/infer_exchange.h"

namespace relu {

class ArrivedCall {
 public:
  // Parses and checks the request. False if that failed: then the answer is
  // that error, and is ready to be sent.
  virtual bool Prepare() = 0;

  // Sends the answer, once it is there. Any thread; the last touch of it. The
  // same thread goes on to send `next`, if that is not nullptr.
  virtual void Send(const ArrivedCall* next) = 0;

  // The stream that it is a message of, to compare; nullptr: it is none.
  virtual const void* stream() const { return nullptr; }

  // After Prepare(): the request to run.
  InferenceRequest& inference() { return exchange_.inference(); }

 protected:
  // `environment` outlives the call.
  explicit ArrivedCall(const InferEnvironment& environment)
      : exchange_(environment) {}
  ~ArrivedCall() = default;

  InferExchange& exchange() { return exchange_; }
  const InferExchange& exchange() const { return exchange_; }

 private:
  InferExchange exchange_;
};

}  // namespace relu

#endif  // SERVER_ARRIVED_CALL_H_
