#include "client/cli/completion.h"

#include <cstdio>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/client/cli/cli_support.h"

namespace relu {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Completion Of(const std::vector<const char*>& words) { return Complete(words); }

TEST(CompletionTest, CommandsComeFirst) {
  EXPECT_THAT(Of({""}).candidates, Contains("infer"));
  EXPECT_THAT(Of({""}).candidates, Contains("repository"));
  EXPECT_THAT(Of({"he"}).candidates, ElementsAre("health"));
  EXPECT_THAT(Of({}).candidates, Contains("load"));
  EXPECT_THAT(Of({"repository", ""}).candidates,
              ElementsAre("index", "load", "unload"));
}

TEST(CompletionTest, OptionsAreThoseOfTheCommandAndOfAll) {
  const auto options = Of({"load", "m", "--"}).candidates;
  EXPECT_THAT(options, Contains("--concurrency"));
  EXPECT_THAT(options, Contains("--server"));
  EXPECT_THAT(options, Not(Contains("--label-of-nothing")));
  EXPECT_THAT(Of({"models", "--"}).candidates, Not(Contains("--concurrency")));
  EXPECT_THAT(Of({"load", "--conc"}).candidates, ElementsAre("--concurrency"));
}

TEST(CompletionTest, ValuesAreTheChoicesOfTheOption) {
  EXPECT_THAT(Of({"models", "--output", ""}).candidates,
              ElementsAre("csv", "json", "table"));
  EXPECT_THAT(Of({"load", "m", "--arrivals", "p"}).candidates,
              ElementsAre("poisson"));
  EXPECT_THAT(Of({"--server", ""}).candidates, IsEmpty());
  EXPECT_THAT(Of({"completion", ""}).candidates, ElementsAre("bash", "zsh"));
}

TEST(CompletionTest, ModelsAreWantedWhereTheyStand) {
  EXPECT_TRUE(Of({"infer", ""}).wants_model);
  EXPECT_TRUE(Of({"activity", ""}).wants_model);
  EXPECT_FALSE(Of({"calibrate", ""}).wants_model);
  EXPECT_TRUE(Of({"load", "--concurrency", "4", ""}).wants_model);
  EXPECT_TRUE(Of({"repository", "unload", ""}).wants_model);
  EXPECT_FALSE(Of({"models", ""}).wants_model);
  EXPECT_FALSE(Of({"infer", "--input", ""}).wants_model);
  EXPECT_FALSE(Of({"inspect", ""}).wants_model);
}

// Runs a program of bash, in which reluctl is a function that shows its words.
std::string BashOutput(const std::string& program) {
  const TemporaryFolder folder;
  const std::string script =
      folder.Write("script", "reluctl() { printf '<%s>\\n' \"$@\"; }\n" +
                                 CompletionScript("bash") + program);
  std::FILE* const pipe = ::popen(("bash " + script).c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  std::string output;
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) {
    output += static_cast<char>(c);
  }
  EXPECT_EQ(::pclose(pipe), 0);
  return output;
}

TEST(CompletionTest, BashAsksWithTheWordsUpToTheCursor) {
  EXPECT_EQ(BashOutput("COMP_WORDS=(reluctl infer 'a b' --out later)\n"
                       "COMP_CWORD=3\n"
                       "_reluctl\n"
                       "printf '%s\\n' \"${COMPREPLY[@]}\"\n"),
            "<__complete>\n<infer>\n<a b>\n<--out>\n");
  EXPECT_THAT(BashOutput("complete -p reluctl\n"),
              HasSubstr("-F _reluctl reluctl"));
}

TEST(CompletionTest, ZshHasItsOwnScript) {
  EXPECT_THAT(CompletionScript("zsh"), testing::StartsWith("#compdef reluctl"));
}

}  // namespace
}  // namespace relu
