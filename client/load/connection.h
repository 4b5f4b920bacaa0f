// Connection: the calls of a load run that go over one socket.

#ifndef CLIENT_LOAD_CONNECTION_H_
#define CLIENT_LOAD_CONNECTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "client/load/call.h"
#include "client/load/grpc_session.h"
#include "client/load/socket.h"
#include "client/load/tls_stream.h"

namespace relu::load {

// How calls travel.
struct CallForm {
  GrpcHeaders headers;
  std::shared_ptr<const TlsContext> tls = {};  // nullptr: not encrypted.
  std::string server_name = {};                // Of the server's certificate.
  // 0: each call is a ModelInfer of its own. Else they share that many
  // ModelStreamInfer streams a connection.
  int streams = 0;
};

// For one thread.
class Connection {
 public:
  explicit Connection(const CallForm& form);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins to connect; nothing may be in flight. UNAVAILABLE if that fails.
  absl::Status Open(const SocketAddress& address);
  // The socket is writable for the first time. UNAVAILABLE if it could not be
  // connected.
  absl::Status FinishOpen();
  bool connected() const { return connected_; }

  int descriptor() const { return socket_.descriptor(); }
  // Takes calls. Encrypted, some time after it is connected.
  bool ready() const { return ready_ && !session_->draining(); }
  // Takes no calls any more, and has answered all.
  bool drained() const {
    return ready_ && session_->draining() && in_flight_ == 0;
  }
  // There are bytes that did not fit into the socket.
  bool wants_to_write() const { return !output_.empty(); }

  // False if it takes none any more.
  bool Start(Call& call);
  void Cancel(Call& call);

  // Reads what has come, through `buffer`, and appends the calls that are over
  // by that, with `now` as their time, to `over`. UNAVAILABLE if the connection
  // is lost.
  absl::Status Read(TimePoint now, std::span<char> buffer,
                    std::vector<Call*>& over);
  // Writes what is to be sent; `now` is when the new calls were.
  absl::Status Write(TimePoint now, std::vector<Call*>& over);
  // Ends every call in flight with `status`, and closes.
  void Close(const absl::Status& status, TimePoint now,
             std::vector<Call*>& over);

  std::uint64_t bytes_sent() const { return bytes_sent_; }
  std::uint64_t bytes_received() const { return bytes_received_; }

 private:
  class UnaryStream;
  class SharedStream;

  absl::Status Decrypt(std::string_view bytes);
  absl::Status EncryptOutput();
  bool StartUnary(Call& call);
  bool StartShared(Call& call);
  // The call is over: to be given out by the next Read() or Write().
  void Finish(Call& call, absl::StatusCode code, std::string error);
  void TakeOver(TimePoint now, std::vector<Call*>& over);

  const CallForm& form_;
  Socket socket_;
  std::unique_ptr<GrpcSession> session_;
  std::unique_ptr<TlsStream> tls_;
  bool connected_ = false;
  bool ready_ = false;
  std::size_t in_flight_ = 0;
  std::string output_;  // To be written.
  std::string plain_;   // Of what is encrypted.
  std::vector<Call*> not_yet_sent_;
  std::vector<Call*> over_;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::vector<std::unique_ptr<UnaryStream>> unary_;
  std::vector<UnaryStream*> free_unary_;
  std::vector<std::unique_ptr<SharedStream>> shared_;
  std::size_t next_shared_ = 0;
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_CONNECTION_H_
