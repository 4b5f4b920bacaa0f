// What an InferResult holds. Apart from infer_result.h, which is installed and
// must not need protobuf.

#ifndef CLIENT_INFER_RESULT_STORAGE_H_
#define CLIENT_INFER_RESULT_STORAGE_H_

#include <memory>
#include <vector>

#include "client/infer_result.h"
#include "proto/inference.pb.h"

namespace relu {

struct InferResult::Storage {
  std::unique_ptr<inference::ModelInferResponse> message;
  // The bytes are views of message->raw_output_contents.
  std::vector<OutputTensor> outputs;
};

}  // namespace relu

#endif  // CLIENT_INFER_RESULT_STORAGE_H_
