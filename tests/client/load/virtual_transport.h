// VirtualTransport: a server and a clock that a test makes up. Time passes when
// a worker waits, and at no other time, so that what is measured is exact.

#ifndef TESTS_CLIENT_LOAD_VIRTUAL_TRANSPORT_H_
#define TESTS_CLIENT_LOAD_VIRTUAL_TRANSPORT_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/load/mix.h"
#include "client/load/transport.h"

namespace relu::load {

// How a virtual server answers one call.
struct VirtualAnswer {
  TimePoint at;  // TimePoint::max(): never.
  absl::StatusCode code = absl::StatusCode::kOk;
  bool mismatch = false;
};

// For one thread.
class VirtualTransport final : public Transport {
 public:
  // `answer` is called for each call, when it is sent; its `sent` is set.
  explicit VirtualTransport(std::function<VirtualAnswer(const Call&)> answer)
      : answer_(std::move(answer)) {}

  TimePoint Now() override { return now_; }
  void Start(Call& call) override;
  void Cancel(Call& call) override;
  void Wait(TimePoint until, std::vector<Call*>& over) override;
  std::uint64_t bytes_sent() const override { return started_ * 100; }
  std::uint64_t bytes_received() const override { return answered_ * 10; }

  std::uint64_t started() const { return started_; }
  std::size_t most_in_flight() const { return most_in_flight_; }

 private:
  struct Pending {
    Call* call = nullptr;
    VirtualAnswer answer;
  };

  std::function<VirtualAnswer(const Call&)> answer_;
  TimePoint now_{};
  std::vector<Pending> pending_;  // In the order of their sends.
  std::uint64_t started_ = 0;
  std::uint64_t answered_ = 0;
  std::size_t most_in_flight_ = 0;
};

// Answers `delay` after the send.
std::function<VirtualAnswer(const Call&)> AfterDelay(
    std::chrono::nanoseconds delay);

// A mix of one model with one empty request of one row.
Mix SimpleMix(std::size_t models = 1);

}  // namespace relu::load

#endif  // TESTS_CLIENT_LOAD_VIRTUAL_TRANSPORT_H_
