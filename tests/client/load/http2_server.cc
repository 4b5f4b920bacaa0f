#include "tests/client/load/http2_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/load/message_reader.h"
#include "core/base/check.h"
#include "fmt/format.h"

namespace relu::load {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kStreamMethod = "ModelStreamInfer";

nghttp2_nv Field(const std::string& name, const std::string& value) {
  const auto bytes = [](const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {.name = bytes(name),
          .value = bytes(value),
          .namelen = name.size(),
          .valuelen = value.size(),
          .flags = NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

// For the server's thread.
class Http2Server::Peer {
 public:
  Peer(int socket, const Handler& handler)
      : socket_(socket), handler_(handler) {
    nghttp2_session_callbacks* callbacks = nullptr;
    CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBegin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                              OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    CHECK(nghttp2_session_server_new(&session_, callbacks, this) == 0);
    nghttp2_session_callbacks_del(callbacks);
    CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0) ==
          0);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                          1 << 30);
  }

  ~Peer() {
    nghttp2_session_del(session_);
    close(socket_);
  }

  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // False: the connection is over.
  bool Read() {
    std::array<char, 65536> buffer{};
    const ssize_t size = recv(socket_, buffer.data(), buffer.size(), 0);
    if (size <= 0) {
      return size < 0 && errno == EAGAIN;
    }
    now_ = Clock::now();
    return nghttp2_session_mem_recv(
               session_, reinterpret_cast<const std::uint8_t*>(buffer.data()),
               static_cast<std::size_t>(size)) == size;
  }

  // Gives the answers that are due. False: the connection is over.
  bool Write() {
    while (!due_.empty() && due_.top().at <= Clock::now()) {
      const Due due = due_.top();
      due_.pop();
      if (due.answer->hang_up) {
        return false;
      }
      Give(due.stream_id, *due.answer);
    }
    const std::uint8_t* bytes = nullptr;
    for (ssize_t size = 0;
         (size = nghttp2_session_mem_send(session_, &bytes)) > 0;) {
      output_.append(reinterpret_cast<const char*>(bytes),
                     static_cast<std::size_t>(size));
    }
    if (!output_.empty()) {
      const ssize_t size =
          send(socket_, output_.data(), output_.size(), MSG_NOSIGNAL);
      if (size < 0 && errno != EAGAIN) {
        return false;
      }
      output_.erase(0, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    }
    return nghttp2_session_want_read(session_) != 0 ||
           nghttp2_session_want_write(session_) != 0 || !output_.empty();
  }

  // When Write() is to be called again.
  Clock::time_point next() const {
    if (!output_.empty()) {
      return Clock::now() + std::chrono::milliseconds(1);
    }
    return due_.empty() ? Clock::time_point::max() : due_.top().at;
  }

 private:
  // One call of a client.
  struct Exchange {
    Http2Request request;
    MessageReader reader;
    bool is_stream = false;  // Each message has an answer of its own.
    bool half_closed = false;
    int owed = 0;  // Answers that were not given yet.
    bool headers_sent = false;
    bool over = false;     // All of the answer is in `body`.
    bool waiting = false;  // nghttp2 has been told to wait for more.
    std::string body;
    std::map<std::string, std::string> trailers;
  };

  struct Due {
    Clock::time_point at;
    std::int32_t stream_id = 0;
    std::shared_ptr<const Http2Answer> answer;
    bool operator<(const Due& other) const { return at > other.at; }
  };

  static Peer& Self(void* self) { return *static_cast<Peer*>(self); }

  static int OnBegin(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    Self(self).exchanges_[frame->hd.stream_id] = {};
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame,
                      const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t, void* self) {
    Exchange& exchange = Self(self).exchanges_[frame->hd.stream_id];
    const std::string text(reinterpret_cast<const char*>(value), value_size);
    const std::string key(reinterpret_cast<const char*>(name), name_size);
    exchange.is_stream |= key == ":path" && text.ends_with(kStreamMethod);
    exchange.request.headers[key] = text;
    return 0;
  }

  static int OnData(nghttp2_session*, std::uint8_t, std::int32_t stream_id,
                    const std::uint8_t* bytes, std::size_t size, void* self) {
    Exchange& exchange = Self(self).exchanges_[stream_id];
    std::string_view rest(reinterpret_cast<const char*>(bytes), size);
    while (!rest.empty()) {
      const auto complete = exchange.reader.Next(rest);
      CHECK(complete.ok());
      if (*complete) {
        exchange.request.message = exchange.reader.message();
        if (exchange.is_stream) {
          Self(self).Ask(stream_id, exchange);
        }
      }
    }
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0 ||
        frame->hd.stream_id == 0) {
      return 0;
    }
    Exchange& exchange = Self(self).exchanges_[frame->hd.stream_id];
    exchange.half_closed = true;
    if (!exchange.is_stream) {
      Self(self).Ask(frame->hd.stream_id, exchange);
    }
    return 0;
  }

  static int OnClose(nghttp2_session*, std::int32_t stream_id, std::uint32_t,
                     void* self) {
    Self(self).exchanges_.erase(stream_id);
    return 0;
  }

  void Ask(std::int32_t stream_id, Exchange& exchange) {
    ++exchange.owed;
    exchange.request.received = now_;
    auto answer =
        std::make_shared<const Http2Answer>(handler_(exchange.request));
    due_.push({.at = now_ + answer->delay,
               .stream_id = stream_id,
               .answer = std::move(answer)});
  }

  void Give(std::int32_t stream_id, const Http2Answer& answer) {
    const auto found = exchanges_.find(stream_id);
    if (found == exchanges_.end()) {
      return;  // The client has cancelled.
    }
    Exchange& exchange = found->second;
    if (answer.reset.has_value()) {
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream_id,
                                *answer.reset);
      return;
    }
    exchange.body += answer.body;
    exchange.trailers = answer.trailers;
    --exchange.owed;
    const bool failed = answer.trailers.contains("grpc-status") &&
                        answer.trailers.at("grpc-status") != "0";
    exchange.over = !exchange.is_stream || failed ||
                    (exchange.half_closed && exchange.owed == 0);
    if (!exchange.headers_sent) {
      SendHeaders(stream_id, exchange, answer.http_status);
    } else if (exchange.waiting) {
      exchange.waiting = false;
      nghttp2_session_resume_data(session_, stream_id);
    }
    if (answer.go_away) {
      nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, stream_id,
                            NGHTTP2_NO_ERROR, nullptr, 0);
    }
  }

  void SendHeaders(std::int32_t stream_id, Exchange& exchange, int status) {
    exchange.headers_sent = true;
    const std::string status_text = fmt::format("{}", status);
    const std::string status_name = ":status";
    const std::string type_name = "content-type";
    const std::string type = "application/grpc";
    const std::array<nghttp2_nv, 2> fields = {Field(status_name, status_text),
                                              Field(type_name, type)};
    nghttp2_data_provider provider{};
    provider.source.ptr = &exchange;
    provider.read_callback = ReadBody;
    nghttp2_submit_response(session_, stream_id, fields.data(), fields.size(),
                            &provider);
  }

  static ssize_t ReadBody(nghttp2_session* session, std::int32_t stream_id,
                          std::uint8_t* buffer, std::size_t size,
                          std::uint32_t* flags, nghttp2_data_source* source,
                          void*) {
    auto& exchange = *static_cast<Exchange*>(source->ptr);
    const std::size_t count = std::min(size, exchange.body.size());
    std::memcpy(buffer, exchange.body.data(), count);
    exchange.body.erase(0, count);
    if (!exchange.body.empty()) {
      return static_cast<ssize_t>(count);
    }
    if (!exchange.over) {
      exchange.waiting = count == 0;
      return count == 0 ? static_cast<ssize_t>(NGHTTP2_ERR_DEFERRED)
                        : static_cast<ssize_t>(count);
    }
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!exchange.trailers.empty()) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      std::vector<nghttp2_nv> fields;
      for (const auto& [name, value] : exchange.trailers) {
        fields.push_back(Field(name, value));
      }
      nghttp2_submit_trailer(session, stream_id, fields.data(), fields.size());
    }
    return static_cast<ssize_t>(count);
  }

  const int socket_;
  const Handler& handler_;
  nghttp2_session* session_ = nullptr;
  Clock::time_point now_;
  std::map<std::int32_t, Exchange> exchanges_;
  std::priority_queue<Due> due_;
  std::string output_;
};

Http2Server::Http2Server(Handler handler, const std::string& unix_path)
    : handler_(std::move(handler)) {
  if (unix_path.empty()) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    CHECK(bind(listener_, any, size) == 0);
    CHECK(getsockname(listener_, any, &size) == 0);
    address_ = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
  } else {
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    CHECK(unix_path.size() < sizeof(address.sun_path));
    std::memcpy(address.sun_path, unix_path.data(), unix_path.size());
    CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address),
               sizeof(address)) == 0);
    address_ = "unix:" + unix_path;
  }
  CHECK(listen(listener_, SOMAXCONN) == 0);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener_;
  CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) == 0);
  thread_ = std::thread([this] { Serve(); });
}

Http2Server::~Http2Server() {
  ending_ = true;
  thread_.join();
  close(listener_);
  close(epoll_);
}

void Http2Server::Accept() {
  const int socket =
      accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) {
    return;
  }
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = socket;
  CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0);
  peers_[socket] = std::make_unique<Peer>(socket, handler_);
  ++connections_;
}

void Http2Server::Serve() {
  constexpr std::chrono::nanoseconds kLongestWait =
      std::chrono::milliseconds(5);
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);  // Delays are to be exact.
  std::array<epoll_event, 64> events{};
  while (!ending_) {
    std::chrono::nanoseconds wait = kLongestWait;
    for (const auto& [socket, peer] : peers_) {
      if (peer->next() != Clock::time_point::max()) {
        wait = std::min(wait, std::max(peer->next() - Clock::now(),
                                       std::chrono::nanoseconds(0)));
      }
    }
    timespec time{.tv_sec = 0, .tv_nsec = wait.count()};
    const int count =
        epoll_pwait2(epoll_, events.data(), events.size(), &time, nullptr);
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == listener_) {
        Accept();
      } else if (peers_.contains(socket) && !peers_[socket]->Read()) {
        peers_.erase(socket);
      }
    }
    std::erase_if(peers_,
                  [](const auto& entry) { return !entry.second->Write(); });
  }
  peers_.clear();
}

std::string EmptyAnswerBody() { return WithMessagePrefix(""); }

}  // namespace relu::load
