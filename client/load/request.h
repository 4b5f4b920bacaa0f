// Request: one inference request as it goes onto the wire, made once and sent
// again and again.

#ifndef CLIENT_LOAD_REQUEST_H_
#define CLIENT_LOAD_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "client/infer_request.h"
#include "client/load/expected_answer.h"

namespace relu::load {

// How the values of tensors travel.
enum class Contents {
  kRaw,    // In raw_input_contents.
  kTyped,  // In fp32_contents, int_contents, ...
};

struct Request {
  // A ModelInferRequest with gRPC's prefix. It ends with its id, of
  // kIdBytes bytes, if it is made for streams.
  std::string message = {};
  std::int64_t rows = 1;
  std::size_t model = 0;  // Which of the models of the mix it is for.
  // If there is one, each answer is compared with it.
  std::shared_ptr<const ExpectedAnswer> expected = nullptr;
};

inline constexpr std::size_t kIdBytes = 16;

// INVALID_ARGUMENT if a tensor's datatype has no typed contents.
absl::StatusOr<std::string> EncodeRequest(const InferRequest& request,
                                          Contents contents, bool with_id);

// The last bytes of a message that is made for streams: `id` as text.
std::string IdText(std::uint64_t id);

}  // namespace relu::load

#endif  // CLIENT_LOAD_REQUEST_H_
