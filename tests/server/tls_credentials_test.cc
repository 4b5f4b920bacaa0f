#include "server/tls_credentials.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"

#include "fmt/format.h"
#include "proto/inference.grpc.pb.h"
#include "server/grpc_server.h"
#include "server/health.h"
#include "server/http/tls_context.h"
#include "server/inference_handlers.h"
#include "server/rpc_table.h"
#include "tests/server/grpc_fixture.h"
#include "tests/server/loaded_repository.h"
#include "tests/support/certificates.h"

namespace relu {
namespace {

std::string ReadText(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

class TlsCredentialsTest : public testing::Test {
 protected:
  TlsCredentialsTest() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    authority_ = MakeAuthority(folder_, "authority");
    server_files_ = MakeCertificate(folder_, "server", authority_);
    std::filesystem::copy_file(authority_.certificate, client_ca_);
  }
  ~TlsCredentialsTest() override {
    server_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  void Start(bool with_clients) {
    const TlsFiles files = {
        .certificate = server_files_.certificate,
        .key = server_files_.key,
        .client_ca = with_clients ? client_ca_ : std::filesystem::path()};
    auto tls = TlsContext::Load(files);
    ASSERT_TRUE(tls.ok()) << tls.status();
    tls_ = *std::move(tls);
    auto started = GrpcServer::Start({.credentials = TlsCredentials(*tls_)},
                                     environment_, rpcs_, health_);
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
  }

  // Calls ServerLive on a connection of its own that trusts `authority`.
  grpc::Status Call(const Certificate& authority,
                    const Certificate* client = nullptr) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = ReadText(authority.certificate);
    if (client != nullptr) {
      options.pem_cert_chain = ReadText(client->certificate);
      options.pem_private_key = ReadText(client->key);
    }
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto stub = inference::GRPCInferenceService::NewStub(
        grpc::CreateCustomChannel(fmt::format("127.0.0.1:{}", server_->port()),
                                  grpc::SslCredentials(options), arguments));
    grpc::ClientContext context;
    SetFarDeadline(context);
    inference::ServerLiveResponse response;
    return stub->ServerLive(&context, inference::ServerLiveRequest(),
                            &response);
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / "tls_credentials_test";
  const std::filesystem::path client_ca_ = folder_ / "clients.pem";
  Certificate authority_;
  Certificate server_files_;
  LoadedRepository loaded_;
  InferEnvironment environment_{.repository = loaded_.repository(),
                                .metrics = loaded_.metrics(),
                                .max_message_bytes = 1 << 20};
  InferenceHandlers handlers_{loaded_.repository(), /*strict_readiness=*/true};
  Health health_;
  RpcTable rpcs_{handlers_, health_};
  std::unique_ptr<TlsContext> tls_;
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(TlsCredentialsTest, ServesOverTlsAndOnlySo) {
  Start(/*with_clients=*/false);
  EXPECT_TRUE(Call(authority_).ok());
  const auto stub = inference::GRPCInferenceService::NewStub(
      grpc::CreateChannel(fmt::format("127.0.0.1:{}", server_->port()),
                          grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  SetFarDeadline(context);
  inference::ServerLiveResponse response;
  EXPECT_FALSE(
      stub->ServerLive(&context, inference::ServerLiveRequest(), &response)
          .ok());
}

TEST_F(TlsCredentialsTest, ClientsNeedACertificateOfTheAuthority) {
  Start(/*with_clients=*/true);
  const Certificate client = MakeCertificate(folder_, "client", authority_);
  EXPECT_TRUE(Call(authority_, &client).ok());
  EXPECT_FALSE(Call(authority_).ok());
  const Certificate other = MakeAuthority(folder_, "other");
  const Certificate stranger = MakeCertificate(folder_, "stranger", other);
  EXPECT_FALSE(Call(authority_, &stranger).ok());
}

TEST_F(TlsCredentialsTest, ANewCertificateComesIntoForceWhenItIsRead) {
  Start(/*with_clients=*/false);
  const Certificate other = MakeAuthority(folder_, "other");
  EXPECT_FALSE(Call(other).ok());
  const Certificate renewed = MakeCertificate(folder_, "renewed", other);
  std::filesystem::rename(renewed.certificate, server_files_.certificate);
  // Certificate and key do not fit together: the old ones stay in force.
  EXPECT_FALSE(tls_->Reload().ok());
  EXPECT_TRUE(Call(authority_).ok());
  std::filesystem::rename(renewed.key, server_files_.key);
  EXPECT_TRUE(tls_->Reload().ok());
  EXPECT_TRUE(Call(other).ok());
  EXPECT_FALSE(Call(authority_).ok());
}

TEST_F(TlsCredentialsTest, ClientsOfANewAuthorityAreTakenWhenItIsRead) {
  Start(/*with_clients=*/true);
  const Certificate other = MakeAuthority(folder_, "other");
  const Certificate stranger = MakeCertificate(folder_, "stranger", other);
  EXPECT_FALSE(Call(authority_, &stranger).ok());
  const Certificate client = MakeCertificate(folder_, "client", authority_);
  std::filesystem::copy_file(other.certificate, client_ca_,
                             std::filesystem::copy_options::overwrite_existing);
  ASSERT_TRUE(tls_->Reload().ok());
  EXPECT_TRUE(Call(authority_, &stranger).ok());
  EXPECT_FALSE(Call(authority_, &client).ok());
}

}  // namespace
}  // namespace relu
