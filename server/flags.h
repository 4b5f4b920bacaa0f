// How a setting becomes a flag of the command line, with its environment
// variable and its help. For the files that make up server/config.

#ifndef SERVER_FLAGS_H_
#define SERVER_FLAGS_H_

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include <CLI/CLI.hpp>

namespace relu {

// "--grpc-port" to "RELUD_GRPC_PORT".
inline std::string EnvironmentName(std::string_view flag) {
  std::string name = "RELUD_";
  for (const char c : flag.substr(flag.find_first_not_of('-'))) {
    name +=
        c == '-'
            ? '_'
            : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

// Adds a setting. `unit` is what stands for the value in --help; the default is
// the value that `variable` has now.
template <typename T>
CLI::Option* Add(CLI::App& app, const char* flag, T& variable, const char* unit,
                 const char* help) {
  return app.add_option(flag, variable, help)
      ->envname(EnvironmentName(flag))
      ->option_text(unit)
      ->capture_default_str()
      // The last one wins, so that a script can append.
      ->take_last();
}

// A setting that is on or off.
inline void AddSwitch(CLI::App& app, const char* flag, bool& variable,
                      const char* help) {
  Add(app, flag, variable, "true|false", help)
      ->default_str(variable ? "true" : "false");
}

// A setting of one of a few words.
template <typename T>
using Choices = std::vector<std::pair<std::string, T>>;

template <typename T>
auto FindChoice(const Choices<T>& choices, const std::string& word) {
  return std::ranges::find(choices, word, &std::pair<std::string, T>::first);
}

template <typename T>
void AddChoice(CLI::App& app, const char* flag, T& variable,
               const Choices<T>& choices, const char* help) {
  std::string words;
  std::string chosen;
  for (const auto& [word, value] : choices) {
    words += (words.empty() ? "" : "|") + word;
    chosen = value == variable ? word : chosen;
  }
  const auto check = [choices, words](const std::string& text) {
    return FindChoice(choices, text) != choices.end()
               ? std::string()
               : fmt::format("Value {} is not one of {}", text, words);
  };
  const auto set = [choices, &variable](const std::string& text) {
    variable = FindChoice(choices, text)->second;
  };
  app.add_option_function<std::string>(flag, set, help)
      ->envname(EnvironmentName(flag))
      ->option_text(words)
      ->default_str(chosen)
      ->check(check)
      ->take_last();
}

}  // namespace relu

#endif  // SERVER_FLAGS_H_
