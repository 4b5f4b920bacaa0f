#include "server/http/http_server.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <latch>
#include <memory>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "server/http/http_connection.h"
#include "server/http/http_message.h"
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

namespace relu {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;
using Endpoint = Protocol::endpoint;

// How often connections are looked at that may have been silent for too long.
constexpr std::chrono::milliseconds kSweepInterval{250};

// How long nothing is accepted after that failed: for want of descriptors, say.
constexpr std::chrono::milliseconds kAcceptPause{100};

// What one round takes at most, as for gRPC.
constexpr std::size_t kMaxBurst = 64;

absl::Status CannotListen(std::string_view where, const error_code& error) {
  return absl::UnavailableError(fmt::format(
      "HTTP cannot listen on {}: {}: expected an address of this host and a "
      "port that no other program uses",
      where, error.message()));
}

std::string WhereText(const HttpListener& listener) {
  if (!listener.unix_path.empty()) {
    return listener.unix_path;
  }
  const bool bare_ipv6 = listener.address.find(':') != std::string::npos &&
                         !listener.address.starts_with('[');
  return bare_ipv6 ? fmt::format("[{}]:{}", listener.address, listener.port)
                   : fmt::format("{}:{}", listener.address, listener.port);
}

absl::StatusOr<Endpoint> ResolveEndpoint(const HttpListener& listener,
                                         asio::io_context& context) {
  if (!listener.unix_path.empty()) {
    asio::local::stream_protocol::endpoint endpoint;
    if (listener.unix_path.size() >= endpoint.capacity()) {
      return absl::InvalidArgumentError(
          fmt::format("the path of the Unix socket has {} bytes, the most is "
                      "{}: {}",
                      listener.unix_path.size(), endpoint.capacity() - 1,
                      listener.unix_path));
    }
    endpoint.path(listener.unix_path);
    return Endpoint(endpoint);
  }
  std::string_view host = listener.address;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  tcp::resolver resolver(context);
  error_code error;
  const auto found = resolver.resolve(host, std::to_string(listener.port),
                                      tcp::resolver::passive, error);
  if (error) {
    return CannotListen(WhereText(listener), error);
  }
  return Endpoint(found.begin()->endpoint());
}

}  // namespace

// One thread with the connections that belong to it.
class HttpServer::Worker {
 public:
  Worker(HttpServer& server, std::unique_ptr<HttpHandler> handler)
      : handler_(std::move(handler)),
        state_{.limits = server.options_.limits,
               .handler = *handler_,
               .budget = server.budget_,
               .answers = server.options_.answers,
               .open = {}},
        context_(/*concurrency_hint=*/1),
        work_(context_.get_executor()),
        sweep_(context_) {}

  asio::io_context& context() { return context_; }

  void Start() {
    Sweep();
    handler_->Start(
        [this] { asio::post(context_, [this] { woken_ = true; }); });
    thread_ = std::thread([this] { Loop(); });
  }

  // Serves a client that was just accepted. Any thread.
  void Adopt(StreamSocket socket, CountedConnection counted,
             std::shared_ptr<asio::ssl::context> tls, int role) {
    asio::post(context_,
               [this, moved = std::move(socket), count = std::move(counted),
                context = std::move(tls), role]() mutable {
                 HttpConnection::Serve(std::move(moved), std::move(count),
                                       std::move(context), role, state_);
               });
  }

  // Any thread.
  void BeginDrain() {
    asio::post(context_, [this] { state_.draining = true; });
  }

  // Ends the thread when its connections have. Any thread.
  void BeginStop() {
    asio::post(context_, [this] {
      state_.draining = true;
      state_.stopping = true;
      for (HttpConnection* connection : Open()) {
        connection->CloseIfIdle();
      }
    });
  }

  // Waits for the end of the thread. Connections that take longer than `end`
  // are cut off; returns how many of those had a request.
  int Join(std::chrono::steady_clock::time_point end) {
    if (!finished_.try_acquire_until(end)) {
      asio::post(context_, [this] {
        for (HttpConnection* connection : Open()) {
          cut_off_ += connection->Close() ? 1 : 0;
        }
      });
    }
    thread_.join();
    return cut_off_;
  }

 private:
  // A copy: connections that end take themselves from the set.
  std::vector<HttpConnection*> Open() const {
    return {state_.open.begin(), state_.open.end()};
  }

  void Loop() {
    bool more = false;
    while (!state_.stopping || !state_.open.empty()) {
      if (more) {
        context_.poll_one();
      } else {
        context_.run_one();
      }
      // Takes what is there without waiting, so that it runs as one batch. Not
      // if no request is there to join: looking costs a system call.
      while (handler_->arrived() > 0 && handler_->arrived() < kMaxBurst &&
             context_.poll_one() > 0) {
      }
      if (handler_->arrived() > 0 || more || std::exchange(woken_, false)) {
        more = handler_->RunArrived();
      }
    }
    handler_->Stop();
    finished_.release();
  }

  void Sweep() {
    sweep_.expires_after(kSweepInterval);
    sweep_.async_wait([this](const error_code& /*error*/) {
      const auto now = HttpConnection::Clock::now();
      for (HttpConnection* connection : Open()) {
        connection->CloseIfLate(now);
      }
      Sweep();
    });
  }

  const std::unique_ptr<HttpHandler> handler_;
  HttpThread state_;
  // After what the connections use: those that are left go with it.
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer sweep_;
  bool woken_ = false;  // For the thread alone.
  int cut_off_ = 0;     // Written before the thread ends, read after.
  std::binary_semaphore finished_{0};
  std::thread thread_;
};

// One listening socket. Runs on the first worker's thread, and hands the
// clients to all in turn.
class HttpServer::Acceptor {
 public:
  Acceptor(HttpServer& server, const HttpListener& listener,
           std::atomic<std::size_t>& connections)
      : server_(server),
        listener_(listener),
        connections_(connections),
        acceptor_(server.workers_.front()->context()),
        pause_(server.workers_.front()->context()) {}

  absl::Status Listen() {
    ASSIGN_OR_RETURN(
        const Endpoint endpoint,
        ResolveEndpoint(listener_, server_.workers_.front()->context()));
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error && listener_.unix_path.empty()) {
      acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error) {
      acceptor_.bind(endpoint, error);
    }
    if (!error) {
      acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    return error ? CannotListen(WhereText(listener_), error) : absl::OkStatus();
  }

  int port() const {
    error_code error;
    const Endpoint endpoint = acceptor_.local_endpoint(error);
    tcp::endpoint address;
    if (error || !listener_.unix_path.empty() ||
        endpoint.size() > address.capacity()) {
      return 0;
    }
    std::memcpy(address.data(), endpoint.data(), endpoint.size());
    address.resize(endpoint.size());
    return address.port();
  }

  void Accept() {
    Worker& worker = *server_.workers_[next_worker_];
    next_worker_ = (next_worker_ + 1) % server_.workers_.size();
    acceptor_.async_accept(
        worker.context(),
        [this, &worker](const error_code& error, StreamSocket socket) {
          if (error == asio::error::operation_aborted) {
            return;
          }
          if (error) {
            Pause();
            return;
          }
          Welcome(std::move(socket), worker);
          Accept();
        });
  }

  void Close() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

 private:
  void Welcome(StreamSocket socket, Worker& worker) {
    error_code ignored;
    if (connections_.load(std::memory_order_relaxed) >=
        server_.options_.max_connections) {
      TurnAway(std::move(socket));
      return;
    }
    // Counted from here on, not from where it is served: while that thread
    // computes, any number of clients could come.
    CountedConnection counted(connections_);
    socket.set_option(tcp::no_delay(true), ignored);  // Unix sockets have none.
    worker.Adopt(std::move(socket), std::move(counted),
                 listener_.tls == nullptr ? nullptr : listener_.tls->current(),
                 listener_.role);
  }

  void TurnAway(StreamSocket socket) const {
    static constexpr std::string_view kAnswer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        "Content-Length: 51\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
        "{\"error\":\"as many clients are connected as may be\"}";
    if (listener_.tls == nullptr) {
      error_code ignored;
      socket.non_blocking(true, ignored);
      socket.send(asio::buffer(kAnswer), 0, ignored);
    }
  }

  void Pause() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](const error_code& error) {
      if (!error) {
        Accept();
      }
    });
  }

  HttpServer& server_;
  const HttpListener listener_;
  std::atomic<std::size_t>& connections_;
  asio::basic_socket_acceptor<Protocol, asio::io_context::executor_type>
      acceptor_;
  asio::steady_timer pause_;
  std::size_t next_worker_ = 0;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    const HttpServerOptions& options, const MakeHandler& make_handler) {
  auto server = std::make_unique<HttpServer>(options);
  RETURN_IF_ERROR(server->Listen(make_handler));
  return server;
}

HttpServer::HttpServer(const HttpServerOptions& options)
    : options_(options), budget_(options.max_bodies_bytes) {}

HttpServer::~HttpServer() { Shutdown(std::chrono::milliseconds(0)); }

int HttpServer::port(std::size_t listener) const {
  return acceptors_[listener]->port();
}

absl::Status HttpServer::Listen(const MakeHandler& make_handler) {
  for (int i = 0; i < options_.threads; ++i) {
    workers_.push_back(std::make_unique<Worker>(*this, make_handler()));
  }
  for (const HttpListener& listener : options_.listeners) {
    acceptors_.push_back(std::make_unique<Acceptor>(
        *this, listener, connections_.emplace_back(0)));
    if (absl::Status status = acceptors_.back()->Listen(); !status.ok()) {
      acceptors_.clear();
      workers_.clear();
      return status;
    }
  }
  for (const auto& acceptor : acceptors_) {
    acceptor->Accept();
  }
  for (const auto& worker : workers_) {
    worker->Start();
  }
  accepting_ = true;
  return absl::OkStatus();
}

void HttpServer::BeginDrain() {
  for (const auto& worker : workers_) {
    worker->BeginDrain();
  }
}

void HttpServer::StopAccepting() {
  if (!std::exchange(accepting_, false)) {
    return;
  }
  std::latch closed{1};
  asio::post(workers_.front()->context(), [&] {
    for (const auto& acceptor : acceptors_) {
      acceptor->Close();
    }
    closed.count_down();
  });
  closed.wait();
  for (const auto& worker : workers_) {
    worker->BeginStop();
  }
}

int HttpServer::Shutdown(std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  StopAccepting();
  int cut_off = 0;
  for (const auto& worker : workers_) {
    cut_off += worker->Join(end);
  }
  acceptors_.clear();
  workers_.clear();
  return cut_off;
}

}  // namespace relu
