// The answer to an inference over REST: JSON, with the values of outputs in it
// or as bytes behind it.

#ifndef SERVER_REST_INFER_RESPONSE_H_
#define SERVER_REST_INFER_RESPONSE_H_

#include <cstddef>

#include "absl/status/statusor.h"

#include "server/http/http_message.h"
#include "server/rest_infer_request.h"

namespace inference {
class ModelInferResponse;
}

namespace relu {

// `response` has raw contents. Errors, which name the output:
//   INVALID_ARGUMENT    values that JSON cannot hold were not asked for as
//                       bytes
//   RESOURCE_EXHAUSTED  the body would take more than `max_bytes`
absl::StatusOr<HttpResponse> RestInferResponse(
    const inference::ModelInferResponse& response, const OutputForms& forms,
    std::size_t max_bytes);

}  // namespace relu

#endif  // SERVER_REST_INFER_RESPONSE_H_
