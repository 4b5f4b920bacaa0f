// ServerProcess: a server in a process of its own, relud as a rule, started for
// a test and ended by it.

#ifndef TESTS_INTEGRATION_SERVER_PROCESS_H_
#define TESTS_INTEGRATION_SERVER_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"

#include "core/base/mutex.h"

namespace relu {

// The flags of relud that tests want: free ports of the loopback, and models
// that are complete as soon as they are written, and no wait at the end. One
// that is added wins.
std::vector<std::string> ReludFlags(const std::filesystem::path& repository);

// For one thread. The destructor kills a process that is still there.
class ServerProcess {
 public:
  // Starts `program` with `arguments` and waits until it logs where it listens:
  // "gRPC on 127.0.0.1:8001", "metrics on ...". INTERNAL, with what it printed,
  // if it ends before that.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(
      const std::string& program, std::vector<std::string> arguments);

  ~ServerProcess();

  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& grpc_address() const { return grpc_address_; }
  const std::string& metrics_address() const { return metrics_address_; }

  // A figure of /proc/PID/status: "VmRSS" is the memory that it has, "VmHWM"
  // the most that it had.
  std::int64_t StatusKib(const std::string& name) const;

  // What the process has printed so far.
  std::string log() const ABSL_LOCKS_EXCLUDED(mu_);

  // Sends `signal` and waits for the end. Returns the exit code, or minus the
  // signal that ended it.
  int Stop(int signal);

 private:
  ServerProcess(pid_t pid, int log_fd);

  // Copies the log until its end; wakes the waiting Start() at each line.
  void ReadLog() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for the line that tells the ports. False: the log ended without it.
  bool WaitUntilReady() ABSL_LOCKS_EXCLUDED(mu_);

  const pid_t pid_;
  const int log_fd_;
  bool running_ = true;
  std::string grpc_address_;
  std::string metrics_address_;
  mutable Mutex mu_;
  CondVar grown_or_ended_;
  std::string log_ ABSL_GUARDED_BY(mu_);
  bool log_ended_ ABSL_GUARDED_BY(mu_) = false;
  std::thread reader_;
};

}  // namespace relu

#endif  // TESTS_INTEGRATION_SERVER_PROCESS_H_
