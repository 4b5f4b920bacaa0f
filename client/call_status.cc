#include "client/call_status.h"

#include <string_view>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

#include "fmt/format.h"

namespace relu {

absl::Status FromGrpcStatus(const grpc::Status& status,
                            std::string_view address) {
  if (status.ok()) {
    return absl::OkStatus();
  }
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return absl::UnavailableError(
        fmt::format("server \"{}\": {}", address, status.error_message()));
  }
  // Both enumerate the same canonical codes, with the same numbers.
  return {static_cast<absl::StatusCode>(status.error_code()),
          status.error_message()};
}

}  // namespace relu
