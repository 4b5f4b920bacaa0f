#include "client/cli/connection_options.h"

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

TEST(ConnectionOptionsTest, NothingIsEncryptedUnlessAnOptionWantsIt) {
  const auto plain = ClientOptionsOf({.timeout = std::chrono::seconds(3)});
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_FALSE(plain->tls.enabled);
  EXPECT_FALSE(plain->token);
  EXPECT_EQ(plain->default_timeout, std::chrono::seconds(3));
  EXPECT_TRUE(ClientOptionsOf({.tls = true})->tls.enabled);
  EXPECT_TRUE(ClientOptionsOf({.server_name = "n"})->tls.enabled);
}

TEST(ConnectionOptionsTest, HostWithoutAPortGetsThatOfRelud) {
  EXPECT_EQ(WithDefaultPort("relud"), "relud:8001");
  EXPECT_EQ(WithDefaultPort("10.0.0.1"), "10.0.0.1:8001");
  EXPECT_EQ(WithDefaultPort("[::1]"), "[::1]:8001");
  EXPECT_EQ(WithDefaultPort("a,b:1,[::2]"), "a:8001,b:1,[::2]:8001");
  for (const char* server :
       {"", "relud:1", "[::1]:1", "a:1,", "unix:/run/relud", "dns:///relud",
        "http://relud"}) {
    EXPECT_EQ(WithDefaultPort(server), server);
  }
}

TEST(ConnectionOptionsTest, FilesAreRead) {
  const TemporaryFolder folder;
  ConnectionOptions options;
  options.ca_file = folder.Write("ca", "authority");
  options.cert_file = folder.Write("cert", "certificate");
  options.key_file = folder.Write("key", "private");
  options.token_file = folder.Write("token", "secret \n");
  options.token = "another";
  const auto client = ClientOptionsOf(options);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_TRUE(client->tls.enabled);
  EXPECT_EQ(client->tls.root_certificates, "authority");
  EXPECT_EQ(client->tls.certificate_chain, "certificate");
  EXPECT_EQ(client->tls.private_key, "private");
  EXPECT_EQ(client->token(), "secret");
}

TEST(ConnectionOptionsTest, TokenMayComeWithoutAFile) {
  ConnectionOptions options;
  options.token = "secret";
  EXPECT_EQ(ClientOptionsOf(options)->token(), "secret");
}

TEST(ConnectionOptionsTest, MissingFilesAreErrors) {
  ConnectionOptions options;
  options.key_file = "/nonexistent/key";
  EXPECT_EQ(ClientOptionsOf(options).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace relu
