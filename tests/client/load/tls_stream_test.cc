// Without a server; handshakes are tested by load_command_test.cc.
#include "client/load/tls_stream.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu::load {
namespace {

using testing::HasSubstr;

std::string ContextError(const TlsOptions& options) {
  const auto context = TlsContext::Create(options);
  EXPECT_EQ(context.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(context.status().message());
}

TEST(TlsStreamTest, TextsThatAreNoPemAreRefused) {
  EXPECT_TRUE(TlsContext::Create({.enabled = true}).ok());
  EXPECT_THAT(ContextError({.root_certificates = "x"}),
              HasSubstr("root_certificates"));
  EXPECT_THAT(ContextError({.certificate_chain = "x", .private_key = "y"}),
              HasSubstr("certificate_chain"));
}

TEST(TlsStreamTest, BeginsWithItsHelloAndRefusesWhatIsNoTls) {
  const auto context = TlsContext::Create({.enabled = true}).value();
  TlsStream stream(*context, "localhost");
  EXPECT_FALSE(stream.established());
  std::string cipher;
  stream.TakeOutput(cipher);
  EXPECT_EQ(cipher.substr(0, 2), "\x16\x03");  // A handshake record.
  std::string plain;
  const absl::Status status =
      stream.Receive("HTTP/1.1 400 Bad Request\r\n\r\n", plain);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("TLS handshake"));
}

}  // namespace
}  // namespace relu::load
