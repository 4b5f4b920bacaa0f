// What goes over the wire: the parser of requests, and the form of answers.

#ifndef SERVER_HTTP_HTTP_PARSER_H_
#define SERVER_HTTP_HTTP_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/http/byte_budget.h"
#include "server/http/http_limits.h"
#include "server/http/http_message.h"
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>

namespace relu {

// A body of one string that takes its memory from a budget, as it arrives: what
// a client announces costs nothing.
struct BudgetedBody {
  // The names that Beast wants of a body.
  // NOLINTBEGIN(readability-identifier-naming)
  struct value_type {
    std::string text;
    BytesTaken* taken = nullptr;  // Set before the body is read.
  };

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(boost::beast::http::header<is_request, Fields>& /*header*/,
           value_type& body)
        : body_(body) {}

    void init(const boost::optional<std::uint64_t>& /*length*/,
              boost::system::error_code& error) {
      error = {};
    }

    template <class Buffers>
    std::size_t put(const Buffers& buffers, boost::system::error_code& error) {
      const std::size_t size = boost::beast::buffer_bytes(buffers);
      error = {};
      if (!body_.taken->Take(size)) {
        error = boost::beast::http::error::buffer_overflow;
        return 0;
      }
      for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
        body_.text.append(static_cast<const char*>(buffer.data()),
                          buffer.size());
      }
      return size;
    }

    void finish(boost::system::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
  // NOLINTEND(readability-identifier-naming)
};

using HttpParser = boost::beast::http::request_parser<BudgetedBody>;

// parser.put(), whose exceptions become errors: of Beast's fields, one of 64
// KiB throws.
std::size_t Put(HttpParser& parser, boost::asio::const_buffer bytes,
                boost::system::error_code& error);

using HttpFields = boost::beast::http::fields;

std::size_t CountFields(const HttpFields& fields);

// Leaves the first `count`, those of the header: fields that come after the
// body were not there when the request was judged (RFC 9110, 6.5.1).
void DropTrailers(std::size_t count, HttpFields& fields);

// Why a request is not taken.
struct Refusal {
  int status = 0;  // Of HTTP.
  std::string message;
};

// For a request that the parser refuses with `error`.
Refusal ParseRefusal(const boost::system::error_code& error,
                     const HttpLimits& limits);

// If the field Transfer-Encoding says anything but "chunked": a proxy might see
// the request end elsewhere (RFC 9112, 6.1).
std::optional<Refusal> RefuseTransferCoding(const HttpFields& fields);

// Undoes the coding that the field Content-Encoding names.
std::optional<Refusal> UnpackBody(std::string_view content_encoding,
                                  const HttpLimits& limits, BytesTaken& taken,
                                  std::string& body);

// Packs the body if it is long and the client takes it.
void PackBody(std::string_view accept_encoding, HttpResponse& response);

// The status line and the fields of an answer to a client of HTTP version 10 or
// 11.
std::string ResponseHead(const HttpResponse& response, bool keep_alive,
                         unsigned version);

}  // namespace relu

#endif  // SERVER_HTTP_HTTP_PARSER_H_
