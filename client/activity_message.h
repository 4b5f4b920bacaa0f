// The messages of relu.v1.ReluService/GetActivity from and to bytes.

#ifndef CLIENT_ACTIVITY_MESSAGE_H_
#define CLIENT_ACTIVITY_MESSAGE_H_

#include <string>

#include "absl/status/statusor.h"

#include "client/activity.h"

namespace relu {

inline constexpr char kActivityMethod[] = "/relu.v1.ReluService/GetActivity";

std::string EncodeActivityRequest(const ActivityRequest& request);

// INTERNAL if these bytes are no answer.
absl::StatusOr<ActivityResult> DecodeActivityResponse(const std::string& bytes);

}  // namespace relu

#endif  // CLIENT_ACTIVITY_MESSAGE_H_
