#include "server/http/http_parser.h"

#include <cstddef>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "fmt/format.h"
#include "server/http/byte_budget.h"
#include "server/http/compression.h"
#include "server/http/http_limits.h"
#include "server/http/http_message.h"
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/status.hpp>

namespace relu {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

constexpr int kBadRequest = 400;
constexpr int kPayloadTooLarge = 413;
constexpr int kUnsupportedMediaType = 415;
constexpr int kHeaderTooLarge = 431;
constexpr int kNotImplemented = 501;
constexpr int kUnavailable = 503;

// Answers that are shorter than a packet gain nothing from being packed.
constexpr std::size_t kMinPackedBytes = 1024;

}  // namespace

Refusal ParseRefusal(const error_code& error, const HttpLimits& limits) {
  if (error == http::error::body_limit) {
    return {kPayloadTooLarge,
            fmt::format("the body is larger than the limit of {} bytes",
                        limits.max_body_bytes)};
  }
  if (error == http::error::header_limit) {
    return {kHeaderTooLarge,
            fmt::format("the header is larger than the limit of {} bytes",
                        limits.max_header_bytes)};
  }
  if (error == http::error::buffer_overflow) {
    return {kUnavailable,
            "requests in flight take all the memory that they may: try again"};
  }
  return {kBadRequest, fmt::format("no HTTP/1.1 request: {}", error.message())};
}

std::size_t Put(HttpParser& parser, boost::asio::const_buffer bytes,
                error_code& error) {
  try {
    return parser.put(bytes, error);
  } catch (const std::length_error&) {
    error = http::error::header_limit;
    return 0;
  }
}

std::size_t CountFields(const HttpFields& fields) {
  return static_cast<std::size_t>(std::distance(fields.begin(), fields.end()));
}

void DropTrailers(std::size_t count, HttpFields& fields) {
  for (std::size_t left = CountFields(fields); left > count; --left) {
    fields.erase(std::prev(fields.end()));
  }
}

std::optional<Refusal> RefuseTransferCoding(const HttpFields& fields) {
  const auto [first, last] = fields.equal_range(http::field::transfer_encoding);
  if (first == last || (std::next(first) == last &&
                        boost::beast::iequals(first->value(), "chunked"))) {
    return std::nullopt;
  }
  return Refusal{kNotImplemented,
                 "the Transfer-Encoding is not \"chunked\" alone"};
}

std::optional<Refusal> UnpackBody(std::string_view content_encoding,
                                  const HttpLimits& limits, BytesTaken& taken,
                                  std::string& body) {
  const ContentCoding coding = ParseContentCoding(content_encoding);
  if (coding == ContentCoding::kIdentity) {
    return std::nullopt;
  }
  if (coding == ContentCoding::kUnknown) {
    return Refusal{kUnsupportedMediaType,
                   "Content-Encoding: expected gzip, deflate or identity"};
  }
  const absl::StatusOr<std::size_t> bytes =
      UnpackedBytes(body, limits.max_body_bytes);
  if (!bytes.ok()) {
    return Refusal{absl::IsResourceExhausted(bytes.status()) ? kPayloadTooLarge
                                                             : kBadRequest,
                   std::string(bytes.status().message())};
  }
  if (!taken.Take(*bytes)) {
    return ParseRefusal(http::error::buffer_overflow, limits);
  }
  body = Decompress(body, *bytes);
  return std::nullopt;
}

void PackBody(std::string_view accept_encoding, HttpResponse& response) {
  if (response.body.size() < kMinPackedBytes) {
    return;
  }
  const ContentCoding coding = ChooseContentCoding(accept_encoding);
  if (coding != ContentCoding::kIdentity) {
    response.body = Compress(response.body, coding);
    response.headers.emplace_back("Content-Encoding",
                                  ContentCodingName(coding));
    response.headers.emplace_back("Vary", "Accept-Encoding");
  }
}

std::string ResponseHead(const HttpResponse& response, bool keep_alive,
                         unsigned version) {
  std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n",
      response.status,
      std::string_view(
          http::obsolete_reason(static_cast<http::status>(response.status))),
      response.content_type, response.body.size());
  for (const auto& [name, value] : response.headers) {
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
  }
  constexpr unsigned kHttp10 = 10;
  if (!keep_alive) {
    head += "Connection: close\r\n";
  } else if (version == kHttp10) {
    head += "Connection: keep-alive\r\n";
  }
  return head += "\r\n";
}

}  // namespace relu
