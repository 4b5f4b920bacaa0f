#include "server/http/http_connection.h"

#include <chrono>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "fmt/format.h"
#include "server/http/compression.h"
#include "server/http/http_server.h"
#include "tests/server/http/http_fixture.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::AnyOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kGetPath =
    "GET /path?q=1 HTTP/1.1\r\nHost: h\r\n\r\n";

std::string Post(std::string_view target, std::string_view body,
                 std::string_view fields = "") {
  return fmt::format("POST {} HTTP/1.1\r\nContent-Length: {}\r\n{}\r\n{}",
                     target, body.size(), fields, body);
}

TEST(HttpConnectionTest, AnswersOneRequestAfterTheOther) {
  HttpFixture http;
  HttpClient client(http.port());
  for (int i = 0; i < 3; ++i) {
    client.Send(kGetPath);
    EXPECT_THAT(client.Read(), AllOf(StartsWith("HTTP/1.1 200 OK\r\n"),
                                     HasSubstr("Content-Type: text/plain\r\n"),
                                     EndsWith("\r\n\r\nGET /path?q=1 ")));
  }
}

TEST(HttpConnectionTest, AnswersRequestsThatWereSentTogetherInOrder) {
  HttpFixture http;
  HttpClient client(http.port());
  client.Send(Post("/a", "first") + Post("/b", "second") +
              std::string(kGetPath));
  EXPECT_THAT(client.Read(), EndsWith("POST /a first"));
  EXPECT_THAT(client.Read(), EndsWith("POST /b second"));
  EXPECT_THAT(client.Read(), EndsWith("GET /path?q=1 "));
}

TEST(HttpConnectionTest, ReadsBodiesThatComeInPieces) {
  HttpFixture http;
  HttpClient client(http.port());
  const std::string body(300'000, 'b');
  const std::string request = Post("/", body);
  for (std::size_t at = 0; at < request.size(); at += 70'001) {
    client.Send(request.substr(at, 70'001));
  }
  EXPECT_THAT(client.Read(), EndsWith("POST / " + body));
}

TEST(HttpConnectionTest, ReadsChunkedBodies) {
  HttpFixture http;
  EXPECT_THAT(http.Fetch("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"),
              EndsWith("POST / abcdefg"));
}

constexpr std::string_view kChunkedPost =
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(HttpConnectionTest, FieldsAfterTheBodyAreNoHeader) {
  HttpFixture http;
  HttpClient client(http.port());
  client.Send(std::string(kChunkedPost) +
              "3\r\nabc\r\n0\r\nContent-Encoding: gzip\r\n\r\n" +
              std::string(kGetPath));
  EXPECT_THAT(client.Read(),
              AllOf(StartsWith("HTTP/1.1 200 OK\r\n"), EndsWith("POST / abc")));
  EXPECT_THAT(client.Read(), EndsWith("GET /path?q=1 "));
}

// One whose value has 64 KiB, which Beast throws at, and some without end.
TEST(HttpConnectionTest, FieldsAfterTheBodyAreLimited) {
  HttpFixture http;
  for (const std::size_t size : {65'536U, 4'000'000U}) {
    HttpClient client(http.port());
    client.Send(std::string(kChunkedPost) +
                "0\r\na: " + std::string(size, 'b') + "\r\n\r\n");
    EXPECT_THAT(client.Read(), StartsWith("HTTP/1.1 431 "));
  }
}

TEST(HttpConnectionTest, TheLinesOfChunksAreLimited) {
  HttpFixture http;
  HttpClient client(http.port());
  client.Send(std::string(kChunkedPost) + "3;" + std::string(4'000'000, 'x'));
  EXPECT_THAT(client.Read(), StartsWith("HTTP/1.1 431 "));
}

// Whoever stands between might see the request end elsewhere.
TEST(HttpConnectionTest, OtherTransferCodingsAreRefused) {
  HttpFixture http;
  for (const std::string_view coding :
       {"xchunked", "gzip, chunked", "chunked, identity",
        "chunked\r\nTransfer-Encoding: chunked"}) {
    HttpClient client(http.port());
    client.Send(
        fmt::format("POST / HTTP/1.1\r\nTransfer-Encoding: {}\r\n\r\n{}",
                    coding, kGetPath));
    EXPECT_THAT(client.Read(),
                AnyOf(StartsWith("HTTP/1.1 501 "), StartsWith("HTTP/1.1 400 ")))
        << coding;
    EXPECT_EQ(client.ReadToEnd(), "") << coding;
  }
}

TEST(HttpConnectionTest, HeadGetsTheHeaderAlone) {
  HttpFixture http;
  HttpClient client(http.port());
  client.Send("HEAD /x HTTP/1.1\r\n\r\n" + std::string(kGetPath));
  EXPECT_THAT(client.Read(/*has_body=*/false),
              AllOf(HasSubstr("Content-Length: 8\r\n"), EndsWith("\r\n\r\n")));
  EXPECT_THAT(client.Read(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(HttpConnectionTest, ClosesWhenTheClientAsksForIt) {
  HttpFixture http;
  HttpClient client(http.port());
  client.Send("GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.ReadToEnd(), HasSubstr("Connection: close\r\n"));
  HttpClient old(http.port());
  old.Send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old.ReadToEnd(), HasSubstr("Connection: close\r\n"));
}

TEST(HttpConnectionTest, KeepsAnOldClientThatAsksForIt) {
  HttpFixture http;
  HttpClient client(http.port());
  client.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(client.Read(), HasSubstr("Connection: keep-alive\r\n"));
  client.Send(kGetPath);
  EXPECT_THAT(client.Read(), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST(HttpConnectionTest, TellsAClientThatWaitsToGoOn) {
  HttpFixture http;
  HttpClient client(http.port());
  client.Send(
      "POST / HTTP/1.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Read(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("body");
  EXPECT_THAT(client.Read(), EndsWith("POST / body"));
}

TEST(HttpConnectionTest, RefusesBeforeTheBodyAndCloses) {
  HttpFixture http;
  HttpClient client(http.port());
  // Far more than the sockets hold: it is thrown away.
  client.Send("POST /refused HTTP/1.1\r\nContent-Length: 90000\r\n\r\n" +
              std::string(80'000, 'x'));
  EXPECT_THAT(client.ReadToEnd(),
              AllOf(StartsWith("HTTP/1.1 401 Unauthorized\r\n"),
                    HasSubstr("Connection: close\r\n"), EndsWith("refused")));
}

TEST(HttpConnectionTest, BodiesBeyondTheLimitAreRefused) {
  HttpServerOptions options;
  options.limits.max_body_bytes = 10;
  HttpFixture http(options);
  EXPECT_THAT(http.Fetch(Post("/", "0123456789")), EndsWith("0123456789"));
  EXPECT_THAT(http.Fetch("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 413 "), HasSubstr("10 bytes")));
  EXPECT_THAT(http.Fetch("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "b\r\n01234567890\r\n0\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
}

TEST(HttpConnectionTest, HeadersBeyondTheLimitAreRefused) {
  HttpServerOptions options;
  options.limits.max_header_bytes = 1000;
  HttpFixture http(options);
  EXPECT_THAT(
      http.Fetch("GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n"),
      StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(http.Fetch("GET /" + std::string(100'000, 'x')),
              StartsWith("HTTP/1.1 431 "));
}

TEST(HttpConnectionTest, BodiesTogetherBeyondTheBudgetAreRefused) {
  HttpServerOptions options;
  options.max_bodies_bytes = 100;
  HttpFixture http(options);
  EXPECT_THAT(http.Fetch(Post("/", std::string(101, 'x'))),
              StartsWith("HTTP/1.1 503 "));
  HttpClient holds(http.port());
  holds.Send(Post("/held", std::string(60, 'x')));
  http.shared().held.wait();
  EXPECT_THAT(http.Fetch(Post("/", std::string(60, 'x'))),
              StartsWith("HTTP/1.1 503 "));
  http.shared().release.count_down();
  EXPECT_THAT(holds.Read(), StartsWith("HTTP/1.1 200 "));
  // What was taken has been given back.
  EXPECT_THAT(http.Fetch(Post("/", std::string(100, 'x'))),
              StartsWith("HTTP/1.1 200 "));
}

TEST(HttpConnectionTest, WhatIsNoHttpIsRefused) {
  HttpFixture http;
  for (const std::string bad :
       {"\x16\x03\x01 nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nno field\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"}) {
    EXPECT_THAT(http.Fetch(bad), StartsWith("HTTP/1.1 400 ")) << bad;
  }
}

TEST(HttpConnectionTest, TwoLengthsOfOneBodyAreRefused) {
  // Else a proxy in front could see other requests than we do.
  HttpFixture http;
  for (const std::string fields :
       {"Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"}) {
    EXPECT_THAT(http.Fetch("POST / HTTP/1.1\r\n" + fields + "\r\n0\r\n\r\nGET"),
                StartsWith("HTTP/1.1 400 "))
        << fields;
  }
}

TEST(HttpConnectionTest, PackedBodiesAreUnpacked) {
  HttpFixture http;
  for (const ContentCoding coding :
       {ContentCoding::kGzip, ContentCoding::kDeflate}) {
    EXPECT_THAT(http.Fetch(Post("/", Compress("unpacked", coding),
                                fmt::format("Content-Encoding: {}\r\n",
                                            ContentCodingName(coding)))),
                EndsWith("POST / unpacked"));
  }
}

TEST(HttpConnectionTest, PackedBodiesKeepTheLimit) {
  HttpServerOptions options;
  options.limits.max_body_bytes = 1000;
  HttpFixture http(options);
  const auto send = [&](std::string_view body, std::string_view coding) {
    return http.Fetch(
        Post("/", body, fmt::format("Content-Encoding: {}\r\n", coding)));
  };
  EXPECT_THAT(
      send(Compress(std::string(1001, 'x'), ContentCoding::kGzip), "gzip"),
      StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(send("no gzip", "gzip"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(send("no brotli", "br"), StartsWith("HTTP/1.1 415 "));
}

TEST(HttpConnectionTest, LongAnswersArePackedForClientsThatTakeIt) {
  HttpFixture http;
  const std::string plain = http.Fetch("GET /large HTTP/1.1\r\n\r\n");
  EXPECT_THAT(plain, Not(HasSubstr("Content-Encoding")));
  const std::string packed =
      http.Fetch("GET /large HTTP/1.1\r\nAccept-Encoding: gzip\r\n\r\n");
  ASSERT_THAT(packed, AllOf(HasSubstr("Content-Encoding: gzip\r\n"),
                            HasSubstr("Vary: Accept-Encoding\r\n")));
  const std::string text = plain.substr(plain.find("\r\n\r\n") + 4);
  EXPECT_EQ(Decompress(packed.substr(packed.find("\r\n\r\n") + 4), text.size()),
            text);
  EXPECT_THAT(http.Fetch("GET / HTTP/1.1\r\nAccept-Encoding: gzip\r\n\r\n"),
              Not(HasSubstr("Content-Encoding")));
}

TEST(HttpConnectionTest, ARequestThatTakesTooLongIsRefused) {
  HttpServerOptions options;
  options.limits.transfer_timeout = milliseconds(1);
  HttpFixture http(options);
  HttpClient client(http.port());
  client.Send("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nsome");
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 408 "));
}

TEST(HttpConnectionTest, AHeaderThatTakesTooLongIsRefused) {
  HttpServerOptions options;
  options.limits.transfer_timeout = milliseconds(1);
  HttpFixture http(options);
  HttpClient client(http.port());
  client.Send("GET / HT");
  EXPECT_THAT(client.ReadToEnd(), StartsWith("HTTP/1.1 408 "));
}

TEST(HttpConnectionTest, AnIdleConnectionIsEnded) {
  HttpServerOptions options;
  options.limits.idle_timeout = milliseconds(1);
  HttpFixture http(options);
  HttpClient client(http.port());
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(HttpConnectionTest, AClientThatDoesNotReadIsEnded) {
  HttpServerOptions options;
  options.limits.transfer_timeout = milliseconds(1);
  HttpFixture http(options);
  HttpClient client(http.port());
  std::string requests;
  for (int i = 0; i < 100; ++i) {  // Far more than the sockets hold.
    requests += "GET /large HTTP/1.1\r\n\r\n";
  }
  client.Send(requests);
  // Nothing is read until the server has given up: it then takes a new client,
  // and its shutdown waits for nobody.
  EXPECT_EQ(http.server().Shutdown(std::chrono::minutes(5)), 0);
}

TEST(HttpConnectionTest, AClientThatGoesIsNoticedWhileItsRequestWaits) {
  HttpFixture http;
  {
    HttpClient client(http.port());
    client.Send(Post("/held", ""));
    http.shared().held.wait();
  }
  http.shared().gone.wait();
  http.shared().release.count_down();
  EXPECT_THAT(http.Fetch(kGetPath), StartsWith("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace relu
