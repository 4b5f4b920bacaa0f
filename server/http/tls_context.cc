#include "server/http/tls_context.h"

#include <openssl/ssl.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/file.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>

namespace relu {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr std::size_t kMaxFileBytes = 1 << 20;

// Resumed sessions must belong to this server: OpenSSL wants a name for that
// once clients show certificates.
constexpr std::string_view kSessionContext = "relud";

absl::Status Unusable(const std::filesystem::path& file, std::string_view want,
                      const error_code& error) {
  return absl::InvalidArgumentError(
      fmt::format("{}: expected {}: {}", file.string(), want, error.message()));
}

absl::StatusOr<std::shared_ptr<const TlsPem>> ReadFiles(const TlsFiles& files) {
  auto pem = std::make_shared<TlsPem>();
  ASSIGN_OR_RETURN(pem->certificate,
                   ReadFile(files.certificate, kMaxFileBytes));
  ASSIGN_OR_RETURN(pem->key, ReadFile(files.key, kMaxFileBytes));
  if (!files.client_ca.empty()) {
    ASSIGN_OR_RETURN(pem->client_ca, ReadFile(files.client_ca, kMaxFileBytes));
  }
  return pem;
}

absl::Status UseCertificate(const TlsFiles& files, const TlsPem& pem,
                            ssl::context& context) {
  error_code error;
  context.use_certificate_chain(boost::asio::buffer(pem.certificate), error);
  if (error) {
    return Unusable(files.certificate, "a certificate chain as PEM", error);
  }
  context.use_private_key(boost::asio::buffer(pem.key), ssl::context::pem,
                          error);
  if (error) {
    return Unusable(
        files.key,
        fmt::format("the private key of {} as PEM, without a password",
                    files.certificate.string()),
        error);
  }
  return absl::OkStatus();
}

absl::Status AskForClientCertificates(const std::filesystem::path& file,
                                      const std::string& authorities,
                                      ssl::context& context) {
  error_code error;
  context.add_certificate_authority(boost::asio::buffer(authorities), error);
  if (error) {
    return Unusable(file, "certificates of authorities as PEM", error);
  }
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert,
                          error);
  return error ? Unusable(file, "certificates of authorities", error)
               : absl::OkStatus();
}

// OpenSSL would ask at the terminal for the password of a key.
std::string NoPassword(std::size_t /*max_size*/,
                       ssl::context::password_purpose /*purpose*/) {
  return {};
}

absl::StatusOr<std::shared_ptr<ssl::context>> MakeContext(const TlsFiles& files,
                                                          const TlsPem& pem) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(
      native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_id_context(
      native, reinterpret_cast<const unsigned char*>(kSessionContext.data()),
      kSessionContext.size());
  // Idle connections give the memory of their records back.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  error_code error;
  context->set_password_callback(NoPassword, error);
  RETURN_IF_ERROR(UseCertificate(files, pem, *context));
  if (!files.client_ca.empty()) {
    RETURN_IF_ERROR(
        AskForClientCertificates(files.client_ca, pem.client_ca, *context));
  }
  return context;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsContext>> TlsContext::Load(
    const TlsFiles& files) {
  ASSIGN_OR_RETURN(auto pem, ReadFiles(files));
  ASSIGN_OR_RETURN(auto context, MakeContext(files, *pem));
  return std::make_unique<TlsContext>(files, std::move(pem),
                                      std::move(context));
}

TlsContext::TlsContext(const TlsFiles& files, std::shared_ptr<const TlsPem> pem,
                       std::shared_ptr<ssl::context> context)
    : files_(files), pem_(std::move(pem)), context_(std::move(context)) {}

TlsContext::~TlsContext() = default;

absl::Status TlsContext::Reload() {
  ASSIGN_OR_RETURN(auto pem, ReadFiles(files_));
  ASSIGN_OR_RETURN(auto context, MakeContext(files_, *pem));
  const MutexLock lock(mu_);
  pem_ = std::move(pem);
  context_ = std::move(context);
  return absl::OkStatus();
}

std::shared_ptr<ssl::context> TlsContext::current() const {
  const MutexLock lock(mu_);
  return context_;
}

std::shared_ptr<const TlsPem> TlsContext::pem() const {
  const MutexLock lock(mu_);
  return pem_;
}

}  // namespace relu
