// The connections of a client: gRPC channels with the settings that we want.

#ifndef CLIENT_CHANNELS_H_
#define CLIENT_CHANNELS_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"

#include "client/client_options.h"
#include "client/serving_channel.h"
#include "client/target.h"
#include "core/base/mutex.h"

namespace relu {

// Thread-safe.
class Channels {
 public:
  // None connects before its first call. INVALID_ARGUMENT, naming it, if an
  // option is out of range; else the errors of ParseTarget().
  static absl::StatusOr<std::unique_ptr<Channels>> Open(
      std::string_view address, const ClientOptions& options);

  // For Open() only.
  Channels(Target target, const ClientOptions& options);

  // The channel whose turn it is; it lives as long as this. With retries: gRPC
  // sends calls again, if their method allows that.
  ServingChannel& Next(bool retries = true) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using List = std::vector<std::unique_ptr<ServingChannel>>;

  List OpenAll(bool retries) const;

  const Target target_;
  const ClientOptions options_;
  const List retrying_;
  std::atomic<std::size_t> next_{0};
  Mutex mu_;
  // Opened when they are first wanted: many clients never do.
  List not_retrying_ ABSL_GUARDED_BY(mu_);
};

}  // namespace relu

#endif  // CLIENT_CHANNELS_H_
