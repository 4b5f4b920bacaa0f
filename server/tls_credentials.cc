#include "server/tls_credentials.h"

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "grpc/grpc_security.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/security/server_credentials.h"

#include "core/base/mutex.h"
#include "server/http/tls_context.h"

namespace relu {
namespace {

// gRPC asks for the certificate at each handshake through its C interface
// alone. Its C++ interface watches files by itself instead, and while a
// certificate and its key do not fit together it takes no connection.
class ReloadedCredentials final : public grpc::ServerCredentials {
 public:
  explicit ReloadedCredentials(const TlsContext& tls) : tls_(tls) {
    const grpc_ssl_client_certificate_request_type request =
        tls.files().client_ca.empty()
            ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
            : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
    credentials_ = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            request, &ReloadedCredentials::Fetch, this));
  }
  ~ReloadedCredentials() override {
    grpc_server_credentials_release(credentials_);
  }
  ReloadedCredentials(const ReloadedCredentials&) = delete;
  ReloadedCredentials& operator=(const ReloadedCredentials&) = delete;

  // Our tokens are checked where calls are.
  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/)
      override {}

 private:
  int AddPortToServer(const std::string& address,
                      grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  // What gRPC calls, on its threads.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<ReloadedCredentials*>(self)->Fetch(config);
  }

  grpc_ssl_certificate_config_reload_status Fetch(
      grpc_ssl_server_certificate_config** config) ABSL_LOCKS_EXCLUDED(mu_) {
    const std::shared_ptr<const TlsPem> pem = tls_.pem();
    const MutexLock lock(mu_);
    if (pem == fetched_) {
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    fetched_ = pem;
    const grpc_ssl_pem_key_cert_pair pair = {
        .private_key = pem->key.c_str(),
        .cert_chain = pem->certificate.c_str()};
    // gRPC wants roots even where it asks clients for no certificate, and does
    // not use them then.
    *config = grpc_ssl_server_certificate_config_create(
        pem->client_ca.empty() ? pair.cert_chain : pem->client_ca.c_str(),
        &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const TlsContext& tls_;
  grpc_server_credentials* credentials_;
  Mutex mu_;
  std::shared_ptr<const TlsPem> fetched_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const TlsContext& tls) {
  return std::make_shared<ReloadedCredentials>(tls);
}

}  // namespace relu
