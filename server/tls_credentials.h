// The TLS of gRPC.

#ifndef SERVER_TLS_CREDENTIALS_H_
#define SERVER_TLS_CREDENTIALS_H_

#include <memory>

#include "grpcpp/security/server_credentials.h"

#include "server/http/tls_context.h"

namespace relu {

// What `tls` holds at each handshake. TLS 1.2 at least. They belong to one port
// and, as does `tls`, outlive its server.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const TlsContext& tls);

}  // namespace relu

#endif  // SERVER_TLS_CREDENTIALS_H_
