#include "client/cli/outcome.h"

#include <string>
#include <string_view>

#include "absl/status/status.h"

#include "client/cli/display_text.h"
#include "fmt/format.h"

namespace relu {

Outcome WrongInput(const absl::Status& status) {
  return {.code = ExitCode::kWrongInput,
          .out = {},
          .err = ErrorLine(std::string(status.message()))};
}

Outcome CallFailed(const absl::Status& status) {
  const bool unreachable =
      absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
  return {.code = unreachable ? ExitCode::kUnreachable : ExitCode::kRefused,
          .out = {},
          .err = ErrorLine(fmt::format("{}: {}",
                                       absl::StatusCodeToString(status.code()),
                                       std::string(status.message())))};
}

std::string ErrorLine(std::string_view message) {
  return fmt::format("reluctl: {}\n", EscapeControl(message));
}

}  // namespace relu
