// Transport: what a worker sends its calls through, and its clock. The real one
// is NetworkTransport; tests have one of virtual time.

#ifndef CLIENT_LOAD_TRANSPORT_H_
#define CLIENT_LOAD_TRANSPORT_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

#include "client/load/call.h"

namespace relu::load {

// For one thread.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual TimePoint Now() = 0;
  // Sends `call`, which must stay where it is until Wait() returns it or
  // Cancel() takes it back.
  virtual void Start(Call& call) = 0;
  // Its answer is not wanted any more.
  virtual void Cancel(Call& call) = 0;
  // Waits until `until`, or until calls are over; appends these to `over`.
  virtual void Wait(TimePoint until, std::vector<Call*>& over) = 0;

  // Bytes on the wire so far.
  virtual std::uint64_t bytes_sent() const = 0;
  virtual std::uint64_t bytes_received() const = 0;
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_TRANSPORT_H_
