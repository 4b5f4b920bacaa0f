#include "server/http_status.h"

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

#include "server/http/http_message.h"
#include "server/json_text.h"
#include "server/text.h"

namespace relu {
namespace {

constexpr int kUnauthorized = 401;
constexpr int kTooManyRequests = 429;
constexpr int kUnavailable = 503;

// Longer ones are cut: they may quote what a client sent.
constexpr std::size_t kMaxErrorTextBytes = 2000;

// Carried through to the answer, so that proxies and logs can join the two.
constexpr const char* kEchoedHeaders[] = {"traceparent", "tracestate",
                                          "X-Request-Id"};
constexpr std::size_t kMaxEchoedBytes = 512;

}  // namespace

int HttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kUnauthenticated:
      return kUnauthorized;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kResourceExhausted:
      return kTooManyRequests;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
      return 500;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return kUnavailable;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 400;
  }
}

HttpResponse ErrorResponse(const absl::Status& status) {
  return ErrorResponse(
      HttpStatus(status.code()),
      std::string_view(status.message().data(), status.message().size()));
}

HttpResponse ErrorResponse(int http_status, std::string_view message) {
  HttpResponse response;
  response.status = http_status;
  response.body = "{\"error\":";
  AppendJsonString(Printable(message, kMaxErrorTextBytes), response.body);
  response.body += '}';
  if (http_status == kUnauthorized) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  }
  if (http_status == kTooManyRequests || http_status == kUnavailable) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

void EchoHeaders(const HttpCall& call, HttpResponse& response) {
  for (const char* name : kEchoedHeaders) {
    const std::string_view value = call.header(name);
    if (!value.empty() && value.size() <= kMaxEchoedBytes) {
      response.headers.emplace_back(name, value);
    }
  }
}

}  // namespace relu
