// ArrivedCalls: the inference calls that one thread has read and not yet
// answered: run together, answered together.

#ifndef SERVER_ARRIVED_CALLS_H_
#define SERVER_ARRIVED_CALLS_H_

#include <cstddef>
#include <vector>

#include "core/batching/dispatcher.h"
#include "core/batching/inference_request.h"

namespace relu {

class ArrivedCall;

// For the thread of one completion queue, but for Answer().
class ArrivedCalls {
 public:
  // `dispatcher` outlives it.
  explicit ArrivedCalls(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}

  void Add(ArrivedCall& call) { arrived_.push_back(&call); }
  // A request of another kind of call, which answers by itself. Its scheduler
  // is set, and outlives it.
  void Add(InferenceRequest& request) { requests_.push_back(&request); }
  std::size_t size() const { return arrived_.size() + requests_.size(); }

  // Hands what has arrived to the dispatcher, runs what it gives this thread,
  // `worker`, to do, and sends every answer that this thread computes. Then
  // looks at rows that were copied for ModelActivity. Returns
  // true if there is more to do: then it is to be called again.
  bool Run(Dispatcher::Worker& worker);

  // The answer to `call` is there. On a thread that is in Run(), answers wait
  // until its batches are complete and then go out together: no slot of the
  // scheduler is held meanwhile. On any other thread it is sent at once.
  static void Answer(ArrivedCall& call);

 private:
  void SendAnswers();

  Dispatcher& dispatcher_;
  std::vector<ArrivedCall*> arrived_;
  std::vector<ArrivedCall*> answered_;
  std::vector<InferenceRequest*> requests_;
};

}  // namespace relu

#endif  // SERVER_ARRIVED_CALLS_H_
