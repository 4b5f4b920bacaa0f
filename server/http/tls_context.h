// TlsContext: the certificate of the server, its key and whose clients it
// takes, as files that may be replaced while it runs.

#ifndef SERVER_HTTP_TLS_CONTEXT_H_
#define SERVER_HTTP_TLS_CONTEXT_H_

#include <filesystem>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/mutex.h"

namespace boost::asio::ssl {
class context;
}

namespace relu {

struct TlsFiles {
  std::filesystem::path certificate;  // PEM: the server's, then its issuers'.
  std::filesystem::path key;          // PEM, without a password.
  // PEM: clients need a certificate that one of these has signed. Empty: they
  // need none.
  std::filesystem::path client_ca = {};
};

// What the files hold. The authorities are empty if there is no such file.
struct TlsPem {
  std::string certificate;
  std::string key;
  std::string client_ca;
};

// Thread-safe. TLS 1.2 at least.
class TlsContext {
 public:
  // Errors, each naming the file: those of ReadFile; INVALID_ARGUMENT if one is
  // not what it should be, or the key is not that of the certificate.
  static absl::StatusOr<std::unique_ptr<TlsContext>> Load(
      const TlsFiles& files);

  // For Load().
  TlsContext(const TlsFiles& files, std::shared_ptr<const TlsPem> pem,
             std::shared_ptr<boost::asio::ssl::context> context);
  ~TlsContext();

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  const TlsFiles& files() const { return files_; }

  // Reads the files again, for handshakes from now on; connections that stand
  // are not touched. Errors: those of Load(); then nothing changes.
  absl::Status Reload() ABSL_LOCKS_EXCLUDED(mu_);

  // For one more handshake.
  std::shared_ptr<boost::asio::ssl::context> current() const
      ABSL_LOCKS_EXCLUDED(mu_);

  // What that was made of, for other libraries; a new object after each
  // Reload().
  std::shared_ptr<const TlsPem> pem() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const TlsFiles files_;
  mutable Mutex mu_;
  std::shared_ptr<const TlsPem> pem_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<boost::asio::ssl::context> context_ ABSL_GUARDED_BY(mu_);
};

}  // namespace relu

#endif  // SERVER_HTTP_TLS_CONTEXT_H_
