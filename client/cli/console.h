// Console: what reluctl reads from and shows progress on, beside the result
// that it prints at its end.

#ifndef CLIENT_CLI_CONSOLE_H_
#define CLIENT_CLI_CONSOLE_H_

#include <functional>
#include <iosfwd>

namespace relu {

struct Console {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;  // A person looks at it: colours are welcome.
  bool err_is_terminal = false;
  // From its call on, Ctrl-C does not end the process: interrupted() says so.
  std::function<void()> catch_interrupts = [] {};
  // Any thread may call it.
  std::function<bool()> interrupted = [] { return false; };
};

}  // namespace relu

#endif  // CLIENT_CLI_CONSOLE_H_
