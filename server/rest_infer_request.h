// The body of an inference over REST: JSON, with the values of tensors in it or
// as bytes behind it, as the V2 message of the same request.

#ifndef SERVER_REST_INFER_REQUEST_H_
#define SERVER_REST_INFER_REQUEST_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace inference {
class ModelInferRequest;
}

namespace relu {

enum class OutputForm {
  kJson,
  kBytes,
  kSharedMemory,  // Not in the answer.
};

// How the client wants the values of the outputs.
struct OutputForms {
  OutputForm usual = OutputForm::kJson;  // Where it does not say.
  // By requested output; empty: all are wanted.
  std::vector<OutputForm> outputs;
};

// For one thread. Meant to be reused, so that its memory is taken once.
class RestInferReader {
 public:
  RestInferReader();
  ~RestInferReader();

  // Fills `message`, which is empty but for the model's name and version, and
  // `forms`. The first `json_bytes` of `body` are JSON, the rest are the values
  // of inputs with a `binary_data_size`, in their order. Every input that is
  // not in shared memory gets its values as raw contents, rounded once to its
  // datatype: integers must be whole and in range, numbers finite; FP16 and
  // BF16 are taken as bytes alone. `body` may grow; its contents stay. Errors:
  //   INVALID_ARGUMENT    it is no JSON, or no inference request
  //   RESOURCE_EXHAUSTED  the values would take more than `max_bytes`
  absl::Status Read(std::string& body, std::size_t json_bytes,
                    std::size_t max_bytes,
                    inference::ModelInferRequest& message, OutputForms& forms);

 private:
  struct Parser;

  std::unique_ptr<Parser> parser_;
};

}  // namespace relu

#endif  // SERVER_REST_INFER_REQUEST_H_
