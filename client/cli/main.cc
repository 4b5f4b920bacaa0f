#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <iostream>
#include <vector>

#include "client/cli/console.h"
#include "client/cli/reluctl.h"

namespace {

// Lock-free, so a signal handler may set it.
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void OnInterrupt(int signal) {
  interrupted = true;
  std::signal(signal, SIG_DFL);  // A second one ends the program at once.
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away is then an error of write(), not the end of us.
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);  // Standard input in large blocks.
  relu::Console console{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
      .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
      .catch_interrupts = [] { std::signal(SIGINT, OnInterrupt); },
      .interrupted = [] { return interrupted.load(); }};
  const std::vector<const char*> arguments(argv + std::min(argc, 1),
                                           argv + argc);
  return relu::PrintOutcome(relu::RunReluctl(arguments, console), STDOUT_FILENO,
                            STDERR_FILENO);
}
