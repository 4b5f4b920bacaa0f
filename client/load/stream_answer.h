// StreamAnswer: what a ModelStreamInferResponse holds, without parsing all of
// it.

#ifndef CLIENT_LOAD_STREAM_ANSWER_H_
#define CLIENT_LOAD_STREAM_ANSWER_H_

#include <string_view>

#include "absl/status/statusor.h"

namespace relu::load {

// Views of the message that it was read from.
struct StreamAnswer {
  std::string_view error;     // Empty for a good answer.
  std::string_view response;  // A serialized ModelInferResponse.
  std::string_view id;        // That of the response.
};

// INTERNAL if `message` is no such message.
absl::StatusOr<StreamAnswer> ReadStreamAnswer(std::string_view message);

}  // namespace relu::load

#endif  // CLIENT_LOAD_STREAM_ANSWER_H_
