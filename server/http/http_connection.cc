#include "server/http/http_connection.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/base/check.h"
#include "core/base/in_flight_bytes.h"
#include "server/http/byte_budget.h"
#include "server/http/http_message.h"
#include "server/http/http_parser.h"
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>

namespace relu {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr int kRequestTimeout = 408;

// What is kept of the buffer between requests: a connection that waits takes no
// more, and most requests fit.
constexpr std::size_t kKeptBytes = 16 << 10;
// What is read at once: of a larger body, and at least.
constexpr std::size_t kReadBytes = 128 << 10;
constexpr std::size_t kMinReadBytes = 1 << 10;

// How long the rest of what a client sends is read and thrown away after the
// last answer: a socket that is closed with bytes unread resets the connection,
// and the answer would be lost with it.
constexpr std::chrono::seconds kLinger{2};

using Parser = HttpParser;

template <typename Stream>
class Connection final
    : public HttpConnection,
      public std::enable_shared_from_this<Connection<Stream>> {
 public:
  static constexpr bool kTls = !std::is_same_v<Stream, StreamSocket>;

  Connection(StreamSocket socket, CountedConnection counted,
             std::shared_ptr<asio::ssl::context> tls, int role,
             HttpThread& thread)
      : thread_(thread),
        counted_(std::move(counted)),
        tls_(std::move(tls)),
        stream_(MakeStream(std::move(socket), tls_.get())),
        role_(role),
        taken_(thread.budget),
        held_(thread.answers) {
    thread_.open.insert(this);
  }

  ~Connection() override { thread_.open.erase(this); }

  void Start() {
    error_code ignored;
    socket().non_blocking(true, ignored);
    if constexpr (kTls) {
      ExpireAfter(thread_.limits.transfer_timeout);
      stream_.async_handshake(
          asio::ssl::stream_base::server,
          [self = this->shared_from_this()](const error_code& error) {
            if (error) {
              self->Close();
            } else {
              self->NextRequest();
            }
          });
    } else {
      NextRequest();
    }
  }

  // --- HttpCall ---
  std::string_view method() const override {
    return ToView(parser_->get().method_string());
  }
  std::string_view target() const override {
    return ToView(parser_->get().target());
  }
  std::string_view header(std::string_view name) const override {
    const auto& fields = parser_->get();
    const auto field = fields.find(name);
    return field == fields.end() ? std::string_view() : ToView(field->value());
  }
  std::string& body() override { return parser_->get().body().text; }
  int role() const override { return role_; }
  void Respond(HttpResponse response) override;
  void WatchClient(std::function<void()> gone) override;
  void Post(std::function<void()> task) override {
    asio::post(stream_.get_executor(), [self = this->shared_from_this(),
                                        run = std::move(task)] { run(); });
  }

  // --- HttpConnection ---
  void CloseIfLate(Clock::time_point now) override {
    if (now < expires_at_) {
      return;
    }
    if (state_ == State::kReading && parser_.has_value() && !late_) {
      // The client hears why, if it listens.
      late_ = true;
      error_code ignored;
      socket().cancel(ignored);
      return;
    }
    Close();
  }
  void CloseIfIdle() override {
    error_code ignored;
    // What the client has sent is in time, although it was not read yet.
    if (state_ == State::kIdle && socket().available(ignored) == 0) {
      Close();
    }
  }
  bool Close() override {
    error_code ignored;
    socket().close(ignored);
    if (gone_) {
      std::exchange(gone_, nullptr)();
    }
    return state_ != State::kIdle && state_ != State::kLingering;
  }

 private:
  enum class State {
    kIdle,       // No byte of a request is there, or not even a handshake.
    kReading,    // A request.
    kHandling,   // The handler has the request.
    kWriting,    // The answer.
    kLingering,  // Reads what nobody wants.
  };

  static Stream MakeStream(StreamSocket socket, asio::ssl::context* tls) {
    if constexpr (kTls) {
      return Stream(std::move(socket), *tls);
    } else {
      return socket;
    }
  }

  template <typename View>
  static std::string_view ToView(View text) {
    return {text.data(), text.size()};
  }

  StreamSocket& socket() {
    if constexpr (kTls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  void ExpireAfter(std::chrono::milliseconds duration) {
    expires_at_ = Clock::now() + duration;
  }

  void NextRequest();
  void Read();
  void OnRead(const error_code& error);
  void Parse();
  bool OnHeader();
  void Continue();
  void OnRequest();
  void Refuse(HttpResponse response);
  void Refuse(int status, std::string_view message) {
    Refuse(thread_.handler.ErrorResponse(status, message));
  }
  void OnWritten(const error_code& error);
  bool AtEnd();
  void End();
  void Linger();

  HttpThread& thread_;
  const CountedConnection counted_;
  const std::shared_ptr<asio::ssl::context> tls_;  // Before the stream.
  Stream stream_;
  const int role_;

  State state_ = State::kIdle;
  Clock::time_point expires_at_;
  bool late_ = false;        // Reading was given up.
  bool keep_alive_ = false;  // After the answer.
  beast::flat_buffer buffer_;
  BytesTaken taken_;  // By the body.
  std::optional<Parser> parser_;
  bool header_seen_ = false;
  std::size_t header_fields_ = 0;
  std::function<void()> gone_;  // While a request waits for long.
  std::string head_;            // Of the answer.
  HttpResponse response_;
  HeldBytes held_;  // By the answer.
};

template <typename Stream>
void Connection<Stream>::NextRequest() {
  parser_.emplace();
  parser_->get().body().taken = &taken_;
  parser_->header_limit(
      static_cast<std::uint32_t>(thread_.limits.max_header_bytes));
  parser_->body_limit(thread_.limits.max_body_bytes);
  header_seen_ = false;
  keep_alive_ = false;
  if (buffer_.size() > 0) {
    state_ = State::kReading;
    ExpireAfter(thread_.limits.transfer_timeout);
    Parse();
    return;
  }
  if (buffer_.capacity() > kKeptBytes) {
    buffer_.shrink_to_fit();
  }
  state_ = State::kIdle;
  ExpireAfter(thread_.limits.idle_timeout);
  Read();
  if (thread_.stopping) {
    CloseIfIdle();
  }
}

template <typename Stream>
void Connection<Stream>::Read() {
  // Into what room there is, or what a request usually takes.
  const std::size_t size = header_seen_ ? kReadBytes : kKeptBytes;
  const std::size_t room = std::max(buffer_.capacity(), size) - buffer_.size();
  stream_.async_read_some(buffer_.prepare(std::max(room, kMinReadBytes)),
                          [self = this->shared_from_this()](
                              const error_code& error, std::size_t bytes) {
                            self->buffer_.commit(bytes);
                            self->OnRead(error);
                          });
}

template <typename Stream>
void Connection<Stream>::OnRead(const error_code& error) {
  if (late_) {
    Refuse(kRequestTimeout, "the request did not arrive in time");
    return;
  }
  if (error) {
    Close();
    return;
  }
  if (state_ == State::kIdle) {
    state_ = State::kReading;
    ExpireAfter(thread_.limits.transfer_timeout);
  }
  Parse();
}

template <typename Stream>
void Connection<Stream>::Parse() {
  while (true) {
    error_code error;
    if (buffer_.size() > 0) {
      buffer_.consume(Put(*parser_, buffer_.data(), error));
    }
    // After the header that is the line before a chunk, or the fields after the
    // last one, which the parser does not limit.
    if (header_seen_ && error == http::error::need_more &&
        buffer_.size() > thread_.limits.max_header_bytes) {
      error = http::error::header_limit;
    }
    if (error && error != http::error::need_more) {
      const Refusal refusal = ParseRefusal(error, thread_.limits);
      Refuse(refusal.status, refusal.message);
      return;
    }
    if (parser_->is_header_done() && !header_seen_) {
      header_seen_ = true;
      header_fields_ = CountFields(parser_->get());
      if (!OnHeader()) {
        return;
      }
    }
    if (parser_->is_done()) {
      OnRequest();
      return;
    }
    if (error == http::error::need_more || buffer_.size() == 0) {
      Read();
      return;
    }
  }
}

// False if the request goes another way from here.
template <typename Stream>
bool Connection<Stream>::OnHeader() {
  parser_->eager(true);
  keep_alive_ = parser_->keep_alive();
  if (std::optional<Refusal> coding = RefuseTransferCoding(parser_->get())) {
    Refuse(coding->status, coding->message);
    return false;
  }
  std::optional<HttpResponse> refusal = thread_.handler.Refuse(*this);
  if (refusal.has_value()) {
    Refuse(*std::move(refusal));
    return false;
  }
  if (!parser_->is_done() && buffer_.size() == 0 &&
      beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
    Continue();
    return false;
  }
  return true;
}

template <typename Stream>
void Connection<Stream>::Continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(kContinue),
                    [self = this->shared_from_this()](const error_code& error,
                                                      std::size_t /*bytes*/) {
                      if (error) {
                        self->Close();
                      } else {
                        self->Read();
                      }
                    });
}

template <typename Stream>
void Connection<Stream>::OnRequest() {
  DropTrailers(header_fields_, parser_->get());
  const std::optional<Refusal> refusal =
      UnpackBody(header("Content-Encoding"), thread_.limits, taken_, body());
  if (refusal.has_value()) {
    Refuse(refusal->status, refusal->message);
    return;
  }
  state_ = State::kHandling;
  expires_at_ = Clock::time_point::max();
  thread_.handler.Handle(this->shared_from_this());
}

// Answers a request that may not have been read to its end: nothing can follow.
template <typename Stream>
void Connection<Stream>::Refuse(HttpResponse response) {
  keep_alive_ = false;
  Respond(std::move(response));
}

template <typename Stream>
void Connection<Stream>::Respond(HttpResponse response) {
  CHECK(state_ == State::kHandling || state_ == State::kReading);
  gone_ = nullptr;
  if (!socket().is_open()) {
    return;
  }
  if (header_seen_) {
    PackBody(header("Accept-Encoding"), response);
  }
  keep_alive_ = keep_alive_ && !thread_.draining;
  response_ = std::move(response);
  head_ = ResponseHead(response_, keep_alive_,
                       header_seen_ ? parser_->get().version() : 11);
  if (header_seen_ && method() == "HEAD") {
    response_.body.clear();
  }
  // The request is not looked at any more.
  body() = std::string();
  taken_.Clear();
  held_.HoldAnyway(response_.body.size());
  state_ = State::kWriting;
  ExpireAfter(thread_.limits.transfer_timeout);
  const std::array<asio::const_buffer, 2> buffers = {
      asio::buffer(head_), asio::buffer(response_.body)};
  asio::async_write(stream_, buffers,
                    [self = this->shared_from_this()](const error_code& error,
                                                      std::size_t /*bytes*/) {
                      self->OnWritten(error);
                    });
}

template <typename Stream>
void Connection<Stream>::OnWritten(const error_code& error) {
  if (error) {
    Close();
    return;
  }
  response_ = HttpResponse();
  held_.LetGo();
  if (keep_alive_) {
    NextRequest();
  } else {
    End();
  }
}

template <typename Stream>
void Connection<Stream>::WatchClient(std::function<void()> gone) {
  gone_ = std::move(gone);
  socket().async_wait(
      StreamSocket::wait_read,
      [self = this->shared_from_this()](const error_code& error) {
        // What is readable may be the next request, and this one answered.
        if (!error && self->gone_ && self->AtEnd()) {
          std::exchange(self->gone_, nullptr)();
        }
      });
}

// Whether the client sends no more.
template <typename Stream>
bool Connection<Stream>::AtEnd() {
  char byte = 0;
  error_code error;
  const std::size_t bytes = socket().receive(asio::buffer(&byte, 1),
                                             StreamSocket::message_peek, error);
  return bytes == 0 && error != asio::error::would_block;
}

// After the last answer.
template <typename Stream>
void Connection<Stream>::End() {
  if (!kTls && parser_->is_done() && buffer_.size() == 0) {
    Close();  // There is nothing that could be unread.
    return;
  }
  state_ = State::kLingering;
  ExpireAfter(kLinger);
  if constexpr (kTls) {
    stream_.async_shutdown(
        [self = this->shared_from_this()](const error_code& /*error*/) {
          self->Linger();
        });
  } else {
    Linger();
  }
}

template <typename Stream>
void Connection<Stream>::Linger() {
  error_code error;
  socket().shutdown(StreamSocket::shutdown_send, error);
  if (error) {
    Close();
    return;
  }
  buffer_.clear();
  socket().async_read_some(
      buffer_.prepare(kKeptBytes),
      [self = this->shared_from_this()](const error_code& read_error,
                                        std::size_t /*bytes*/) {
        if (read_error) {
          self->Close();
        } else {
          self->Linger();
        }
      });
}

}  // namespace

void HttpConnection::Serve(StreamSocket socket, CountedConnection counted,
                           std::shared_ptr<asio::ssl::context> tls, int role,
                           HttpThread& thread) {
  if (tls == nullptr) {
    std::make_shared<Connection<StreamSocket>>(
        std::move(socket), std::move(counted), nullptr, role, thread)
        ->Start();
  } else {
    std::make_shared<Connection<asio::ssl::stream<StreamSocket>>>(
        std::move(socket), std::move(counted), std::move(tls), role, thread)
        ->Start();
  }
}

}  // namespace relu
