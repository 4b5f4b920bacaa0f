#include "client/channels.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "grpc/impl/codegen/grpc_types.h"
#include "grpcpp/channel.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace relu {
namespace {

// A client that starts just before its server, or outlives a restart of it,
// goes on within this time. (gRPC's own: from 1 s up to 120 s.)
constexpr int kInitialBackoffMs = 100;
constexpr int kMaxBackoffMs = 2'000;

grpc::ChannelArguments Arguments(std::string_view address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // Unlimited; gRPC's default is 4 MB.
  // Channels with equal arguments would share one connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kInitialBackoffMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kMaxBackoffMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxBackoffMs);
  if (IsLocalAddress(address)) {
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  }
  return arguments;
}

}  // namespace

bool IsLocalAddress(std::string_view address) {
  if (address.starts_with("unix:")) {
    return true;
  }
  for (const std::string_view scheme : {"dns:///", "dns:", "ipv4:", "ipv6:"}) {
    if (address.starts_with(scheme)) {
      address.remove_prefix(scheme.size());
      break;
    }
  }
  return address == "localhost" || address.starts_with("localhost:") ||
         address.starts_with("127.") || address == "::1" ||
         address.starts_with("[::1]");
}

std::vector<std::shared_ptr<grpc::Channel>> OpenChannels(
    std::string_view address, int count) {
  const grpc::ChannelArguments arguments = Arguments(address);
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  channels.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    channels.push_back(grpc::CreateCustomChannel(
        std::string(address), grpc::InsecureChannelCredentials(), arguments));
  }
  return channels;
}

}  // namespace relu
