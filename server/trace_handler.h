// The TraceSetting RPC: reads and changes which inferences get a line in the
// access log, with Triton's names.

#ifndef SERVER_TRACE_HANDLER_H_
#define SERVER_TRACE_HANDLER_H_

#include "absl/status/status.h"

namespace inference {
class TraceSettingRequest;
class TraceSettingResponse;
}  // namespace inference

namespace relu {

class AccessLog;

// Changes the settings that are named, all or none, and answers with all:
//
//   trace_level    "TIMESTAMPS": inferences are traced; "OFF": none is
//   trace_rate     one of so many inferences is traced
//   trace_count    read only, "-1": there is no end to it
//   trace_mode     read only, "log": a trace is a line of the log
//
// A setting without a value takes that of the start again. Errors:
// INVALID_ARGUMENT for a setting that does not exist, or a value out of range;
// UNIMPLEMENTED for what Triton has and relud does not: tensors in traces, an
// end, files, and settings of single models. Thread-safe.
absl::Status UpdateTraceSettings(const inference::TraceSettingRequest& request,
                                 AccessLog& access_log,
                                 inference::TraceSettingResponse& response);

}  // namespace relu

#endif  // SERVER_TRACE_HANDLER_H_
