#include "server/http/http_parser.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "server/http/byte_budget.h"
#include "server/http/compression.h"
#include <boost/asio/buffer.hpp>

namespace relu {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using testing::HasSubstr;

TEST(HttpParserTest, BodiesTakeTheirBytesFromTheBudget) {
  ByteBudget budget(10);
  BytesTaken taken(budget);
  HttpParser parser;
  parser.eager(true);
  parser.get().body().taken = &taken;
  const std::string request = "POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n";
  error_code error;
  parser.put(boost::asio::buffer(request), error);
  EXPECT_FALSE(error) << error.message();
  EXPECT_FALSE(parser.is_done());
  // What is announced is not yet taken.
  EXPECT_TRUE(budget.Take(10));
  budget.GiveBack(10);
  parser.put(boost::asio::buffer(std::string("12345678")), error);
  EXPECT_FALSE(error) << error.message();
  EXPECT_TRUE(parser.is_done());
  EXPECT_EQ(parser.get().body().text, "12345678");
  EXPECT_FALSE(budget.Take(3));
  taken.Clear();
  EXPECT_TRUE(budget.Take(10));
}

TEST(HttpParserTest, UnpackedBodiesTakeTheirBytesFromTheBudget) {
  const HttpLimits limits;
  ByteBudget budget(1000);
  BytesTaken taken(budget);
  const std::string fits =
      Compress(std::string(1000, 'x'), ContentCoding::kGzip);
  const std::string bomb =
      Compress(std::string(1001, 'x'), ContentCoding::kGzip);
  std::string body = bomb;
  const auto refusal = UnpackBody("gzip", limits, taken, body);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->status, 503);
  EXPECT_EQ(body, bomb);
  body = fits;
  EXPECT_FALSE(UnpackBody("gzip", limits, taken, body).has_value());
  EXPECT_EQ(body, std::string(1000, 'x'));
  EXPECT_FALSE(budget.Take(1));
}

TEST(HttpParserTest, RefusalsHaveTheirStatusAndWords) {
  const HttpLimits limits = {.max_body_bytes = 7, .max_header_bytes = 8};
  const auto body = ParseRefusal(http::error::body_limit, limits);
  EXPECT_EQ(body.status, 413);
  EXPECT_THAT(body.message, HasSubstr("7 bytes"));
  const auto header = ParseRefusal(http::error::header_limit, limits);
  EXPECT_EQ(header.status, 431);
  EXPECT_THAT(header.message, HasSubstr("8 bytes"));
  EXPECT_EQ(ParseRefusal(http::error::buffer_overflow, limits).status, 503);
  EXPECT_EQ(ParseRefusal(http::error::bad_method, limits).status, 400);
}

TEST(HttpParserTest, HeadsNameWhatFollows) {
  HttpResponse response;
  response.status = 404;
  response.body = "12345";
  response.headers = {{"Name", "value"}};
  EXPECT_EQ(ResponseHead(response, /*keep_alive=*/true, 11),
            "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
            "Content-Length: 5\r\nName: value\r\n\r\n");
  EXPECT_THAT(ResponseHead(response, /*keep_alive=*/true, 10),
              HasSubstr("\r\nConnection: keep-alive\r\n"));
  EXPECT_THAT(ResponseHead(response, /*keep_alive=*/false, 11),
              HasSubstr("\r\nConnection: close\r\n"));
}

}  // namespace
}  // namespace relu
