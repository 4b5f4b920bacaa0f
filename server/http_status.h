// The one mapping from our errors to those of HTTP, and what else every answer
// has.

#ifndef SERVER_HTTP_STATUS_H_
#define SERVER_HTTP_STATUS_H_

#include <string_view>

#include "absl/status/status.h"

#include "server/http/http_message.h"

namespace relu {

// Triton's, and for codes that it does not tell apart what HTTP has for them:
//
//   NOT_FOUND 404          UNAVAILABLE 503         UNAUTHENTICATED 401
//   UNIMPLEMENTED 501      RESOURCE_EXHAUSTED 429  PERMISSION_DENIED 403
//   INTERNAL, UNKNOWN,     DEADLINE_EXCEEDED 504   CANCELLED 499
//   DATA_LOSS 500          all others 400
int HttpStatus(absl::StatusCode code);

// {"error":"..."}, with Retry-After where the client may try again, and
// WWW-Authenticate where it wants a token.
HttpResponse ErrorResponse(const absl::Status& status);
HttpResponse ErrorResponse(int http_status, std::string_view message);

// Carries the trace and the id of a request, if it has them, over to its
// answer.
void EchoHeaders(const HttpCall& call, HttpResponse& response);

}  // namespace relu

#endif  // SERVER_HTTP_STATUS_H_
