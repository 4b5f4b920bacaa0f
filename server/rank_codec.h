// The tensors of a RankRequest and the InferenceRequest that the scheduler
// takes: checks the one against the model and makes the other, without copying
// what is raw.

#ifndef SERVER_RANK_CODEC_H_
#define SERVER_RANK_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"

#include "core/batching/inference_request.h"
#include "core/repository/model.h"

namespace relu {

namespace v1 {
class RankRequest;
}  // namespace v1

// Of one call. An item may be a few bytes and its work large.
inline constexpr std::int64_t kMaxRankedItems = 65'536;

// Sets the rows, the inputs with what they share, and the outputs (all nullptr)
// of `request`. It points into `message` and `converted`, which holds the
// values that were not raw. Errors:
//   INVALID_ARGUMENT    whatever is wrong with the tensors
//   RESOURCE_EXHAUSTED  more than kMaxRankedItems items
//   UNIMPLEMENTED       the rows of the model depend on each other
absl::Status DecodeRankRequest(const v1::RankRequest& message,
                               const Model& model,
                               std::vector<std::vector<std::byte>>& converted,
                               InferenceRequest& request);

}  // namespace relu

#endif  // SERVER_RANK_CODEC_H_
