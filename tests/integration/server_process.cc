#include "tests/integration/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/check.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Starts the program with both its outputs on `log_fd`. Returns -1 on failure.
pid_t Spawn(const std::string& program, std::vector<std::string> arguments,
            int log_fd) {
  arguments.insert(arguments.begin(), program);
  std::vector<char*> argv;
  for (std::string& argument : arguments) {
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, log_fd, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, log_fd, STDERR_FILENO);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, program.c_str(), &actions, nullptr,
                                argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -1;
}

// The address after `label` in the log line that says that all is ready.
std::string AddressAfter(const std::string& label, const std::string& log) {
  std::smatch match;
  const std::regex pattern(label + " on ([0-9.]+:[0-9]+)");
  return std::regex_search(log, match, pattern) ? match[1].str() : "";
}

}  // namespace

std::vector<std::string> ReludFlags(const std::filesystem::path& repository) {
  return {"--model-repository=" + repository.string(),
          "--grpc-address=127.0.0.1",
          "--grpc-port=0",
          "--http-port=0",
          "--metrics-port=0",
          "--repository-settle-secs=0",
          "--lame-duck=0"};
}

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(
    const std::string& program, std::vector<std::string> arguments) {
  std::array<int, 2> pipe_fds{};
  CHECK(pipe2(pipe_fds.data(), O_CLOEXEC) == 0);
  const pid_t pid = Spawn(program, std::move(arguments), pipe_fds[1]);
  close(pipe_fds[1]);
  if (pid < 0) {
    close(pipe_fds[0]);
    return absl::NotFoundError(fmt::format("{}: cannot be started", program));
  }
  // make_unique cannot reach the private constructor.
  std::unique_ptr<ServerProcess> process(new ServerProcess(pid, pipe_fds[0]));
  if (!process->WaitUntilReady()) {
    const int code = process->Stop(SIGTERM);
    return absl::InternalError(
        fmt::format("{} ended with {}: {}", program, code, process->log()));
  }
  return process;
}

ServerProcess::ServerProcess(pid_t pid, int log_fd)
    : pid_(pid), log_fd_(log_fd), reader_([this] { ReadLog(); }) {}

ServerProcess::~ServerProcess() {
  if (running_) {
    Stop(SIGKILL);
  }
  close(log_fd_);
}

std::int64_t ServerProcess::StatusKib(const std::string& name) const {
  std::ifstream file(fmt::format("/proc/{}/status", pid_));
  std::string word;
  while (word != name + ":") {
    CHECK(file >> word);
  }
  std::int64_t kib = 0;
  CHECK(file >> kib);
  return kib;
}

std::string ServerProcess::log() const {
  const MutexLock lock(mu_);
  return log_;
}

int ServerProcess::Stop(int signal) {
  CHECK(running_);
  running_ = false;
  kill(pid_, signal);
  int status = 0;
  CHECK(waitpid(pid_, &status, 0) == pid_);
  reader_.join();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void ServerProcess::ReadLog() {
  std::array<char, 4096> chunk{};
  ssize_t size = 0;
  while ((size = read(log_fd_, chunk.data(), chunk.size())) > 0) {
    {
      const MutexLock lock(mu_);
      log_.append(chunk.data(), static_cast<std::size_t>(size));
    }
    grown_or_ended_.NotifyAll();
  }
  {
    const MutexLock lock(mu_);
    log_ended_ = true;
  }
  grown_or_ended_.NotifyAll();
}

bool ServerProcess::WaitUntilReady() {
  const MutexLock lock(mu_);
  while (true) {
    // Only whole lines: the last may still lack its end.
    const std::string lines = log_.substr(0, log_.rfind('\n') + 1);
    grpc_address_ = AddressAfter("gRPC", lines);
    metrics_address_ = AddressAfter("metrics", lines);
    if (!grpc_address_.empty()) {
      return true;
    }
    if (log_ended_) {
      return false;
    }
    grown_or_ended_.Wait(mu_);
  }
}

}  // namespace relu
