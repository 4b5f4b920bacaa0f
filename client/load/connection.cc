#include "client/load/connection.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/load/call.h"
#include "client/load/grpc_session.h"
#include "client/load/request.h"
#include "client/load/socket.h"
#include "client/load/stream_answer.h"
#include "core/base/status_macros.h"

namespace relu::load {
namespace {

// Looks at the answer, and keeps what is wrong with it in `call`.
void CheckAnswer(std::string_view response, Call& call) {
  call.answer_bytes = response.size();
  if (call.request->expected == nullptr) {
    return;
  }
  std::string difference = call.request->expected->Difference(response);
  call.mismatch = !difference.empty();
  if (call.mismatch) {
    call.error = std::move(difference);
  }
}

}  // namespace

// A ModelInfer call. Used again when it is over.
class Connection::UnaryStream final : public GrpcStream {
 public:
  UnaryStream(Connection& connection, std::size_t index)
      : connection_(connection), index_(index) {}

  // False if the session takes no calls any more.
  bool Begin(Call& call) {
    call_ = &call;
    has_answer_ = false;
    call.stream = index_;
    unsent = call.request->message;
    return connection_.session_->Start(*this);
  }

  void OnMessage(std::string_view message) override {
    has_answer_ = true;
    CheckAnswer(message, *call_);
  }

  void OnClosed(absl::StatusCode code, std::string message) override {
    Call& call = *Release();
    if (code == absl::StatusCode::kOk && !has_answer_) {
      connection_.Finish(call, absl::StatusCode::kInternal,
                         "malformed answer: a status, but no message");
    } else if (code == absl::StatusCode::kOk) {
      connection_.Finish(call, code, std::move(call.error));
    } else {
      connection_.Finish(call, code, std::move(message));
    }
  }

  void Cancel() {
    connection_.session_->Reset(*this);
    Release();
  }

  Call* Release() {
    connection_.free_unary_.push_back(this);
    return std::exchange(call_, nullptr);
  }

  Call* call() { return call_; }

 private:
  Connection& connection_;
  const std::size_t index_;
  Call* call_ = nullptr;
  bool has_answer_ = false;
};

// A ModelInferStream call, which carries many calls of the load.
class Connection::SharedStream final : public GrpcStream {
 public:
  explicit SharedStream(Connection& connection) : connection_(connection) {
    ends_after_unsent = false;
  }

  bool Begin(Call& call) {
    const bool begin = !open_;
    if (begin) {
      outgoing_.clear();
      unsent = {};
    }
    outgoing_.erase(0, outgoing_.size() - unsent.size());
    outgoing_ += call.request->message;
    const std::string id = IdText(next_id_++);
    outgoing_.replace(outgoing_.size() - id.size(), id.size(), id);
    unsent = outgoing_;
    open_ = true;
    if (begin && !connection_.session_->Start(*this)) {
      open_ = false;
      return false;
    }
    in_flight_.push_back({.id = id, .call = &call});
    connection_.session_->Resume(*this);
    return true;
  }

  void OnMessage(std::string_view message) override {
    const auto answer = ReadStreamAnswer(message);
    if (!answer.ok()) {
      FinishFirst("", absl::StatusCode::kInternal,
                  std::string(answer.status().message()));
    } else if (!answer->error.empty()) {
      // The protocol gives such an error no code.
      FinishFirst(answer->id, absl::StatusCode::kUnknown,
                  std::string(answer->error));
    } else if (Call* const call = Take(answer->id)) {
      CheckAnswer(answer->response, *call);
      connection_.Finish(*call, absl::StatusCode::kOk, std::move(call->error));
    }
  }

  void OnClosed(absl::StatusCode code, std::string message) override {
    open_ = false;
    if (code == absl::StatusCode::kOk && !in_flight_.empty()) {
      code = absl::StatusCode::kUnavailable;
      message = "the server ended the stream";
    }
    while (!in_flight_.empty()) {
      FinishFirst("", code, message);
    }
  }

  void Cancel(const Call& call) {
    for (Entry& entry : in_flight_) {
      if (entry.call == &call) {
        entry.call = nullptr;  // Its answer will still come.
      }
    }
  }

 private:
  struct Entry {
    std::string id;
    Call* call = nullptr;  // nullptr: cancelled.
  };

  // Answers come in order from most servers, and always say for what.
  Call* Take(std::string_view id) {
    const auto entry = std::ranges::find(in_flight_, id, &Entry::id);
    if (entry == in_flight_.end()) {
      return nullptr;
    }
    Call* const call = entry->call;
    in_flight_.erase(entry);
    return call;
  }

  // The call of `id`, or if no call has it, the one that was sent first.
  void FinishFirst(std::string_view id, absl::StatusCode code,
                   std::string error) {
    const bool known =
        std::ranges::find(in_flight_, id, &Entry::id) != in_flight_.end();
    if (!known && in_flight_.empty()) {
      return;
    }
    if (Call* const call = Take(known ? id : in_flight_.front().id)) {
      connection_.Finish(*call, code, std::move(error));
    }
  }

  Connection& connection_;
  bool open_ = false;
  std::string outgoing_;  // What `unsent` is a view of.
  std::uint64_t next_id_ = 0;
  std::deque<Entry> in_flight_;
};

Connection::Connection(const CallForm& form) : form_(form) {}

Connection::~Connection() = default;

absl::Status Connection::Open(const SocketAddress& address) {
  ASSIGN_OR_RETURN(socket_, Socket::Connect(address));
  session_ = std::make_unique<GrpcSession>(form_.headers);
  output_.clear();
  shared_.clear();
  for (int i = 0; i < form_.streams; ++i) {
    shared_.push_back(std::make_unique<SharedStream>(*this));
  }
  return absl::OkStatus();
}

absl::Status Connection::FinishOpen() {
  RETURN_IF_ERROR(socket_.ConnectError());
  connected_ = true;
  if (form_.tls == nullptr) {
    ready_ = true;
  } else {
    tls_ = std::make_unique<TlsStream>(*form_.tls, form_.server_name);
  }
  return absl::OkStatus();
}

absl::Status Connection::Decrypt(std::string_view bytes) {
  plain_.clear();
  RETURN_IF_ERROR(tls_->Receive(bytes, plain_));
  ready_ = tls_->established();
  return session_->Receive(plain_);
}

absl::Status Connection::EncryptOutput() {
  if (tls_->established()) {
    plain_.clear();
    RETURN_IF_ERROR(session_->TakeOutput(plain_));
    RETURN_IF_ERROR(tls_->Send(plain_));
  }
  tls_->TakeOutput(output_);
  return absl::OkStatus();
}

bool Connection::Start(Call& call) {
  const bool started =
      form_.streams == 0 ? StartUnary(call) : StartShared(call);
  if (started) {
    ++in_flight_;
    not_yet_sent_.push_back(&call);
  }
  return started;
}

bool Connection::StartUnary(Call& call) {
  if (free_unary_.empty()) {
    unary_.push_back(std::make_unique<UnaryStream>(*this, unary_.size()));
    free_unary_.push_back(unary_.back().get());
  }
  UnaryStream& stream = *free_unary_.back();
  free_unary_.pop_back();
  if (!stream.Begin(call)) {
    stream.Release();
    return false;
  }
  return true;
}

bool Connection::StartShared(Call& call) {
  call.stream = next_shared_++ % shared_.size();
  return shared_[call.stream]->Begin(call);
}

void Connection::Cancel(Call& call) {
  if (form_.streams == 0) {
    unary_[call.stream]->Cancel();
  } else {
    shared_[call.stream]->Cancel(call);
  }
  std::erase(not_yet_sent_, &call);
  --in_flight_;
}

void Connection::Finish(Call& call, absl::StatusCode code, std::string error) {
  call.code = code;
  call.error = std::move(error);
  --in_flight_;
  over_.push_back(&call);
}

void Connection::TakeOver(TimePoint now, std::vector<Call*>& over) {
  for (Call* const call : over_) {
    call->answered = now;
    if (std::erase(not_yet_sent_, call) > 0) {
      call->sent = now;
    }
    over.push_back(call);
  }
  over_.clear();
}

absl::Status Connection::Read(TimePoint now, std::span<char> buffer,
                              std::vector<Call*>& over) {
  while (true) {
    const auto count = socket_.Read(buffer);
    if (!count.ok()) {
      return count.status();
    }
    bytes_received_ += *count;
    const std::string_view bytes(buffer.data(), *count);
    const absl::Status status =
        tls_ == nullptr ? session_->Receive(bytes) : Decrypt(bytes);
    TakeOver(now, over);
    RETURN_IF_ERROR(status);
    if (*count < buffer.size()) {
      return absl::OkStatus();
    }
  }
}

absl::Status Connection::Write(TimePoint now, std::vector<Call*>& over) {
  const absl::Status status =
      tls_ == nullptr ? session_->TakeOutput(output_) : EncryptOutput();
  for (Call* const call : not_yet_sent_) {
    call->sent = now;
  }
  not_yet_sent_.clear();
  TakeOver(now, over);
  RETURN_IF_ERROR(status);
  if (!output_.empty()) {
    ASSIGN_OR_RETURN(const std::size_t count, socket_.Write(output_));
    bytes_sent_ += count;
    output_.erase(0, count);
  }
  return absl::OkStatus();
}

void Connection::Close(const absl::Status& status, TimePoint now,
                       std::vector<Call*>& over) {
  ready_ = false;
  connected_ = false;
  const std::string message(status.message());
  for (const auto& stream : unary_) {
    if (stream->call() != nullptr) {
      stream->OnClosed(status.code(), message);
    }
  }
  for (const auto& stream : shared_) {
    stream->OnClosed(status.code(), message);
  }
  TakeOver(now, over);
  not_yet_sent_.clear();
  in_flight_ = 0;
  socket_ = Socket();
  session_.reset();
  tls_.reset();
}

}  // namespace relu::load
