// The LogSettings RPC: reads and changes what is logged, with Triton's names.

#ifndef SERVER_LOG_HANDLER_H_
#define SERVER_LOG_HANDLER_H_

#include "absl/status/status.h"

namespace inference {
class LogSettingsRequest;
class LogSettingsResponse;
}  // namespace inference

namespace relu {

// Changes the settings that are named, all or none, and answers with all:
//
//   log_info, log_warning, log_error   bool: whether such lines are written
//   log_verbose_level                  uint32: 1 for debug lines, 2 and more
//                                      for trace lines too
//   log_format                         "default" (Triton's), "ISO8601", "JSON"
//   log_file                           read only
//
// Errors: INVALID_ARGUMENT for a setting that does not exist, or a value of
// another type or out of range; UNIMPLEMENTED for log_file: a client must not
// choose where the server writes. Thread-safe.
absl::Status UpdateLogSettings(const inference::LogSettingsRequest& request,
                               inference::LogSettingsResponse& response);

}  // namespace relu

#endif  // SERVER_LOG_HANDLER_H_
