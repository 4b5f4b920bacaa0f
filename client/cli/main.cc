#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <vector>

#include "client/cli/reluctl.h"

int main(int argc, char** argv) {
  // A reader that goes away is then an error of write(), not the end of us.
  std::signal(SIGPIPE, SIG_IGN);
  std::ios::sync_with_stdio(false);  // Standard input in large blocks.
  const std::vector<const char*> arguments(argv + std::min(argc, 1),
                                           argv + argc);
  return relu::PrintOutcome(relu::RunReluctl(arguments, std::cin),
                            STDOUT_FILENO, STDERR_FILENO);
}
