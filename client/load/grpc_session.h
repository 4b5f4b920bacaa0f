// GrpcSession: gRPC calls over one HTTP/2 connection, on nghttp2. Bytes in,
// bytes out: it knows no sockets.
//
// Why not gRPC's own client: it takes as much CPU for a call as a server does,
// so that it measures itself.

#ifndef CLIENT_LOAD_GRPC_SESSION_H_
#define CLIENT_LOAD_GRPC_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "client/load/message_reader.h"

struct nghttp2_session;

namespace relu::load {

// One call: messages out, messages in, a status at the end. The session fills
// in what is below, and refers to it from Start() until OnClosed() or Reset().
class GrpcStream {
 public:
  virtual ~GrpcStream() = default;

  // The server has sent a message, which is valid during this call.
  virtual void OnMessage(std::string_view message) = 0;
  // The call is over. May free the stream. Neither of the two may call
  // the session's Receive() or TakeOutput().
  virtual void OnClosed(absl::StatusCode code, std::string message) = 0;

  // Messages, each with its prefix, that are to be sent and were not yet; and
  // whether the client's side ends with them. The owner keeps the bytes alive.
  std::string_view unsent;
  bool ends_after_unsent = true;

 private:
  friend class GrpcSession;
  std::int32_t id_ = -1;
  bool waits_for_more_ = false;  // Resume() must wake it.
  int http_status_ = 0;
  int grpc_status_ = -1;
  std::string grpc_message_;  // As on the wire.
  absl::Status failure_;      // What made us reset it.
  MessageReader reader_;
};

// What is the same for every call of a connection.
struct GrpcHeaders {
  std::string path;       // "/package.Service/Method"
  std::string authority;  // "host:port"
  std::string scheme = "http";
  std::string timeout;  // As grpc-timeout has it ("100m"); empty: none.
  std::string user_agent;
  // Others, with names in lower case.
  std::vector<std::pair<std::string, std::string>> metadata;
};

// "250m" for 250 ms, in the largest unit that is exact and short enough.
std::string GrpcTimeoutText(std::int64_t milliseconds);

// For one thread.
class GrpcSession {
 public:
  explicit GrpcSession(GrpcHeaders headers);
  ~GrpcSession();
  GrpcSession(const GrpcSession&) = delete;
  GrpcSession& operator=(const GrpcSession&) = delete;

  // Begins a call. False if the connection takes none any more.
  bool Start(GrpcStream& stream);
  // There is more in stream.unsent, or its end has come.
  void Resume(GrpcStream& stream);
  // Cancels: the session forgets the stream, and does not call OnClosed().
  void Reset(GrpcStream& stream);

  // What the server has sent. Calls the streams. An error ends the connection;
  // some come only with the next TakeOutput().
  absl::Status Receive(std::string_view bytes);
  // Appends what is to be sent to the server. An error ends the connection.
  absl::Status TakeOutput(std::string& output);

  // The server has said that it takes no more calls on this connection, or no
  // more fit on it.
  bool draining() const { return draining_; }

 private:
  struct Callbacks;  // What nghttp2 calls.

  void OnHeader(GrpcStream& stream, std::string_view name,
                std::string_view value);
  void OnData(GrpcStream& stream, std::string_view bytes);
  static void OnClose(GrpcStream& stream, std::uint32_t error_code);

  GrpcHeaders headers_;
  nghttp2_session* session_ = nullptr;  // Owned.
  bool draining_ = false;
  std::string malformed_;  // Why nghttp2 has given up on what the server sends.
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_GRPC_SESSION_H_
