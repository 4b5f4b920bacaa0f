#include "server/http/tls_context.h"

#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/server/http/http_fixture.h"
#include "tests/support/certificates.h"
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

namespace relu {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using testing::HasSubstr;
using testing::StartsWith;

// What one client of an HTTPS port saw.
struct Seen {
  bool connected = false;
  std::string server;  // The common name of its certificate.
  std::string answer;
};

class TlsContextTest : public testing::Test {
 protected:
  TlsContextTest()
      : folder_(std::filesystem::path(testing::TempDir()) /
                "tls_context_test") {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    authority_ = MakeAuthority(folder_, "authority");
    server_ = MakeCertificate(folder_, "server", authority_);
    client_ = MakeCertificate(folder_, "client", authority_);
  }
  ~TlsContextTest() override { std::filesystem::remove_all(folder_); }

  TlsFiles Files(bool with_clients = false) const {
    return {.certificate = server_.certificate,
            .key = server_.key,
            .client_ca = with_clients ? authority_.certificate
                                      : std::filesystem::path()};
  }

  void Write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file) << text;
  }

  // One request over TLS; the server must be one of the authority's.
  Seen Fetch(int port, const std::optional<Certificate>& client = {},
             int max_version = TLS1_3_VERSION) {
    asio::ssl::context context(asio::ssl::context::tls_client);
    context.load_verify_file(authority_.certificate.string());
    context.set_verify_mode(asio::ssl::verify_peer);
    SSL_CTX_set_max_proto_version(context.native_handle(), max_version);
    // Debian's OpenSSL refuses less by itself.
    SSL_CTX_set_security_level(context.native_handle(), 0);
    if (client.has_value()) {
      context.use_certificate_chain_file(client->certificate.string());
      context.use_private_key_file(client->key.string(),
                                   asio::ssl::context::pem);
    }
    asio::io_context io;
    asio::ssl::stream<tcp::socket> stream(io, context);
    error_code error;
    stream.next_layer().connect(
        {asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)},
        error);
    stream.handshake(asio::ssl::stream_base::client, error);
    Seen seen;
    if (error) {
      return seen;
    }
    X509* const certificate = SSL_get1_peer_certificate(stream.native_handle());
    char name[100] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
                              NID_commonName, name, sizeof(name));
    X509_free(certificate);
    seen.server = name;
    const std::string request = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";
    asio::write(stream, asio::buffer(request), error);
    asio::read(stream, asio::dynamic_buffer(seen.answer), error);
    seen.connected = !seen.answer.empty();
    return seen;
  }

  absl::Status LoadError(const TlsFiles& files) {
    return TlsContext::Load(files).status();
  }

  const std::filesystem::path folder_;
  Certificate authority_;
  Certificate server_;
  Certificate client_;
};

TEST_F(TlsContextTest, ServesOverTls) {
  const auto tls = TlsContext::Load(Files());
  ASSERT_TRUE(tls.ok()) << tls.status();
  HttpFixture http({}, {.tls = tls->get()});
  const Seen seen = Fetch(http.port());
  EXPECT_EQ(seen.server, "server");
  EXPECT_THAT(seen.answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  // In the clear there is no answer.
  EXPECT_EQ(http.Fetch("GET / HTTP/1.1\r\n\r\n").find("200"),
            std::string::npos);
}

TEST_F(TlsContextTest, TakesTls12AndNothingOlder) {
  const auto tls = TlsContext::Load(Files());
  ASSERT_TRUE(tls.ok()) << tls.status();
  HttpFixture http({}, {.tls = tls->get()});
  EXPECT_TRUE(Fetch(http.port(), {}, TLS1_2_VERSION).connected);
  EXPECT_FALSE(Fetch(http.port(), {}, TLS1_1_VERSION).connected);
}

TEST_F(TlsContextTest, ClientsNeedACertificateOfTheAuthority) {
  const auto tls = TlsContext::Load(Files(/*with_clients=*/true));
  ASSERT_TRUE(tls.ok()) << tls.status();
  HttpFixture http({}, {.tls = tls->get()});
  EXPECT_TRUE(Fetch(http.port(), client_).connected);
  EXPECT_FALSE(Fetch(http.port()).connected);
  const Certificate other = MakeAuthority(folder_, "other");
  EXPECT_FALSE(Fetch(http.port(), MakeCertificate(folder_, "stranger", other))
                   .connected);
}

TEST_F(TlsContextTest, ReloadServesTheNewCertificate) {
  const auto tls = TlsContext::Load(Files());
  ASSERT_TRUE(tls.ok()) << tls.status();
  HttpFixture http({}, {.tls = tls->get()});
  EXPECT_EQ(Fetch(http.port()).server, "server");
  const Certificate renewed = MakeCertificate(folder_, "renewed", authority_);
  std::filesystem::rename(renewed.certificate, server_.certificate);
  // Half of the change: refused, and the old one stays.
  EXPECT_EQ((*tls)->Reload().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Fetch(http.port()).server, "server");
  std::filesystem::rename(renewed.key, server_.key);
  ASSERT_TRUE((*tls)->Reload().ok());
  EXPECT_EQ(Fetch(http.port()).server, "renewed");
}

TEST_F(TlsContextTest, ReloadTakesClientsOfTheNewAuthority) {
  const auto tls = TlsContext::Load(Files(/*with_clients=*/true));
  ASSERT_TRUE(tls.ok()) << tls.status();
  HttpFixture http({}, {.tls = tls->get()});
  const Certificate other = MakeAuthority(folder_, "other");
  const Certificate stranger = MakeCertificate(folder_, "stranger", other);
  EXPECT_FALSE(Fetch(http.port(), stranger).connected);
  const std::filesystem::path old = folder_ / "old.pem";
  std::filesystem::rename(authority_.certificate, old);
  std::filesystem::rename(other.certificate, authority_.certificate);
  ASSERT_TRUE((*tls)->Reload().ok());
  std::filesystem::rename(authority_.certificate, other.certificate);
  std::filesystem::rename(old, authority_.certificate);
  EXPECT_TRUE(Fetch(http.port(), stranger).connected);
  EXPECT_FALSE(Fetch(http.port(), client_).connected);
}

TEST_F(TlsContextTest, FilesThatAreWrongAreNamed) {
  TlsFiles files = Files();
  files.certificate = folder_ / "missing.pem";
  EXPECT_EQ(LoadError(files).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(LoadError(files).message()),
              HasSubstr("missing.pem"));

  Write(folder_ / "garbage.pem", "no PEM at all");
  files = Files();
  files.certificate = folder_ / "garbage.pem";
  EXPECT_THAT(std::string(LoadError(files).message()),
              HasSubstr("garbage.pem: expected a certificate chain"));

  files = Files();
  files.key = client_.key;
  EXPECT_THAT(std::string(LoadError(files).message()),
              HasSubstr("client.key: expected the private key of"));

  files = Files();
  files.client_ca = folder_ / "garbage.pem";
  EXPECT_THAT(std::string(LoadError(files).message()),
              HasSubstr("garbage.pem: expected certificates of authorities"));
}

TEST_F(TlsContextTest, AKeyWithAPasswordIsRefusedAndNobodyIsAsked) {
  const std::filesystem::path locked = folder_ / "locked.key";
  const std::string command = "openssl pkey -in '" + server_.key.string() +
                              "' -aes128 -passout " + "pass:secret -out '" +
                              locked.string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  TlsFiles files = Files();
  files.key = locked;
  EXPECT_EQ(LoadError(files).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace relu
