// Call: one call of a load run, from its intended start to its answer.

#ifndef CLIENT_LOAD_CALL_H_
#define CLIENT_LOAD_CALL_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"

#include "client/load/request.h"

namespace relu::load {

using TimePoint = std::chrono::steady_clock::time_point;

struct Call {
  // --- Before it starts ---
  const Request* request = nullptr;  // Outlives the call.
  TimePoint intended = {};           // When it was to start.
  int connection = -1;  // Where it goes; -1: any connection may take it.

  // --- Once it is sent, and answered ---
  TimePoint sent = {};  // When the connection got it.
  TimePoint answered = {};
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string error =
      {};  // The server's message, or what is wrong with the answer.
  bool mismatch = false;  // An answer came, and is not the one expected.
  std::size_t answer_bytes = 0;

  std::size_t stream = 0;  // Which stream of its connection carries it.
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_CALL_H_
