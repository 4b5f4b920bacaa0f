// H2Client: keeps unary gRPC calls in flight, at a fifth of what gRPC's own
// client costs: on two cores that one would be what is measured.

#ifndef TESTS_SUPPORT_H2_CLIENT_H_
#define TESTS_SUPPORT_H2_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace relu {

// What one run measured. Latencies are of calls that were answered with OK,
// from when the call was due.
struct LoadFigures {
  double seconds = 0;
  std::size_t ok = 0;
  std::size_t failed = 0;  // Answered with another status, or not at all.
  double p50_us = 0;
  double p99_us = 0;
  double failed_p99_us = 0;  // Of those that were answered with an error.
  // Of the first that failed: its gRPC status, and what it says or how the
  // stream was reset.
  std::string first_error;
  std::set<int> errors;  // The gRPC statuses of all that failed.

  double calls_per_second() const { return static_cast<double>(ok) / seconds; }
};

// Over TCP without TLS, by nghttp2, on the thread that calls it. Ends the
// program if the server cannot be reached.
class H2Client {
 public:
  // `address` is "127.0.0.1:8001"; calls to `path` send `messages`, of which
  // there is one at least, in turn.
  H2Client(const std::string& address, const std::string& path,
           const std::vector<std::string>& messages, int connections);
  ~H2Client();

  H2Client(const H2Client&) = delete;
  H2Client& operator=(const H2Client&) = delete;

  // A closed loop: so many calls in flight, for `time`.
  LoadFigures Run(int in_flight, std::chrono::milliseconds time);

  // An open loop: calls are due at equal distances, whether those before are
  // answered or not.
  LoadFigures RunAtRate(double calls_per_second,
                        std::chrono::milliseconds time);

 private:
  class Connection;
  struct Call;

  using Clock = std::chrono::steady_clock;

  void Start(Clock::time_point due);
  const std::string& NextFrame();
  // Reads what there is, waiting for at most `wait`, and writes.
  void Turn(std::chrono::milliseconds wait);
  void OnAnswer(const Call& call);
  LoadFigures Summary(Clock::duration time);

  const std::string path_;
  const std::string authority_;
  // With the five bytes that gRPC puts before a message.
  std::vector<std::string> frames_;
  std::size_t next_frame_ = 0;
  int epoll_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::size_t next_connection_ = 0;
  int open_ = 0;
  std::vector<double> ok_us_;
  std::vector<double> failed_us_;
  std::string first_error_;
  std::set<int> errors_;
};

}  // namespace relu

#endif  // TESTS_SUPPORT_H2_CLIENT_H_
