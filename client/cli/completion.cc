#include "client/cli/completion.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/command_line.h"
#include <CLI/CLI.hpp>

namespace relu {
namespace {

constexpr char kBashScript[] = R"(# Completion of reluctl for bash.
_reluctl() {
  local IFS=$'\n'
  COMPREPLY=($(reluctl __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _reluctl reluctl
)";

constexpr char kZshScript[] = R"(#compdef reluctl
# Completion of reluctl for zsh.
_reluctl() {
  local -a candidates
  candidates=("${(@f)$(reluctl __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$candidates" ]]; then
    compadd -- $candidates
  else
    _files
  fi
}
compdef _reluctl reluctl
)";

// The option of `word` in `app` or in those above it, or nullptr.
const CLI::Option* FindOption(const CLI::App* app, const std::string& word) {
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* const option : app->get_options()) {
      if (!option->get_positional() && option->check_name(word)) {
        return option;
      }
    }
  }
  return nullptr;
}

const CLI::App* FindCommand(const CLI::App& app, const std::string& word) {
  const auto commands = app.get_subcommands({});
  const auto found = std::ranges::find(commands, word, &CLI::App::get_name);
  return found == commands.end() ? nullptr : *found;
}

bool TakesValue(const CLI::Option& option) {
  return option.get_expected_max() > 0 && option.get_type_size_max() > 0;
}

// The values that an option may have, if it has a list of them.
std::vector<std::string> ChoicesOf(const CLI::Option& option) {
  // CLI::IsMember adds "{a,b,c}" to the type's name.
  std::string text = option.get_type_name();
  std::vector<std::string> choices;
  const std::size_t open = text.find('{');
  if (open == std::string::npos || !text.ends_with('}')) {
    return choices;
  }
  text = text.substr(open + 1, text.size() - open - 2);
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    choices.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return choices;
}

std::vector<std::string> OptionNames(const CLI::App* app) {
  std::vector<std::string> names;
  for (; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* const option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        names.push_back("--" + name);
      }
    }
  }
  return names;
}

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* const command : app.get_subcommands({})) {
    names.push_back(command->get_name());
  }
  return names;
}

// Where the cursor is.
struct Place {
  const CLI::App* app = nullptr;
  const CLI::Option* value_of = nullptr;  // Of which option it is the value.
};

Place PlaceOf(const CLI::App& root, std::span<const char* const> words) {
  Place place{.app = &root};
  for (const std::string word : words) {
    if (place.value_of != nullptr) {
      place.value_of = nullptr;
    } else if (word.starts_with('-')) {
      const CLI::Option* const option = FindOption(place.app, word);
      if (option != nullptr && TakesValue(*option)) {
        place.value_of = option;
      }
    } else if (const CLI::App* const command = FindCommand(*place.app, word)) {
      place.app = command;
    }
  }
  return place;
}

bool HasModel(const CLI::App& app) {
  return std::ranges::any_of(app.get_options(), [](const CLI::Option* option) {
    return option->get_positional() &&
           option->get_name(/*positional=*/true).starts_with("model");
  });
}

}  // namespace

Completion Complete(std::span<const char* const> words) {
  ParsedOptions parsed;
  CLI::App root("", "reluctl");
  BuildCommandLine(root, parsed);
  const std::string last = words.empty() ? "" : words.back();
  const Place place =
      PlaceOf(root, words.first(words.empty() ? 0 : words.size() - 1));
  Completion completion;
  if (place.value_of != nullptr) {
    completion.candidates = ChoicesOf(*place.value_of);
  } else if (last.starts_with('-')) {
    completion.candidates = OptionNames(place.app);
  } else if (!place.app->get_subcommands({}).empty()) {
    completion.candidates = CommandNames(*place.app);
  } else {
    completion.wants_model = HasModel(*place.app);
    for (const CLI::Option* const option : place.app->get_options()) {
      if (option->get_positional() && !completion.wants_model) {
        completion.candidates = ChoicesOf(*option);
      }
    }
  }
  std::erase_if(completion.candidates, [&last](const std::string& candidate) {
    return !candidate.starts_with(last);
  });
  std::ranges::sort(completion.candidates);
  return completion;
}

std::string CompletionScript(std::string_view shell) {
  return shell == "zsh" ? kZshScript : kBashScript;
}

}  // namespace relu
