// The messages of relu.v1.ReluService/Explain from and to bytes.

#ifndef CLIENT_EXPLAIN_MESSAGE_H_
#define CLIENT_EXPLAIN_MESSAGE_H_

#include <string>

#include "absl/status/statusor.h"

#include "client/explain.h"

namespace relu {

inline constexpr char kExplainMethod[] = "/relu.v1.ReluService/Explain";

std::string EncodeExplainRequest(const ExplainRequest& request);

// INTERNAL if these bytes are no answer.
absl::StatusOr<ExplainResult> DecodeExplainResponse(const std::string& bytes);

}  // namespace relu

#endif  // CLIENT_EXPLAIN_MESSAGE_H_
