#include "server/termination_signal.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "server/config.h"
#include "server/log.h"

namespace relu {
namespace {

// Wakes the thread that waits for signals, so that it ends.
constexpr int kWake = SIGUSR1;

// Under nohup, the end of a terminal is not meant.
bool Ignores(int signal) {
  struct sigaction action = {};
  sigaction(signal, nullptr, &action);
  return action.sa_handler == SIG_IGN;
}

sigset_t Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, kWake}) {
    if (signal != SIGHUP || !Ignores(signal)) {
      sigaddset(&signals, signal);
    }
  }
  return signals;
}

}  // namespace

TerminationSignal::TerminationSignal() {
  const sigset_t signals = Signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  thread_ = std::thread([this] { Loop(); });
}

TerminationSignal::~TerminationSignal() {
  ending_ = true;
  pthread_kill(thread_.native_handle(), kWake);
  thread_.join();
}

void TerminationSignal::Loop() {
  const sigset_t signals = Signals();
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && !ending_) {
    if (signal == kWake) {
      continue;  // From some other program.
    }
    if (first_ != 0) {
      Log(LogLevel::kWarning, "second signal: stops at once");
      // Threads still run: nothing may be destroyed under them.
      _exit(kExitFailure);
    }
    first_ = signal;
    received_.count_down();
  }
}

}  // namespace relu
