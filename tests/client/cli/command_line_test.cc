// That every command and option is there; what they mean is tested by
// reluctl_options_test.cc.
#include "client/cli/command_line.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <CLI/CLI.hpp>

namespace relu {
namespace {

// Every option of `command` and of those below it must say what it is for.
void ExpectDescribed(const CLI::App& command) {
  std::set<std::string> names;
  for (const CLI::Option* const option : command.get_options()) {
    EXPECT_FALSE(option->get_description().empty())
        << command.get_name() << " " << option->get_name();
    EXPECT_TRUE(names.insert(option->get_name()).second);
  }
  for (const CLI::App* const below : command.get_subcommands({})) {
    EXPECT_FALSE(below->get_description().empty()) << below->get_name();
    ExpectDescribed(*below);
  }
}

TEST(CommandLineTest, EveryCommandAndOptionSaysWhatItIsFor) {
  ParsedOptions parsed;
  CLI::App app("", "reluctl");
  BuildCommandLine(app, parsed);
  ExpectDescribed(app);
  EXPECT_EQ(app.get_subcommands({}).size(), 14U);
}

}  // namespace
}  // namespace relu
