#include "core/base/in_flight_bytes.h"

#include <cstddef>

#include "absl/status/status.h"

#include "fmt/format.h"

namespace relu {

absl::Status HeldBytes::Hold(std::size_t bytes) {
  if (in_flight_ == nullptr) {
    return absl::OkStatus();
  }
  if (!in_flight_->Take(bytes, bytes_)) {
    refused_ = true;
    return absl::ResourceExhaustedError(fmt::format(
        "the server is overloaded: requests in flight and their answers take "
        "{} bytes, {} more would pass the limit of {}",
        in_flight_->bytes(), bytes, in_flight_->limit()));
  }
  bytes_ += bytes;
  return absl::OkStatus();
}

void HeldBytes::HoldAnyway(std::size_t bytes) {
  if (in_flight_ != nullptr) {
    in_flight_->TakeAnyway(bytes);
    bytes_ += bytes;
  }
}

void HeldBytes::LetGo() {
  if (bytes_ > 0) {
    in_flight_->GiveBack(bytes_);
    bytes_ = 0;
  }
  refused_ = false;
}

}  // namespace relu
