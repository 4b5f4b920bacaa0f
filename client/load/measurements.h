// Measurements: what calls took and how they ended, over some time.

#ifndef CLIENT_LOAD_MEASUREMENTS_H_
#define CLIENT_LOAD_MEASUREMENTS_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "client/load/call.h"
#include "client/load/histogram.h"

namespace relu::load {

// Of the calls to one model.
struct ModelMeasurements {
  std::uint64_t good = 0;
  std::uint64_t failed = 0;
  Histogram latency;  // Of the good ones, from the intended start.
};

// Of all calls. Add() sums.
struct Measurements {
  Measurements() = default;
  explicit Measurements(std::size_t model_count) : models(model_count) {}

  // Adds a call that is over.
  void Record(const Call& call);
  void Add(const Measurements& other);
  // Forgets all, and keeps the memory.
  void Clear();

  std::uint64_t good() const { return codes[0] - mismatches; }
  // Those with an error, and those with a wrong answer.
  std::uint64_t failed() const;

  std::chrono::nanoseconds length{0};  // How long was measured.
  std::uint64_t answered = 0;  // Good answers that came within that time, and
  std::uint64_t rows = 0;      // their rows: what throughput is made of.
  std::uint64_t sent = 0;      // Calls that were sent within that time.

  // Of the good answers.
  Histogram latency;       // From the intended start.
  Histogram service_time;  // From the actual send.
  // Of all: by how much they were sent later than intended.
  Histogram send_delay;

  std::array<std::uint64_t, 17> codes{};  // How calls ended, by status code.
  std::uint64_t timeouts = 0;             // Of those, the ones that we gave up.
  std::uint64_t mismatches = 0;  // Of the OK ones: not the expected answer.
  std::uint64_t unsent = 0;      // For which the run had no time.
  // The first message of each code; that of OK is the first mismatch.
  std::map<absl::StatusCode, std::string> messages;

  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::chrono::nanoseconds cpu{0};        // That the threads of the run used.
  std::vector<ModelMeasurements> models;  // In the order of the mix.
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_MEASUREMENTS_H_
