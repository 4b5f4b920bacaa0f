#include "server/limit_flags.h"

#include <cstdint>
#include <limits>
#include <string>

#include "fmt/format.h"
#include "server/flags.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

constexpr double kMaxSeconds = 86400;

// Shorter than a tenth of a second would be no answer's fault.
std::string CheckAnswerTimeout(const std::string& text) {
  constexpr double kLeastSeconds = 0.1;
  double seconds = 0;
  const bool good =
      CLI::detail::lexical_cast(text, seconds) &&
      (seconds == 0 || (seconds >= kLeastSeconds && seconds <= kMaxSeconds));
  return good ? std::string()
              : fmt::format("Value {} is neither 0 nor in range {} to {}", text,
                            kLeastSeconds, kMaxSeconds);
}

void AddByteFlags(CLI::App& app, LimitSettings& settings) {
  const CLI::Range bytes(std::int64_t{1024},
                         std::numeric_limits<std::int64_t>::max());
  Add(app, "--max-message-bytes", settings.max_message_bytes, "BYTES",
      "Size of the largest request and of the largest answer.")
      ->check(CLI::Range(1024, std::numeric_limits<int>::max()));
  Add(app, "--max-in-flight-bytes", settings.max_in_flight_bytes, "BYTES",
      "What all inference requests that are in flight, and answers of all "
      "kinds until they are written, may take. A request that does not fit is "
      "refused with RESOURCE_EXHAUSTED before it is parsed; one that is alone "
      "always fits.")
      ->check(bytes);
  Add(app, "--max-stream-requests", settings.max_stream_requests, "COUNT",
      "Requests of one ModelStreamInfer call that may be in flight; more are "
      "not read until answers are taken.")
      ->check(CLI::Range(1, 65536));
  Add(app, "--max-stream-bytes", settings.max_stream_bytes, "BYTES",
      "What the requests of one ModelStreamInfer call that are in flight, and "
      "their answers, may take before no more are read.")
      ->check(bytes);
  Add(app, "--grpc-buffer-bytes", settings.grpc_buffer_bytes, "BYTES",
      "What gRPC may hold: requests, complete or not, and answers that clients "
      "do not read. Near it gRPC reads less, beyond it it closes idle "
      "connections and ends calls: twice --max-in-flight-bytes is a good size.")
      ->check(CLI::Range(std::int64_t{1} << 20,
                         std::numeric_limits<std::int64_t>::max()));
}

void AddConnectionFlags(CLI::App& app, LimitSettings& settings) {
  Add(app, "--grpc-max-connections", settings.grpc_max_connections, "COUNT",
      "Clients that may be connected at the same time to each port and socket "
      "of gRPC. The connections of more are closed at once.")
      ->check(CLI::Range(1, 1'000'000));
  Add(app, "--grpc-max-streams", settings.grpc_max_streams, "COUNT",
      "Calls at the same time on one connection of gRPC; the client holds more "
      "back.")
      ->check(CLI::Range(1, 1 << 20));
  Add(app, "--grpc-answer-timeout", settings.grpc_answer_timeout_seconds,
      "SECONDS",
      "How long one answer may be on its way over gRPC. Then its call ends, so "
      "that clients that do not read do not take what others need "
      "(--max-in-flight-bytes). 0: for ever.")
      ->check(CheckAnswerTimeout);
  Add(app, "--grpc-keepalive-time", settings.grpc_keepalive_seconds, "SECONDS",
      "A connection of gRPC that was silent for so long is asked for a sign of "
      "life. 0: never.")
      ->check(CLI::Range(0.0, kMaxSeconds));
  Add(app, "--grpc-keepalive-timeout", settings.grpc_keepalive_timeout_seconds,
      "SECONDS", "A connection that gives none for so long is closed.")
      ->check(CLI::Range(0.1, kMaxSeconds));
  Add(app, "--grpc-max-connection-age",
      settings.grpc_max_connection_age_seconds, "SECONDS",
      "After so long the client of a connection is told to make a new one "
      "(GOAWAY), so that load spreads over servers that were added; calls that "
      "are under way end as usual. 0: never.")
      ->check(CLI::Range(0.0, kMaxSeconds));
  Add(app, "--grpc-max-connection-idle",
      settings.grpc_max_connection_idle_seconds, "SECONDS",
      "A connection of gRPC without a call for so long is closed. 0: never.")
      ->check(CLI::Range(0.0, kMaxSeconds));
}

}  // namespace

void AddLimitFlags(CLI::App& app, LimitSettings& settings) {
  AddByteFlags(app, settings);
  AddConnectionFlags(app, settings);
}

}  // namespace relu
