#include "server/connection_acceptor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <functional>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "fmt/format.h"
#include "server/listening_socket.h"
#include "server/log.h"
#include "server/open_connections.h"

namespace relu {
namespace {

// What one socket may bring before the others have their turn.
constexpr int kMaxAcceptBurst = 64;

// How long nothing is accepted after the process could open nothing more.
constexpr std::chrono::milliseconds kAcceptPause{100};

constexpr std::chrono::seconds kLogPeriod{10};

}  // namespace

ConnectionAcceptor::ConnectionAcceptor(std::vector<Listener> listeners,
                                       const Limits& limits,
                                       std::function<void()> refused)
    : listeners_(std::move(listeners)),
      limits_(limits),
      refused_(std::move(refused)),
      open_(listeners_.size(), OpenConnections(limits.max_connections)),
      stop_fd_(eventfd(0, EFD_CLOEXEC)) {
  CHECK(stop_fd_ >= 0);
  for (std::size_t i = 0; i < listeners_.size(); ++i) {
    for (const ListeningSocket& socket : listeners_[i].sockets) {
      sources_.push_back({socket, listeners_[i], open_[i]});
    }
  }
  thread_ = std::thread([this] { Loop(); });
}

ConnectionAcceptor::~ConnectionAcceptor() {
  CHECK(eventfd_write(stop_fd_, 1) == 0);
  thread_.join();
  close(stop_fd_);
}

void ConnectionAcceptor::Loop() {
  std::vector<pollfd> waits = {
      {.fd = stop_fd_, .events = POLLIN, .revents = 0}};
  for (const Source& source : sources_) {
    waits.push_back({.fd = source.socket.fd(), .events = POLLIN, .revents = 0});
  }
  while (true) {
    if (poll(waits.data(), waits.size(), /*timeout=*/-1) < 0) {
      continue;  // A signal.
    }
    bool pause = false;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      pause |= waits[i + 1].revents != 0 && !Accept(sources_[i]);
    }
    if (pause) {
      poll(waits.data(), 1, static_cast<int>(kAcceptPause.count()));
    }
    if (waits.front().revents != 0) {
      return;
    }
  }
}

bool ConnectionAcceptor::Accept(const Source& source) {
  for (int i = 0; i < kMaxAcceptBurst; ++i) {
    const int fd = source.socket.Accept();
    if (fd >= 0) {
      if (source.open.full(Clock::now())) {
        Refuse(fd);
      } else {
        Take(source, fd);
      }
      continue;
    }
    if (errno == EAGAIN) {
      return true;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
        errno == ENOMEM) {
      if (MayLog()) {
        Log(LogLevel::kError, fmt::format("gRPC can take no connection: {}",
                                          std::strerror(errno)));
      }
      return false;
    }
    // The others say that this client is gone.
  }
  return true;
}

void ConnectionAcceptor::Take(const Source& source, int fd) {
  source.open.Add(fd);
  source.listener.take(fd);
  if (!said_many_ && HasMany()) {
    said_many_ = true;
    Log(LogLevel::kWarning,
        fmt::format("gRPC has {} connections: with so many "
                    "--grpc-poll-strategy=epoll1 may answer sooner",
                    CountOpen()));
  }
}

std::size_t ConnectionAcceptor::CountOpen() const {
  return std::accumulate(open_.begin(), open_.end(), std::size_t{0},
                         [](std::size_t sum, const OpenConnections& open) {
                           return sum + open.count();
                         });
}

bool ConnectionAcceptor::HasMany() {
  if (CountOpen() < limits_.many) {
    return false;
  }
  const Clock::time_point now = Clock::now();
  if (now < next_count_) {
    return false;
  }
  next_count_ = now + OpenConnections::kLookPeriod;
  for (OpenConnections& open : open_) {
    open.ForgetClosed();
  }
  return CountOpen() >= limits_.many;
}

void ConnectionAcceptor::Refuse(int fd) {
  close(fd);
  refused_();
  ++unlogged_;
  if (MayLog()) {
    Log(LogLevel::kWarning,
        fmt::format("gRPC has {} connections, the most that "
                    "--grpc-max-connections allows: {} more were closed",
                    limits_.max_connections, std::exchange(unlogged_, 0)));
  }
}

bool ConnectionAcceptor::MayLog() {
  const Clock::time_point now = Clock::now();
  if (now < next_log_) {
    return false;
  }
  next_log_ = now + kLogPeriod;
  return true;
}

}  // namespace relu
