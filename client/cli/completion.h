// Completion of reluctl's command lines in a shell. The script that a shell
// reads is a few lines: it asks reluctl itself, so that it always knows the
// real commands, options and models.

#ifndef CLIENT_CLI_COMPLETION_H_
#define CLIENT_CLI_COMPLETION_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relu {

// The hidden command by which the script asks: its arguments are the words of
// the command line after the program, up to the one that is to be completed.
inline constexpr std::string_view kCompleteCommand = "__complete";

struct Completion {
  // What may stand in the place of the last word, and begins with it.
  std::vector<std::string> candidates;
  bool wants_model = false;  // Also the name of a model of the server may.
};

Completion Complete(std::span<const char* const> words);

// The script for "bash" or "zsh".
std::string CompletionScript(std::string_view shell);

}  // namespace relu

#endif  // CLIENT_CLI_COMPLETION_H_
