// The GetActivity RPC: what the neurons of a model do, how far that is from its
// calibration, and which inputs moved them.

#ifndef SERVER_ACTIVITY_HANDLER_H_
#define SERVER_ACTIVITY_HANDLER_H_

#include "absl/status/status.h"

#include "core/repository/model_repository.h"

namespace relu {

namespace v1 {
class GetActivityRequest;
class GetActivityResponse;
}  // namespace v1

// Fills an empty response; errors are those that proto/relu.proto names, with
// the model's name in front. Rows that were copied and not yet looked at are
// looked at first, on this thread: 32 at most. Thread-safe.
absl::Status GetActivity(ModelRepository& repository,
                         const v1::GetActivityRequest& request,
                         v1::GetActivityResponse& response);

}  // namespace relu

#endif  // SERVER_ACTIVITY_HANDLER_H_
