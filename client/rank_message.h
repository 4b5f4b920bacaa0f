// The messages of relu.v1.ReluService/Rank from and to bytes.

#ifndef CLIENT_RANK_MESSAGE_H_
#define CLIENT_RANK_MESSAGE_H_

#include <string>

#include "absl/status/statusor.h"

#include "client/rank.h"

namespace relu {

inline constexpr char kRankMethod[] = "/relu.v1.ReluService/Rank";

std::string EncodeRankRequest(const RankRequest& request);

// INTERNAL if these bytes are no answer, or one that contradicts itself.
absl::StatusOr<RankResult> DecodeRankResponse(const std::string& bytes);

}  // namespace relu

#endif  // CLIENT_RANK_MESSAGE_H_
