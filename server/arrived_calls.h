// ArrivedCalls: the inference calls that one thread has read and not yet
// answered: run together, answered together.

#ifndef SERVER_ARRIVED_CALLS_H_
#define SERVER_ARRIVED_CALLS_H_

#include <cstddef>
#include <vector>

#include "core/batching/inference_request.h"

namespace relu {

class InferCall;

// For the thread of one completion queue, but for Answer().
class ArrivedCalls {
 public:
  void Add(InferCall& call) { arrived_.push_back(&call); }
  std::size_t size() const { return arrived_.size(); }

  // Submits what has arrived, model by model, and sends every answer that this
  // thread computes.
  void Run();

  // The answer to `call` is there. On a thread that is in Run(), answers wait
  // until their batch is complete and then go out together: no slot of the
  // scheduler is held meanwhile. On any other thread it is sent at once.
  static void Answer(InferCall& call);

 private:
  // Submits the calls of `prepared_` that go to the same scheduler as the
  // first, and takes them from the list.
  void SubmitFirstModel();
  void Cork(InferCall& call);
  void SendAnswers();

  std::vector<InferCall*> arrived_;
  std::vector<InferCall*> prepared_;
  std::vector<InferCall*> answered_;
  std::vector<InferenceRequest*> requests_;
};

}  // namespace relu

#endif  // SERVER_ARRIVED_CALLS_H_
