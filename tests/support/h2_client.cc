#include "tests/support/h2_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::int32_t kWindowBytes = 16 << 20;
// What a call ends with that has no status.
constexpr int kNoStatus = -1;

// The status that gRPC gives a stream which the server resets with an error of
// HTTP/2 (PROTOCOL-HTTP2.md, "HTTP2 Transport Mapping").
int StatusOfReset(std::uint32_t error) {
  constexpr int kResourceExhausted = 8;
  constexpr int kUnavailable = 14;
  switch (error) {
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return kResourceExhausted;
    case NGHTTP2_REFUSED_STREAM:
      return kUnavailable;
    default:
      return kNoStatus;
  }
}

std::string Frame(const std::string& message) {
  std::string frame(5, '\0');  // Not compressed.
  for (std::size_t i = 0; i < 4; ++i) {
    frame[4 - i] = static_cast<char>(message.size() >> (8 * i) & 0xFF);
  }
  return frame + message;
}

int Connect(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port =
      htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  CHECK(inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) ==
        1);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) ==
        0);
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  fcntl(socket, F_SETFL, O_NONBLOCK);
  return socket;
}

nghttp2_nv Header(std::string_view name, std::string_view value) {
  // nghttp2 does not write to them.
  const auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(  // NOLINT
        reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

double Percentile(std::vector<double>& values, double share) {
  if (values.empty()) {
    return 0;
  }
  const auto nth =
      values.begin() + static_cast<std::ptrdiff_t>(
                           share * static_cast<double>(values.size() - 1));
  std::ranges::nth_element(values, nth);
  return *nth;
}

}  // namespace

struct H2Client::Call {
  Clock::time_point due;
  const std::string* frame = nullptr;
  std::size_t sent_bytes = 0;
  int status = kNoStatus;
  std::string message = {};  // Of an error; percent-encoded.
};

// One TCP connection with its HTTP/2 session.
class H2Client::Connection {
 public:
  Connection(H2Client& client, const std::string& address)
      : client_(client), socket_(Connect(address)) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const std::array<nghttp2_settings_entry, 2> settings = {{
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes},
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
    }};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(),
                            settings.size());
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                          kWindowBytes);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = this;
    CHECK(epoll_ctl(client.epoll_, EPOLL_CTL_ADD, socket_, &event) == 0);
  }

  ~Connection() {
    nghttp2_session_del(session_);
    close(socket_);
  }

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Start(Clock::time_point due) {
    Call* const call = TakeCall();
    *call = {.due = due, .frame = &client_.NextFrame()};
    const std::array<nghttp2_nv, 6> headers = {
        {Header(":method", "POST"), Header(":scheme", "http"),
         Header(":path", client_.path_),
         Header(":authority", client_.authority_), Header("te", "trailers"),
         Header("content-type", "application/grpc")}};
    nghttp2_data_provider body;
    body.source.ptr = call;
    body.read_callback = ReadBody;
    CHECK(nghttp2_submit_request(session_, nullptr, headers.data(),
                                 headers.size(), &body, call) > 0);
  }

  // Reads what the server sent; false if it is gone.
  bool Read() {
    std::array<std::uint8_t, 1 << 16> bytes;
    while (true) {
      const ssize_t size = recv(socket_, bytes.data(), bytes.size(), 0);
      if (size < 0 && errno == EAGAIN) {
        return true;
      }
      if (size <= 0) {
        return false;
      }
      CHECK(nghttp2_session_mem_recv(session_, bytes.data(),
                                     static_cast<std::size_t>(size)) == size);
      if (static_cast<std::size_t>(size) < bytes.size()) {
        return true;
      }
    }
  }

  // Writes what there is to send, as far as the socket takes it.
  void Write() {
    while (true) {
      while (pending_.size() < (1 << 16)) {
        const std::uint8_t* bytes = nullptr;
        const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
        if (size <= 0) {
          break;
        }
        pending_.append(reinterpret_cast<const char*>(bytes),
                        static_cast<std::size_t>(size));
      }
      if (pending_.empty()) {
        return;
      }
      const ssize_t sent =
          send(socket_, pending_.data(), pending_.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;  // Full: it goes on with the next turn.
      }
      pending_.erase(0, static_cast<std::size_t>(sent));
    }
  }

 private:
  static ssize_t ReadBody(nghttp2_session* /*session*/, std::int32_t /*id*/,
                          std::uint8_t* to, std::size_t room,
                          std::uint32_t* flags, nghttp2_data_source* source,
                          void* /*self*/) {
    auto* const call = static_cast<Call*>(source->ptr);
    const std::string& frame = *call->frame;
    const std::size_t size = std::min(room, frame.size() - call->sent_bytes);
    std::memcpy(to, frame.data() + call->sent_bytes, size);
    call->sent_bytes += size;
    if (call->sent_bytes == frame.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return static_cast<ssize_t>(size);
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame,
                      const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t /*flags*/, void* /*self*/) {
    const std::string_view key(reinterpret_cast<const char*>(name), name_size);
    if (!key.starts_with("grpc-")) {
      return 0;
    }
    auto* const call = static_cast<Call*>(
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
    const auto* const text = reinterpret_cast<const char*>(value);
    if (key == "grpc-status") {
      std::from_chars(text, text + value_size, call->status);
    } else if (key == "grpc-message") {
      call->message.assign(text, value_size);
    }
    return 0;
  }

  static int OnClose(nghttp2_session* session, std::int32_t id,
                     std::uint32_t error, void* self) {
    auto* const connection = static_cast<Connection*>(self);
    auto* const call =
        static_cast<Call*>(nghttp2_session_get_stream_user_data(session, id));
    if (call->status == kNoStatus) {
      call->status = StatusOfReset(error);
      call->message =
          error == NGHTTP2_NO_ERROR
              ? "ended without a status"
              : fmt::format("reset with {}", nghttp2_http2_strerror(error));
    }
    connection->idle_.push_back(call);
    connection->client_.OnAnswer(*call);
    return 0;
  }

  Call* TakeCall() {
    if (idle_.empty()) {
      calls_.push_back(std::make_unique<Call>());
      return calls_.back().get();
    }
    Call* const call = idle_.back();
    idle_.pop_back();
    return call;
  }

  H2Client& client_;
  const int socket_;
  nghttp2_session* session_ = nullptr;
  std::string pending_;  // Bytes that are still to be sent.
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<Call*> idle_;
};

H2Client::H2Client(const std::string& address, const std::string& path,
                   const std::vector<std::string>& messages, int connections)
    : path_(path), authority_(address), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  for (const std::string& message : messages) {
    frames_.push_back(Frame(message));
  }
  for (int i = 0; i < connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(*this, address));
  }
}

H2Client::~H2Client() {
  connections_.clear();
  close(epoll_);
}

const std::string& H2Client::NextFrame() {
  const std::string& frame = frames_[next_frame_];
  next_frame_ = next_frame_ + 1 == frames_.size() ? 0 : next_frame_ + 1;
  return frame;
}

LoadFigures H2Client::Run(int in_flight, std::chrono::milliseconds time) {
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + time;
  while (true) {
    const Clock::time_point now = Clock::now();
    while (now < end && open_ < in_flight) {
      Start(now);
    }
    if (open_ == 0) {
      return Summary(now - begin);
    }
    Turn(std::chrono::milliseconds(1000));
  }
}

LoadFigures H2Client::RunAtRate(double calls_per_second,
                                std::chrono::milliseconds time) {
  const auto distance = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(1 / calls_per_second));
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + time;
  Clock::time_point due = begin;
  while (true) {
    const Clock::time_point now = Clock::now();
    while (due <= now && due < end) {
      Start(due);
      due += distance;
    }
    if (open_ == 0 && due >= end) {
      return Summary(std::max(now, end) - begin);
    }
    // Without a sleep: one takes longer than the distance.
    Turn(std::chrono::milliseconds(0));
  }
}

void H2Client::Start(Clock::time_point due) {
  connections_[next_connection_]->Start(due);
  next_connection_ = (next_connection_ + 1) % connections_.size();
  ++open_;
}

void H2Client::Turn(std::chrono::milliseconds wait) {
  for (const auto& connection : connections_) {
    connection->Write();
  }
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_, events.data(), events.size(),
                               static_cast<int>(wait.count()));
  for (int i = 0; i < count; ++i) {
    auto* const connection =
        static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
    CHECK(connection->Read());
  }
}

void H2Client::OnAnswer(const Call& call) {
  --open_;
  const double us =
      std::chrono::duration<double, std::micro>(Clock::now() - call.due)
          .count();
  (call.status == 0 ? ok_us_ : failed_us_).push_back(us);
  if (call.status != 0) {
    if (errors_.empty()) {
      first_error_ = fmt::format("{} ({})", call.status, call.message);
    }
    errors_.insert(call.status);
  }
}

LoadFigures H2Client::Summary(Clock::duration time) {
  LoadFigures figures{
      .seconds = std::chrono::duration<double>(time).count(),
      .ok = ok_us_.size(),
      .failed = failed_us_.size(),
      .p50_us = Percentile(ok_us_, 0.50),
      .p99_us = Percentile(ok_us_, 0.99),
      .failed_p99_us = Percentile(failed_us_, 0.99),
      .first_error = std::exchange(first_error_, {}),
      .errors = std::exchange(errors_, {}),
  };
  ok_us_.clear();
  failed_us_.clear();
  return figures;
}

}  // namespace relu
