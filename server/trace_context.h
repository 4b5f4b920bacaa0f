// TraceContext: which trace a request belongs to, as the W3C header traceparent
// says.

#ifndef SERVER_TRACE_CONTEXT_H_
#define SERVER_TRACE_CONTEXT_H_

#include <optional>
#include <string_view>

namespace relu {

// Borrows from the header.
struct TraceContext {
  std::string_view trace_id;   // 32 digits, lower-case hexadecimal.
  std::string_view parent_id;  // 16: the span of the caller.
  bool sampled = false;        // The caller may have recorded it.
};

// nullopt if it is none: https://www.w3.org/TR/trace-context-1/ says what is.
std::optional<TraceContext> ParseTraceparent(std::string_view header);

}  // namespace relu

#endif  // SERVER_TRACE_CONTEXT_H_
