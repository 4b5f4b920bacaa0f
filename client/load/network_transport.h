// NetworkTransport: sends calls over real connections, from one event loop.

#ifndef CLIENT_LOAD_NETWORK_TRANSPORT_H_
#define CLIENT_LOAD_NETWORK_TRANSPORT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/load/call.h"
#include "client/load/connection.h"
#include "client/load/socket.h"
#include "client/load/transport.h"

namespace relu::load {

struct NetworkOptions {
  // Connections take turns; one that cannot be opened tries the next address.
  std::vector<SocketAddress> addresses;
  int connections = 1;
  CallForm form;
};

// A connection that is lost is opened again; the calls on it end with
// UNAVAILABLE. So does one that the server wants to close, once its calls are
// answered. Calls wait while no connection stands, until one cannot be opened.
// For one thread.
class NetworkTransport final : public Transport {
 public:
  // Waits until every connection stands. UNAVAILABLE if one cannot be opened
  // within `timeout`.
  static absl::StatusOr<std::unique_ptr<NetworkTransport>> Connect(
      NetworkOptions options, std::chrono::milliseconds timeout);

  ~NetworkTransport() override;
  NetworkTransport(const NetworkTransport&) = delete;
  NetworkTransport& operator=(const NetworkTransport&) = delete;

  TimePoint Now() override { return std::chrono::steady_clock::now(); }
  void Start(Call& call) override;
  void Cancel(Call& call) override;
  void Wait(TimePoint until, std::vector<Call*>& over) override;
  std::uint64_t bytes_sent() const override;
  std::uint64_t bytes_received() const override;

 private:
  struct Line {
    std::unique_ptr<Connection> connection;
    bool open = false;            // Connected, or about to be.
    bool watches_output = false;  // epoll tells when it is writable.
    TimePoint open_at;            // When to try again, if it is not open,
    absl::Status lost;            // and why it is not.
    std::size_t address = 0;      // The next one to try.
    std::size_t failures = 0;     // To connect, since it last was.
  };

  explicit NetworkTransport(NetworkOptions options);

  absl::Status ConnectAll(TimePoint deadline);
  // Waits for events until `until`, and handles them.
  void TakeEvents(TimePoint until, std::vector<Call*>& over);
  absl::Status Open(std::size_t index);
  void Watch(std::size_t index, bool output);
  void Lose(std::size_t index, const absl::Status& why,
            std::vector<Call*>& over);
  void Flush(std::vector<Call*>& over);
  void OnEvent(std::size_t index, std::uint32_t events,
               std::vector<Call*>& over);
  // Opens again what is lost or drained, when it is time.
  void OpenLost(std::vector<Call*>& over);
  void StartWaiting();
  void FailWaiting(const absl::Status& why, std::vector<Call*>& over);
  bool StartOn(std::size_t index, Call& call);

  const NetworkOptions options_;
  int epoll_ = -1;  // Owned.
  std::vector<Line> lines_;
  std::size_t next_line_ = 0;
  std::deque<Call*> waiting_;  // For a connection.
  std::vector<char> buffer_;   // Where all connections read into.
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_NETWORK_TRANSPORT_H_
