// From the messages of the V2 protocol that say what a server is and has to the
// types of server_info.h, and back.

#ifndef CLIENT_INFO_MESSAGE_H_
#define CLIENT_INFO_MESSAGE_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "client/server_info.h"
#include "proto/inference.pb.h"

namespace relu {

ServerMetadata FromMessage(const inference::ServerMetadataResponse& message);
ModelMetadata FromMessage(const inference::ModelMetadataResponse& message);
std::vector<ModelIndexEntry> FromMessage(
    const inference::RepositoryIndexResponse& message);
std::vector<ModelStatistics> FromMessage(
    const inference::ModelStatisticsResponse& message);
// INTERNAL if the config cannot be written as text.
absl::StatusOr<ModelConfiguration> FromMessage(
    const inference::ModelConfigResponse& message);

inference::RepositoryModelLoadRequest ToMessage(
    std::string_view model, const LoadModelOptions& options);

}  // namespace relu

#endif  // CLIENT_INFO_MESSAGE_H_
