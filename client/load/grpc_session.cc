#include "client/load/grpc_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

#include "core/base/check.h"
#include "fmt/format.h"

namespace relu::load {
namespace {

// Large enough that no answer waits for us.
constexpr std::int32_t kStreamWindowBytes = 1 << 24;
constexpr std::int32_t kConnectionWindowBytes = 1 << 28;
// What fits into the 8 digits of a grpc-timeout.
constexpr std::int64_t kMaxTimeoutNumber = 99'999'999;

constexpr int kHighestGrpcStatus = 16;

std::uint8_t* Bytes(std::string_view text) {
  // nghttp2 does not write to names and values, but its fields are not const.
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

nghttp2_nv Field(std::string_view name, std::string_view value) {
  return {
      .name = Bytes(name),
      .value = Bytes(value),
      .namelen = name.size(),
      .valuelen = value.size(),
      .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

absl::Status FromNghttp2(std::string_view what, std::int64_t code) {
  return absl::UnavailableError(
      fmt::format("{}: {}", what, nghttp2_strerror(static_cast<int>(code))));
}

// "%20" and its like, as grpc-message has them.
std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 1] + 2, value, 16).ptr ==
            &text[i + 1] + 2) {
      decoded += static_cast<char>(value);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

// What gRPC says a status of HTTP stands for, where it has none of its own.
absl::StatusCode CodeOfHttpStatus(int status) {
  switch (status) {
    case 400:
      return absl::StatusCode::kInternal;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kUnknown;
  }
}

// The same for a stream that ended without a status.
absl::StatusCode CodeOfHttp2Error(std::uint32_t error_code) {
  switch (error_code) {
    case NGHTTP2_REFUSED_STREAM:
      return absl::StatusCode::kUnavailable;
    case NGHTTP2_CANCEL:
      return absl::StatusCode::kCancelled;
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return absl::StatusCode::kResourceExhausted;
    case NGHTTP2_INADEQUATE_SECURITY:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kInternal;
  }
}

}  // namespace

// nghttp2 gives each callback the session's user data, which is our session,
// and the stream's, which is the GrpcStream, or nullptr once it is forgotten.
struct GrpcSession::Callbacks {
  static GrpcStream* StreamOf(nghttp2_session* session, std::int32_t id) {
    return static_cast<GrpcStream*>(
        nghttp2_session_get_stream_user_data(session, id));
  }

  static std::string_view Text(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame,
                      const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t /*flags*/, void* self) {
    if (GrpcStream* const stream = StreamOf(session, frame->hd.stream_id)) {
      static_cast<GrpcSession*>(self)->OnHeader(*stream, Text(name, name_size),
                                                Text(value, value_size));
    }
    return 0;
  }

  static int OnDataChunk(nghttp2_session* session, std::uint8_t /*flags*/,
                         std::int32_t stream_id, const std::uint8_t* bytes,
                         std::size_t size, void* self) {
    if (GrpcStream* const stream = StreamOf(session, stream_id)) {
      static_cast<GrpcSession*>(self)->OnData(*stream, Text(bytes, size));
    }
    return 0;
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame,
                     void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      static_cast<GrpcSession*>(self)->draining_ = true;
    }
    const std::int32_t id = frame->hd.stream_id;
    if (id != 0 && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
        nghttp2_session_get_stream_local_close(session, id) == 0) {
      // The server has ended the call before it had all that we would send.
      (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id,
                                      NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static int OnFrameSent(nghttp2_session* /*session*/,
                         const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY &&
        frame->goaway.error_code != NGHTTP2_NO_ERROR) {
      static_cast<GrpcSession*>(self)->malformed_ =
          Text(frame->goaway.opaque_data, frame->goaway.opaque_data_len);
    }
    return 0;
  }

  static int OnStreamClose(nghttp2_session* session, std::int32_t stream_id,
                           std::uint32_t error_code, void* /*self*/) {
    if (GrpcStream* const stream = StreamOf(session, stream_id)) {
      nghttp2_session_set_stream_user_data(session, stream_id, nullptr);
      OnClose(*stream, error_code);
    }
    return 0;
  }

  static ssize_t ReadUnsent(nghttp2_session* /*session*/,
                            std::int32_t /*stream_id*/, std::uint8_t* buffer,
                            std::size_t size, std::uint32_t* flags,
                            nghttp2_data_source* source, void* /*self*/) {
    auto& stream = *static_cast<GrpcStream*>(source->ptr);
    const std::size_t count = std::min(size, stream.unsent.size());
    std::memcpy(buffer, stream.unsent.data(), count);
    stream.unsent.remove_prefix(count);
    if (stream.unsent.empty() && stream.ends_after_unsent) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (count == 0) {
      stream.waits_for_more_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(count);
  }
};

std::string GrpcTimeoutText(std::int64_t milliseconds) {
  if (milliseconds <= kMaxTimeoutNumber) {
    return fmt::format("{}m", milliseconds);
  }
  return fmt::format("{}S", std::min(milliseconds / 1000, kMaxTimeoutNumber));
}

GrpcSession::GrpcSession(GrpcHeaders headers) : headers_(std::move(headers)) {
  nghttp2_session_callbacks* callbacks = nullptr;
  CHECK(nghttp2_session_callbacks_new(&callbacks) == 0);
  nghttp2_session_callbacks_set_on_header_callback(callbacks,
                                                   &Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, &Callbacks::OnDataChunk);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                       &Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks,
                                                       &Callbacks::OnFrameSent);
  nghttp2_session_callbacks_set_on_stream_close_callback(
      callbacks, &Callbacks::OnStreamClose);
  CHECK(nghttp2_session_client_new(&session_, callbacks, this) == 0);
  nghttp2_session_callbacks_del(callbacks);
  const std::array<nghttp2_settings_entry, 2> settings = {
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes}}};
  CHECK(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(),
                                settings.size()) == 0);
  CHECK(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE,
                                              /*stream_id=*/0,
                                              kConnectionWindowBytes) == 0);
}

GrpcSession::~GrpcSession() { nghttp2_session_del(session_); }

bool GrpcSession::Start(GrpcStream& stream) {
  // nghttp2 copies this list, not the texts.
  std::array<nghttp2_nv, 24> fields{};
  std::size_t count = 0;
  const auto add = [&](std::string_view name, std::string_view value) {
    CHECK(count < fields.size());
    fields[count++] = Field(name, value);
  };
  add(":method", "POST");
  add(":scheme", headers_.scheme);
  add(":path", headers_.path);
  add(":authority", headers_.authority);
  add("te", "trailers");
  add("content-type", "application/grpc");
  add("user-agent", headers_.user_agent);
  if (!headers_.timeout.empty()) {
    add("grpc-timeout", headers_.timeout);
  }
  for (const auto& [name, value] : headers_.metadata) {
    add(name, value);
  }
  stream.waits_for_more_ = false;
  stream.http_status_ = 0;
  stream.grpc_status_ = -1;
  stream.grpc_message_.clear();
  stream.failure_ = absl::OkStatus();
  stream.reader_.Reset();
  nghttp2_data_provider provider{};
  provider.source.ptr = &stream;
  provider.read_callback = &Callbacks::ReadUnsent;
  const std::int32_t id = nghttp2_submit_request(
      session_, /*pri_spec=*/nullptr, fields.data(), count, &provider, &stream);
  if (id < 0) {
    draining_ = true;  // Such as: no number is left for another stream.
    return false;
  }
  stream.id_ = id;
  return true;
}

void GrpcSession::Resume(GrpcStream& stream) {
  if (stream.waits_for_more_) {
    stream.waits_for_more_ = false;
    // It fails only for a stream that is closed, which has been told.
    (void)nghttp2_session_resume_data(session_, stream.id_);
  }
}

void GrpcSession::Reset(GrpcStream& stream) {
  nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr);
  (void)nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_,
                                  NGHTTP2_CANCEL);
}

absl::Status GrpcSession::Receive(std::string_view bytes) {
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
      bytes.size());
  if (taken < 0) {
    return FromNghttp2("malformed HTTP/2", taken);
  }
  return absl::OkStatus();
}

absl::Status GrpcSession::TakeOutput(std::string& output) {
  while (true) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) {
      return FromNghttp2("HTTP/2", size);
    }
    if (size == 0) {
      break;
    }
    output.append(reinterpret_cast<const char*>(bytes),
                  static_cast<std::size_t>(size));
  }
  if (nghttp2_session_want_read(session_) == 0 &&
      nghttp2_session_want_write(session_) == 0) {
    return absl::UnavailableError(
        malformed_.empty() ? "the connection is at its end"
                           : fmt::format("malformed HTTP/2: {}", malformed_));
  }
  return absl::OkStatus();
}

void GrpcSession::OnHeader(GrpcStream& stream, std::string_view name,
                           std::string_view value) {
  const auto number = [value] {
    int result = -1;
    std::from_chars(value.data(), value.data() + value.size(), result);
    return result;
  };
  if (name == "grpc-status") {
    stream.grpc_status_ = std::max(number(), 0);
    if (stream.grpc_status_ > kHighestGrpcStatus || number() < 0) {
      stream.grpc_status_ = static_cast<int>(absl::StatusCode::kUnknown);
    }
  } else if (name == "grpc-message") {
    stream.grpc_message_ = value;
  } else if (name == ":status") {
    stream.http_status_ = number();
  }
}

void GrpcSession::OnData(GrpcStream& stream, std::string_view bytes) {
  while (!bytes.empty() && stream.failure_.ok()) {
    const auto complete = stream.reader_.Next(bytes);
    if (!complete.ok()) {
      stream.failure_ = complete.status();
      (void)nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_,
                                      NGHTTP2_CANCEL);
    } else if (*complete) {
      stream.OnMessage(stream.reader_.message());
    }
  }
}

void GrpcSession::OnClose(GrpcStream& stream, std::uint32_t error_code) {
  if (!stream.failure_.ok()) {
    stream.OnClosed(stream.failure_.code(),
                    std::string(stream.failure_.message()));
  } else if (stream.grpc_status_ >= 0) {
    stream.OnClosed(static_cast<absl::StatusCode>(stream.grpc_status_),
                    PercentDecoded(stream.grpc_message_));
  } else if (stream.http_status_ > 0 && stream.http_status_ != 200) {
    stream.OnClosed(CodeOfHttpStatus(stream.http_status_),
                    fmt::format("HTTP status {}", stream.http_status_));
  } else {
    stream.OnClosed(CodeOfHttp2Error(error_code),
                    fmt::format("the stream ended without a status (HTTP/2 "
                                "error {})",
                                nghttp2_http2_strerror(error_code)));
  }
}

}  // namespace relu::load
