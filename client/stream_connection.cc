#include "client/stream_connection.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/byte_buffer.h"

#include "client/call_queue.h"
#include "client/call_status.h"
#include "client/unary_call.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Answers that wait to be received; beyond them gRPC's flow control slows the
// server down.
constexpr std::size_t kMaxWaitingAnswers = 64;

}  // namespace

InferStream::Connection::Connection(
    const std::shared_ptr<grpc::Channel>& channel, CallQueue& queue,
    const CallSetting& setting, std::chrono::milliseconds timeout,
    std::string address)
    : queue_(queue),
      timeout_(timeout),
      address_(std::move(address)),
      stub_(channel) {
  Prepare(setting, context_);
  call_ = stub_.PrepareCall(&context_, setting.method, &queue_.queue());
  call_->StartCall(queue_.TagOf(started_));
}

InferStream::Connection::~Connection() {
  Cancel();
  (void)Finish();
}

std::chrono::steady_clock::time_point InferStream::Connection::Deadline()
    const {
  return std::chrono::steady_clock::now() + timeout_;
}

void InferStream::Connection::OnStarted(bool /*ok*/) {
  {
    const MutexLock lock(mu_);
    writing_ = false;
  }
  changed_.NotifyAll();
  ReadNext();  // Fails at once if the start has.
}

void InferStream::Connection::ReadNext() {
  call_->Read(&incoming_, queue_.TagOf(read_));
}

void InferStream::Connection::OnRead(bool ok) {
  if (!ok) {
    call_->Finish(&status_, queue_.TagOf(finished_));
    return;
  }
  bool go_on = true;
  {
    const MutexLock lock(mu_);
    if (!discarding_) {
      answers_.push_back(std::move(incoming_));
    }
    go_on = answers_.size() < kMaxWaitingAnswers;
    read_paused_ = !go_on;
  }
  changed_.NotifyAll();
  incoming_.Clear();
  if (go_on) {
    ReadNext();
  }
}

void InferStream::Connection::OnWritten(bool /*ok*/) {
  // If it failed the stream is at its end, and the next read says so. Notified
  // under the lock: this may be the last event.
  const MutexLock lock(mu_);
  writing_ = false;
  changed_.NotifyAll();
}

void InferStream::Connection::OnFinished(bool /*ok*/) {
  // Notified under the lock: whoever sees `over_` may destroy all this.
  const MutexLock lock(mu_);
  over_ = true;
  changed_.NotifyAll();
}

absl::Status InferStream::Connection::ClaimWrite() {
  const auto deadline = Deadline();
  const MutexLock lock(mu_);
  while (writing_ && !over_) {
    if (!changed_.WaitUntil(mu_, deadline)) {
      return absl::DeadlineExceededError(fmt::format(
          "stream: the server took no request for {} ms", timeout_.count()));
    }
  }
  if (over_ || sending_over_) {
    return absl::UnavailableError("stream: it has ended");
  }
  writing_ = true;
  return absl::OkStatus();
}

absl::Status InferStream::Connection::Send(const grpc::ByteBuffer& message) {
  RETURN_IF_ERROR(ClaimWrite());
  call_->Write(message, queue_.TagOf(written_));
  return absl::OkStatus();
}

void InferStream::Connection::FinishSending() {
  if (!ClaimWrite().ok()) {
    return;  // It has ended, or will be cancelled.
  }
  {
    const MutexLock lock(mu_);
    sending_over_ = true;
  }
  call_->WritesDone(queue_.TagOf(written_));
}

std::optional<absl::StatusOr<grpc::ByteBuffer>>
InferStream::Connection::Receive() {
  const auto deadline = Deadline();
  grpc::ByteBuffer answer;
  bool go_on = false;
  {
    const MutexLock lock(mu_);
    while (answers_.empty() && !over_) {
      if (!changed_.WaitUntil(mu_, deadline)) {
        return absl::DeadlineExceededError(
            fmt::format("stream: no answer within {} ms", timeout_.count()));
      }
    }
    if (answers_.empty()) {
      return std::nullopt;
    }
    answer = std::move(answers_.front());
    answers_.pop_front();
    go_on = std::exchange(read_paused_, false);
  }
  if (go_on) {
    ReadNext();
  }
  return answer;
}

absl::Status InferStream::Connection::Finish() {
  FinishSending();
  bool go_on = false;
  {
    const MutexLock lock(mu_);
    discarding_ = true;
    answers_.clear();
    go_on = std::exchange(read_paused_, false);
  }
  if (go_on) {
    ReadNext();
  }
  const auto deadline = Deadline();
  bool cancelled = false;
  const MutexLock lock(mu_);
  while (!over_ || writing_) {
    if (cancelled) {
      changed_.Wait(mu_);
    } else if (!changed_.WaitUntil(mu_, deadline)) {
      cancelled = true;
      Cancel();  // Ends every operation soon; holds no lock of ours.
    }
  }
  return FromGrpcStatus(status_, address_);
}

}  // namespace relu
