// Tokens and TLS of an InferenceClient.

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "gtest/gtest.h"

#include "client/client_options.h"
#include "client/inference_client.h"
#include "core/base/file.h"
#include "core/base/mutex.h"
#include "fmt/format.h"
#include "tests/client/client_testing.h"
#include "tests/client/fake_server.h"
#include "tests/support/certificates.h"

namespace relu {
namespace {

using testing::ElementsAre;

TEST(InferenceClientTest, TokenIsAskedForAndSentWithEachCall) {
  Mutex mu;
  std::vector<std::string> tokens;
  FakeAnswers answers;
  answers.before_infer = [&](grpc::ServerContext& context) {
    const auto& metadata = context.client_metadata();
    const auto found = metadata.find("authorization");
    const MutexLock lock(mu);
    tokens.emplace_back(
        found == metadata.end()
            ? ""
            : std::string(found->second.data(), found->second.size()));
    return grpc::Status::OK;
  };
  const FakeServer server(std::move(answers));
  int asked = 0;
  ClientOptions options;
  options.token = [&asked] { return fmt::format("t{}", ++asked); };
  const auto client = ClientOf(server, options);
  EXPECT_TRUE(client->Infer(Request()).ok());
  EXPECT_TRUE(client->InferAsync(Request()).get().ok());
  const MutexLock lock(mu);
  EXPECT_THAT(tokens, ElementsAre("Bearer t1", "Bearer t2"));
}

class InferenceClientTlsTest : public testing::Test {
 protected:
  InferenceClientTlsTest() {
    std::filesystem::create_directories(folder_);
    authority_ = MakeAuthority(folder_, "authority");
    server_ = MakeCertificate(folder_, "server", authority_);
    client_ = MakeCertificate(folder_, "client", authority_);
  }
  ~InferenceClientTlsTest() override { std::filesystem::remove_all(folder_); }

  static std::string Text(const std::filesystem::path& file) {
    return ReadFile(file, 1 << 20).value();
  }

  FakeAnswers Encrypted(bool wants_client) const {
    grpc::SslServerCredentialsOptions options(
        wants_client
            ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
            : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    options.pem_root_certs = Text(authority_.certificate);
    options.pem_key_cert_pairs.push_back(
        {Text(server_.key), Text(server_.certificate)});
    FakeAnswers answers;
    answers.credentials = grpc::SslServerCredentials(options);
    return answers;
  }

  TlsOptions Trusting() const {
    return {.enabled = true, .root_certificates = Text(authority_.certificate)};
  }

  // Quick to give up.
  static absl::Status Live(const FakeServer& server, const TlsOptions& tls) {
    return ClientOf(server, {.default_timeout = std::chrono::seconds(20),
                             .tls = tls,
                             .retry = {.max_attempts = 1}})
        ->ServerLive()
        .status();
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      fmt::format("client_tls_test.{}", ::getpid());
  Certificate authority_;
  Certificate server_;
  Certificate client_;
};

TEST_F(InferenceClientTlsTest, ServerIsTrustedByItsAuthority) {
  const FakeServer server(Encrypted(/*wants_client=*/false));
  EXPECT_TRUE(Live(server, Trusting()).ok());
  TlsOptions named = Trusting();
  named.server_name = "localhost";
  EXPECT_TRUE(Live(server, named).ok());
  named.server_name = "somebody.else";
  EXPECT_EQ(Live(server, named).code(), absl::StatusCode::kUnavailable);
  TlsOptions other = Trusting();
  other.root_certificates = Text(MakeAuthority(folder_, "other").certificate);
  EXPECT_EQ(Live(server, other).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Live(server, {}).code(), absl::StatusCode::kUnavailable);
}

TEST_F(InferenceClientTlsTest, ClientShowsItsCertificateWhenItIsWanted) {
  const FakeServer server(Encrypted(/*wants_client=*/true));
  TlsOptions mutual = Trusting();
  mutual.certificate_chain = Text(client_.certificate);
  mutual.private_key = Text(client_.key);
  EXPECT_TRUE(Live(server, mutual).ok());
  EXPECT_EQ(Live(server, Trusting()).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace relu
