#include "client/call_status.h"

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "grpcpp/support/status.h"

#include "client/client_options.h"
#include "fmt/format.h"

namespace relu {

absl::Status FromGrpcStatus(const grpc::Status& status,
                            std::string_view address) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  // Both enumerate the same canonical codes, with the same numbers.
  absl::Status result(
      static_cast<absl::StatusCode>(status.error_code()),
      status.error_code() == grpc::StatusCode::UNAVAILABLE
          ? fmt::format("server \"{}\": {}", address, status.error_message())
          : status.error_message());
  if (!status.error_details().empty()) {
    result.SetPayload(kStatusDetailsUrl, absl::Cord(status.error_details()));
  }
  return result;
}

}  // namespace relu
