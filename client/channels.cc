#include "client/channels.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpc/impl/codegen/grpc_types.h"
#include "grpcpp/channel.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

#include "client/client_options.h"
#include "client/service_config.h"
#include "client/serving_channel.h"
#include "client/target.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

using std::chrono::milliseconds;

constexpr int kMaxChannels = 1024;
// A client that starts just before its server, or outlives a restart of it,
// goes on soon. (gRPC's own: from 1 s up to 120 s.)
constexpr milliseconds kFirstReconnectBackoff(100);
// A call of a few large tensors may be sent again, too. (gRPC's own: 256 KB; it
// keeps what it has sent until the answer anyway.)
constexpr int kRetryBufferBytes = 1 << 30;

int Int(milliseconds time) {
  return static_cast<int>(std::clamp<milliseconds::rep>(
      time.count(), 0, std::numeric_limits<int>::max()));
}

void SetReconnect(const ClientOptions& options,
                  grpc::ChannelArguments& arguments) {
  const milliseconds most = options.max_reconnect_backoff;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
                   Int(std::min(kFirstReconnectBackoff, most)));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, Int(most));
  // How long one attempt may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                   Int(std::max(most, milliseconds(1'000))));
}

void SetKeepalive(const KeepaliveOptions& options,
                  grpc::ChannelArguments& arguments) {
  if (options.interval > milliseconds(0)) {
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Int(options.interval));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Int(options.timeout));
    arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  }
}

grpc::ChannelArguments ArgumentsFor(const Target& target,
                                    const ClientOptions& options, bool retries,
                                    const std::string& connection) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // Unlimited; gRPC's default is 4 MB.
  // Channels with equal arguments share their connections.
  arguments.SetString("relu.connection", connection);
  SetReconnect(options, arguments);
  SetKeepalive(options.keepalive, arguments);
  arguments.SetServiceConfigJSON(ServiceConfig(options, retries));
  // What a name server says of the service would replace that.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, retries ? 1 : 0);
  arguments.SetInt(GRPC_ARG_PER_RPC_RETRY_BUFFER_SIZE, kRetryBufferBytes);
  if (options.retry.attempt_timeout > milliseconds(0)) {
    // gRPC 1.51 takes perAttemptRecvTimeout only with this.
    arguments.SetInt(GRPC_ARG_EXPERIMENTAL_ENABLE_HEDGING, 1);
  }
  if (!target.authority.empty()) {
    arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, target.authority);
  }
  if (options.tls.enabled && !options.tls.server_name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls.server_name);
  }
  if (IsLocal(target.uri)) {
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  }
  return arguments;
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(const TlsOptions& tls) {
  if (!tls.enabled) {
    return grpc::InsecureChannelCredentials();
  }
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = tls.root_certificates;
  options.pem_cert_chain = tls.certificate_chain;
  options.pem_private_key = tls.private_key;
  return grpc::SslCredentials(options);
}

absl::Status CheckOptions(const ClientOptions& options) {
  if (options.channels < 1 || options.channels > kMaxChannels) {
    return absl::InvalidArgumentError(
        fmt::format("channels: {}, from 1 to {} are possible", options.channels,
                    kMaxChannels));
  }
  if (options.default_timeout <= milliseconds(0)) {
    return absl::InvalidArgumentError(
        fmt::format("default_timeout: {} ms, it must be above 0",
                    options.default_timeout.count()));
  }
  if (options.max_reconnect_backoff <= milliseconds(0)) {
    return absl::InvalidArgumentError(
        fmt::format("max_reconnect_backoff: {} ms, it must be above 0",
                    options.max_reconnect_backoff.count()));
  }
  if (options.tls.certificate_chain.empty() !=
      options.tls.private_key.empty()) {
    return absl::InvalidArgumentError(
        "tls: certificate_chain and private_key are wanted together");
  }
  return CheckServiceConfig(options);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Channels>> Channels::Open(
    std::string_view address, const ClientOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  ASSIGN_OR_RETURN(Target target, ParseTarget(address));
  return std::make_unique<Channels>(std::move(target), options);
}

Channels::Channels(Target target, const ClientOptions& options)
    : target_(std::move(target)),
      options_(options),
      retrying_(OpenAll(/*retries=*/true)) {}

ServingChannel& Channels::Next(bool retries) {
  // Relaxed: only a number, whose order with other memory does not matter.
  const std::size_t turn = next_.fetch_add(1, std::memory_order_relaxed);
  if (retries) {
    return *retrying_[turn % retrying_.size()];
  }
  const MutexLock lock(mu_);
  if (not_retrying_.empty()) {
    not_retrying_ = OpenAll(/*retries=*/false);
  }
  return *not_retrying_[turn % not_retrying_.size()];
}

Channels::List Channels::OpenAll(bool retries) const {
  const auto credentials = CredentialsOf(options_.tls);
  List channels;
  for (int i = 0; i < options_.channels; ++i) {
    // Of no other client, and no other channel.
    const std::string connection =
        fmt::format("{} {}", static_cast<const void*>(this), i);
    grpc::ChannelArguments arguments =
        ArgumentsFor(target_, options_, retries, connection);
    std::shared_ptr<grpc::Channel> checked;
    if (ChecksHealth(options_.balancing)) {
      checked = grpc::CreateCustomChannel(target_.uri, credentials, arguments);
    }
    // Shares the connections: gRPC takes this as no difference between them.
    arguments.SetInt(GRPC_ARG_INHIBIT_HEALTH_CHECKING, 1);
    channels.push_back(std::make_unique<ServingChannel>(
        std::move(checked),
        grpc::CreateCustomChannel(target_.uri, credentials, arguments)));
  }
  return channels;
}

}  // namespace relu
