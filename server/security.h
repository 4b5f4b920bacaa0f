// Security: the certificates and tokens of the server, kept as their files say
// while it runs.

#ifndef SERVER_SECURITY_H_
#define SERVER_SECURITY_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"

#include "server/access.h"
#include "server/file_watch.h"
#include "server/http/tls_context.h"

namespace relu {

// Thread-safe. A thread of its own looks after the files, if there are any; a
// file that is wrong is logged, and what was read before stays in force until
// it can be read.
class Security {
 public:
  // Errors: those of TlsContext::Load and AccessTokens::Load. Without a
  // certificate there is no TLS.
  static absl::StatusOr<std::unique_ptr<Security>> Load(
      const TlsFiles& tls, const TokenFiles& tokens);

  // For Load().
  Security(std::unique_ptr<TlsContext> tls,
           std::unique_ptr<AccessTokens> tokens,
           std::vector<FileWatch::Watched> watched);

  const TlsContext* tls() const { return tls_.get(); }  // nullptr: none.
  const AccessTokens& tokens() const { return *tokens_; }

 private:
  const std::unique_ptr<TlsContext> tls_;
  const std::unique_ptr<AccessTokens> tokens_;
  std::unique_ptr<FileWatch> watch_;  // Ends before what it reads into.
};

}  // namespace relu

#endif  // SERVER_SECURITY_H_
