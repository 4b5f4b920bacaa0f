#include "server/stream_message.h"

#include "absl/status/status.h"

#include "server/infer_exchange.h"
#include "server/infer_wire.h"
#include "server/packed_message.h"

namespace relu {

StreamMessage::StreamMessage(const InferEnvironment& environment)
    : ArrivedCall(environment),
      max_message_bytes_(environment.max_message_bytes) {
  inference().done = [this](const absl::Status& status) {
    status_ = status;
    OnComputed();
  };
}

void StreamMessage::NoteArrived(Clock::time_point deadline) {
  arrived_at_ = Clock::now();
  deadline_ = deadline;
}

bool StreamMessage::Prepare() {
  const absl::Status unpacked =
      UnpackMessage(max_message_bytes_, request_bytes_);
  status_ = exchange().BeginDecode(arrived_at_, request_bytes_.Length());
  if (status_.ok()) {
    status_ = unpacked;
  }
  if (status_.ok()) {
    status_ = ParseInferRequest(request_bytes_, exchange().message());
  }
  // The exchange holds its own copy.
  request_bytes_.Clear();
  if (status_.ok()) {
    status_ = exchange().Prepare(deadline_);
  }
  return status_.ok();
}

void StreamMessage::Encode() {
  if (status_.ok()) {
    status_ = exchange().BeginEncode();
  }
  if (status_.ok()) {
    status_ = SerializeStreamResponse(exchange().response(), answer_bytes_);
  }
  exchange().Finish(status_);
  if (!status_.ok()) {
    answer_bytes_ = SerializeStreamError(status_, exchange().message());
  }
}

void StreamMessage::Reset() {
  exchange().Reset();
  request_bytes_.Clear();
  answer_bytes_.Clear();
}

}  // namespace relu
