// TlsStream: the encryption of one connection, on OpenSSL. Bytes in, bytes out:
// it knows no sockets.

#ifndef CLIENT_LOAD_TLS_STREAM_H_
#define CLIENT_LOAD_TLS_STREAM_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/client_options.h"

struct bio_st;
struct ssl_ctx_st;
struct ssl_st;

namespace relu::load {

// What the connections of a run have in common. Immutable, so any number of
// threads may use it.
class TlsContext {
 public:
  // INVALID_ARGUMENT if a text of `options` is no such PEM.
  static absl::StatusOr<std::shared_ptr<const TlsContext>> Create(
      const TlsOptions& options);

  ssl_ctx_st* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

  std::unique_ptr<ssl_ctx_st, Free> context_;
};

// For one thread.
class TlsStream {
 public:
  // Begins the handshake with a server whose certificate must have the name, or
  // the IP address, `server_name`.
  TlsStream(const TlsContext& context, const std::string& server_name);

  // The handshake is over.
  bool established() const;

  // Takes what has come from the server, and appends what it says to `plain`.
  // UNAVAILABLE, with OpenSSL's reason, if the server cannot be trusted.
  absl::Status Receive(std::string_view cipher, std::string& plain);
  // Encrypts `plain`, once the handshake is over.
  absl::Status Send(std::string_view plain);
  // Appends what is to be sent to the server: also parts of the handshake.
  void TakeOutput(std::string& cipher);

 private:
  struct Free {
    void operator()(ssl_st* stream) const;
  };

  absl::Status Handshake();

  std::unique_ptr<ssl_st, Free> stream_;
  bio_st* received_ = nullptr;  // These two belong to stream_.
  bio_st* to_send_ = nullptr;
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_TLS_STREAM_H_
