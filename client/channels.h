// The connections of a client: gRPC channels with the settings that we want.

#ifndef CLIENT_CHANNELS_H_
#define CLIENT_CHANNELS_H_

#include <memory>
#include <string_view>
#include <vector>

#include "grpcpp/channel.h"

namespace relu {

// Opens `count` channels to `address`, each with a connection of its own. None
// connects before its first call. Without encryption.
std::vector<std::shared_ptr<grpc::Channel>> OpenChannels(
    std::string_view address, int count);

// True if `address` names this host, which no proxy can reach for us.
bool IsLocalAddress(std::string_view address);

}  // namespace relu

#endif  // CLIENT_CHANNELS_H_
