#include "client/load/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/client_options.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu::load {
namespace {

// The protocol that gRPC speaks, as TLS names it.
constexpr std::array<unsigned char, 3> kHttp2 = {2, 'h', '2'};

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Bio ViewOf(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
          &BIO_free};
}

absl::Status NoPem(std::string_view what) {
  ERR_clear_error();
  return absl::InvalidArgumentError(
      fmt::format("tls: {} is no text in PEM format", what));
}

X509Ptr NextCertificate(BIO& bio) {
  return {PEM_read_bio_X509(&bio, nullptr, nullptr, nullptr), &X509_free};
}

absl::Status TrustRoots(const TlsOptions& options, SSL_CTX& context) {
  if (options.root_certificates.empty()) {
    SSL_CTX_set_default_verify_paths(&context);
    return absl::OkStatus();
  }
  const Bio bio = ViewOf(options.root_certificates);
  int count = 0;
  while (const X509Ptr certificate = NextCertificate(*bio)) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(&context), certificate.get());
    ++count;
  }
  ERR_clear_error();  // That of the end of the text.
  return count > 0 ? absl::OkStatus() : NoPem("root_certificates");
}

absl::Status ShowCertificate(const TlsOptions& options, SSL_CTX& context) {
  if (options.certificate_chain.empty()) {
    return absl::OkStatus();
  }
  const Bio chain = ViewOf(options.certificate_chain);
  X509Ptr certificate = NextCertificate(*chain);
  if (certificate == nullptr ||
      SSL_CTX_use_certificate(&context, certificate.get()) != 1) {
    return NoPem("certificate_chain");
  }
  while ((certificate = NextCertificate(*chain)) != nullptr) {
    // Takes it over.
    SSL_CTX_add_extra_chain_cert(&context, certificate.release());
  }
  ERR_clear_error();
  const Bio text = ViewOf(options.private_key);
  const KeyPtr key(
      PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr),
      &EVP_PKEY_free);
  if (key == nullptr || SSL_CTX_use_PrivateKey(&context, key.get()) != 1) {
    return NoPem("private_key");
  }
  return absl::OkStatus();
}

}  // namespace

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

absl::StatusOr<std::shared_ptr<const TlsContext>> TlsContext::Create(
    const TlsOptions& options) {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  CHECK(context != nullptr);
  // make_shared cannot reach the private constructor.
  const std::shared_ptr<const TlsContext> owner(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, kHttp2.data(), kHttp2.size());
  RETURN_IF_ERROR(TrustRoots(options, *context));
  RETURN_IF_ERROR(ShowCertificate(options, *context));
  return owner;
}

void TlsStream::Free::operator()(ssl_st* stream) const { SSL_free(stream); }

TlsStream::TlsStream(const TlsContext& context, const std::string& server_name)
    : stream_(SSL_new(context.get())),
      received_(BIO_new(BIO_s_mem())),
      to_send_(BIO_new(BIO_s_mem())) {
  CHECK(stream_ != nullptr && received_ != nullptr && to_send_ != nullptr);
  SSL_set_bio(stream_.get(), received_, to_send_);  // Takes both over.
  // An address is compared as such; a name is also asked for.
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream_.get()),
                                    server_name.c_str()) != 1) {
    SSL_set1_host(stream_.get(), server_name.c_str());
    // What SSL_set_tlsext_host_name() is, without its cast of C. It copies.
    SSL_ctrl(stream_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME,
             TLSEXT_NAMETYPE_host_name, const_cast<char*>(server_name.c_str()));
  }
  SSL_set_connect_state(stream_.get());
  (void)Handshake();  // Nothing has come yet: it only makes the first bytes.
}

bool TlsStream::established() const {
  return SSL_is_init_finished(stream_.get()) == 1;
}

absl::Status TlsStream::Handshake() {
  const int result = SSL_do_handshake(stream_.get());
  if (result == 1 ||
      SSL_get_error(stream_.get(), result) == SSL_ERROR_WANT_READ) {
    return absl::OkStatus();
  }
  const char* const reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return absl::UnavailableError(
      fmt::format("TLS handshake: {}", reason == nullptr ? "failed" : reason));
}

absl::Status TlsStream::Receive(std::string_view cipher, std::string& plain) {
  BIO_write(received_, cipher.data(), static_cast<int>(cipher.size()));
  if (!established()) {
    RETURN_IF_ERROR(Handshake());
  }
  std::array<char, 16384> buffer{};
  int count = 0;
  while (established() &&
         (count = SSL_read(stream_.get(), buffer.data(), buffer.size())) > 0) {
    plain.append(buffer.data(), static_cast<std::size_t>(count));
  }
  if (count < 0 && SSL_get_error(stream_.get(), count) == SSL_ERROR_SSL) {
    const char* const reason = ERR_reason_error_string(ERR_get_error());
    ERR_clear_error();
    return absl::UnavailableError(
        fmt::format("TLS: {}", reason == nullptr ? "broken" : reason));
  }
  return absl::OkStatus();
}

absl::Status TlsStream::Send(std::string_view plain) {
  if (!plain.empty() && SSL_write(stream_.get(), plain.data(),
                                  static_cast<int>(plain.size())) <= 0) {
    ERR_clear_error();
    return absl::UnavailableError("TLS: the connection is at its end");
  }
  return absl::OkStatus();
}

void TlsStream::TakeOutput(std::string& cipher) {
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(to_send_, &bytes);
  cipher.append(bytes, static_cast<std::size_t>(size));
  (void)BIO_reset(to_send_);
}

}  // namespace relu::load
