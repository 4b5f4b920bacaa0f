#include "client/load/network_transport.h"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/load/call.h"
#include "client/load/connection.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"

namespace relu::load {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::chrono::milliseconds kReopenDelay(100);
// Nothing waits longer at once; the sum with the clock stays in range.
constexpr seconds kLongestWait(1);

// As epoll_wait(), to the nanosecond.
std::size_t WaitForEvents(int epoll, std::span<epoll_event> events,
                          nanoseconds timeout) {
  timeout = std::clamp<nanoseconds>(timeout, nanoseconds(0), kLongestWait);
  timespec time{};
  time.tv_sec = static_cast<time_t>(timeout / seconds(1));
  time.tv_nsec =
      static_cast<decltype(time.tv_nsec)>((timeout % seconds(1)).count());
  int count = epoll_pwait2(epoll, events.data(),
                           static_cast<int>(events.size()), &time, nullptr);
  if (count < 0 && errno == ENOSYS) {  // Before Linux 5.11.
    pollfd ready{.fd = epoll, .events = POLLIN, .revents = 0};
    (void)ppoll(&ready, 1, &time, nullptr);
    count = epoll_wait(epoll, events.data(), static_cast<int>(events.size()),
                       /*timeout=*/0);
  }
  return static_cast<std::size_t>(std::max(count, 0));
}

}  // namespace

absl::StatusOr<std::unique_ptr<NetworkTransport>> NetworkTransport::Connect(
    NetworkOptions options, std::chrono::milliseconds timeout) {
  // make_unique cannot reach the private constructor.
  std::unique_ptr<NetworkTransport> transport(
      new NetworkTransport(std::move(options)));
  RETURN_IF_ERROR(transport->ConnectAll(transport->Now() + timeout));
  return transport;
}

NetworkTransport::NetworkTransport(NetworkOptions options)
    : options_(std::move(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      buffer_(kReadBytes) {
  CHECK(epoll_ >= 0);
  CHECK(!options_.addresses.empty());
  for (int i = 0; i < options_.connections; ++i) {
    Line& line = lines_.emplace_back();
    line.connection = std::make_unique<Connection>(options_.form);
    line.address = static_cast<std::size_t>(i);
  }
}

NetworkTransport::~NetworkTransport() { close(epoll_); }

absl::Status NetworkTransport::ConnectAll(TimePoint deadline) {
  const auto stands = [](const Line& line) { return line.connection->ready(); };
  std::vector<Call*> over;  // Stays empty: there are no calls yet.
  while (!std::ranges::all_of(lines_, stands)) {
    if (Now() >= deadline) {
      return absl::UnavailableError("no connection within the timeout");
    }
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (lines_[i].open) {
        continue;
      }
      if (lines_[i].failures >= options_.addresses.size()) {
        return lines_[i].lost;
      }
      if (const absl::Status status = Open(i); !status.ok()) {
        Lose(i, status, over);
      }
    }
    Flush(over);
    TakeEvents(deadline, over);
  }
  return absl::OkStatus();
}

absl::Status NetworkTransport::Open(std::size_t index) {
  Line& line = lines_[index];
  const std::size_t address = line.address++ % options_.addresses.size();
  RETURN_IF_ERROR(line.connection->Open(options_.addresses[address]));
  line.open = true;
  line.watches_output = true;
  epoll_event event{};
  event.events = EPOLLOUT;
  event.data.u32 = static_cast<std::uint32_t>(index);
  CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, line.connection->descriptor(),
                  &event) == 0);
  return absl::OkStatus();
}

void NetworkTransport::Watch(std::size_t index, bool output) {
  Line& line = lines_[index];
  epoll_event event{};
  event.events = EPOLLIN | (output ? EPOLLOUT : 0U);
  event.data.u32 = static_cast<std::uint32_t>(index);
  CHECK(epoll_ctl(epoll_, EPOLL_CTL_MOD, line.connection->descriptor(),
                  &event) == 0);
  line.watches_output = output;
}

void NetworkTransport::Lose(std::size_t index, const absl::Status& why,
                            std::vector<Call*>& over) {
  Line& line = lines_[index];
  if (line.connection->ready()) {
    line.failures = 0;
    --line.address;  // The same again: it was there.
  }
  ++line.failures;
  line.connection->Close(why, Now(), over);  // epoll forgets it.
  line.open = false;
  line.lost = why;
  line.open_at = Now() + kReopenDelay;
  if (std::ranges::none_of(lines_, &Line::open)) {
    FailWaiting(why, over);
  }
}

void NetworkTransport::FailWaiting(const absl::Status& why,
                                   std::vector<Call*>& over) {
  for (Call* const call : waiting_) {
    call->sent = call->answered = Now();
    call->code = why.code();
    call->error = std::string(why.message());
    over.push_back(call);
  }
  waiting_.clear();
}

bool NetworkTransport::StartOn(std::size_t index, Call& call) {
  Connection& connection = *lines_[index].connection;
  if (!connection.ready() || !connection.Start(call)) {
    return false;
  }
  call.connection = static_cast<int>(index);
  return true;
}

void NetworkTransport::Start(Call& call) {
  if (call.connection >= 0 &&
      StartOn(static_cast<std::size_t>(call.connection), call)) {
    return;
  }
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (StartOn(next_line_++ % lines_.size(), call)) {
      return;
    }
  }
  call.connection = -1;
  waiting_.push_back(&call);
}

void NetworkTransport::StartWaiting() {
  for (std::size_t left = waiting_.size(); left > 0; --left) {
    Call* const call = waiting_.front();
    waiting_.pop_front();
    Start(*call);  // May put it back.
  }
}

void NetworkTransport::Cancel(Call& call) {
  if (call.connection >= 0) {
    lines_[static_cast<std::size_t>(call.connection)].connection->Cancel(call);
  } else {
    std::erase(waiting_, &call);
  }
}

void NetworkTransport::Flush(std::vector<Call*>& over) {
  const TimePoint now = Now();
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    Line& line = lines_[i];
    // What did not fit is written once epoll says that there is room.
    if (!line.open || line.watches_output) {
      continue;
    }
    const absl::Status status = line.connection->Write(now, over);
    if (!status.ok()) {
      Lose(i, status, over);
    } else if (line.connection->wants_to_write()) {
      Watch(i, /*output=*/true);
    }
  }
}

void NetworkTransport::OnEvent(std::size_t index, std::uint32_t events,
                               std::vector<Call*>& over) {
  Line& line = lines_[index];
  Connection& connection = *line.connection;
  absl::Status status;
  if (line.watches_output && (events & ~EPOLLIN) != 0) {
    if (!connection.connected()) {
      status = connection.FinishOpen();
    }
    if (status.ok()) {
      Watch(index, /*output=*/false);  // Flush() turns it on again.
    }
  }
  if (status.ok() && (events & ~EPOLLOUT) != 0) {
    status = connection.Read(Now(), buffer_, over);
  }
  if (!status.ok()) {
    Lose(index, status, over);
  }
}

void NetworkTransport::OpenLost(std::vector<Call*>& over) {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    Line& line = lines_[i];
    if (line.open && line.connection->drained()) {
      line.connection->Close(absl::OkStatus(), Now(), over);  // Has no calls.
      line.open = false;
      line.open_at = Now();
    }
    if (!line.open && Now() >= line.open_at) {
      if (const absl::Status status = Open(i); !status.ok()) {
        Lose(i, status, over);
      }
    }
  }
}

void NetworkTransport::Wait(TimePoint until, std::vector<Call*>& over) {
  OpenLost(over);
  StartWaiting();
  Flush(over);
  for (const Line& line : lines_) {
    until = line.open ? until : std::min(until, line.open_at);
  }
  TakeEvents(over.empty() ? until : Now(), over);
}

void NetworkTransport::TakeEvents(TimePoint until, std::vector<Call*>& over) {
  std::array<epoll_event, 64> events{};
  const std::size_t count = WaitForEvents(epoll_, events, until - Now());
  for (std::size_t i = 0; i < count; ++i) {
    OnEvent(events[i].data.u32, events[i].events, over);
  }
}

std::uint64_t NetworkTransport::bytes_sent() const {
  std::uint64_t bytes = 0;
  for (const Line& line : lines_) {
    bytes += line.connection->bytes_sent();
  }
  return bytes;
}

std::uint64_t NetworkTransport::bytes_received() const {
  std::uint64_t bytes = 0;
  for (const Line& line : lines_) {
    bytes += line.connection->bytes_received();
  }
  return bytes;
}

}  // namespace relu::load
