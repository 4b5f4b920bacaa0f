#include "client/cli/reluctl.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <csignal>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "client/cli/console.h"
#include "client/cli/outcome.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using testing::HasSubstr;

Outcome RunWith(std::span<const char* const> arguments, std::istream& in) {
  std::ostringstream progress;
  Console console{.in = in, .out = progress, .err = progress};
  return RunReluctl(arguments, console);
}

Outcome OutcomeOf(const FakeServer& server, std::vector<const char*> arguments,
                  const std::string& standard_input = "") {
  arguments.insert(arguments.end(), {"--server", server.address().c_str()});
  std::istringstream stream(standard_input);
  return RunWith(arguments, stream);
}

FakeAnswers OneModel() {
  FakeAnswers answers;
  answers.server_metadata.set_name("fake");
  answers.AddInput("x", "INT64", {-1});
  answers.index.add_models()->set_name("m");
  return answers;
}

// A pipe; closes what is left of it.
struct Pipe {
  Pipe() { EXPECT_EQ(::pipe(ends), 0); }
  ~Pipe() {
    CloseReader();
    CloseWriter();
  }
  void CloseReader() { Close(ends[0]); }
  void CloseWriter() { Close(ends[1]); }
  static void Close(int& descriptor) {
    if (descriptor >= 0) {
      ::close(descriptor);
      descriptor = -1;
    }
  }
  std::string ReadToEnd() {
    CloseWriter();
    std::string text;
    char buffer[4096];
    while (true) {
      const ssize_t size = ::read(ends[0], buffer, sizeof(buffer));
      if (size <= 0) {
        return text;
      }
      text.append(buffer, static_cast<std::size_t>(size));
    }
  }

  int ends[2] = {-1, -1};
};

TEST(ReluctlTest, EachCommandRuns) {
  const FakeServer server(OneModel());
  EXPECT_EQ(OutcomeOf(server, {"health"}).out, "SERVING\n");
  EXPECT_THAT(OutcomeOf(server, {"models"}).out, HasSubstr("\nm"));
  EXPECT_THAT(OutcomeOf(server, {"metadata"}).out, HasSubstr("fake"));
  EXPECT_THAT(OutcomeOf(server, {"metadata", "m"}).out, HasSubstr("INT64"));
  EXPECT_EQ(OutcomeOf(server, {"infer", "m"}, "7\n8\n").out,
            "row  x  prediction\n"
            "0    7  7\n"
            "1    8  8\n");
}

TEST(ReluctlTest, CommandsThatChangeTheRepositoryReachIt) {
  const FakeServer server(OneModel());
  EXPECT_EQ(OutcomeOf(server, {"repository", "load", "m"}).out, "loaded m\n");
  EXPECT_EQ(OutcomeOf(server, {"repository", "unload", "m"}).out,
            "unloaded m\n");
  EXPECT_THAT(OutcomeOf(server, {"repository", "index", "-o", "json"}).out,
              HasSubstr(R"("name":"m")"));
  EXPECT_THAT(OutcomeOf(server, {"config", "m"}).out, HasSubstr("name: \"m\""));
  EXPECT_THAT(OutcomeOf(server, {"stats", "--interval", "0.01"}).out,
              HasSubstr("requests/s"));
  EXPECT_THAT(
      OutcomeOf(server, {"load", "m", "-n", "5", "--warmup", "0", "-o", "csv"})
          .out,
      HasSubstr("\n1 in flight,"));
}

TEST(ReluctlTest, CompletionScriptNeedsNoServer) {
  std::istringstream stream;
  const std::vector<const char*> arguments = {"completion", "bash"};
  EXPECT_THAT(RunWith(arguments, stream).out, HasSubstr("__complete"));
}

TEST(ReluctlTest, ModelsAreCompletedByTheServerOfTheEnvironment) {
  const FakeServer server(OneModel());
  ::setenv("RELUCTL_SERVER", server.address().c_str(), 1);
  std::istringstream stream;
  const std::vector<const char*> model = {"__complete", "infer", ""};
  EXPECT_EQ(RunWith(model, stream).out, "m\n");
  const std::vector<const char*> other = {"__complete", "infer", "x"};
  EXPECT_EQ(RunWith(other, stream).out, "");
  ::setenv("RELUCTL_SERVER", "unix:/nonexistent/relud.sock", 1);
  EXPECT_EQ(RunWith(model, stream).out, "");
  ::unsetenv("RELUCTL_SERVER");
}

TEST(ReluctlTest, FilesOfTheConnectionThatCannotBeReadAreCodeTwo) {
  std::istringstream stream;
  const std::vector<const char*> arguments = {"models", "--ca-file",
                                              "/nonexistent/ca.pem"};
  const Outcome outcome = RunWith(arguments, stream);
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, HasSubstr("/nonexistent/ca.pem"));
}

TEST(ReluctlTest, HelpNeedsNoServer) {
  std::istringstream stream;
  const std::vector<const char*> arguments = {"--help"};
  EXPECT_EQ(RunWith(arguments, stream).code, ExitCode::kOk);
}

TEST(ReluctlTest, InspectNeedsNoServer) {
  std::istringstream stream;
  const std::vector<const char*> arguments = {
      "inspect", "tests/testdata/quirks/rank3_input/model.onnx", "-o", "json"};
  const Outcome outcome = RunWith(arguments, stream);
  EXPECT_EQ(outcome.code, ExitCode::kOk) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\"steps\":"));
}

TEST(ReluctlTest, MissingServerIsCodeThree) {
  std::istringstream stream;
  const std::vector<const char*> arguments = {"models", "-s",
                                              "unix:/nonexistent/relud.sock"};
  const Outcome outcome = RunWith(arguments, stream);
  EXPECT_EQ(outcome.code, ExitCode::kUnreachable);
  EXPECT_THAT(outcome.err, HasSubstr("unix:/nonexistent/relud.sock"));
}

TEST(ReluctlTest, EmptyAddressIsCodeTwo) {
  std::istringstream stream;
  const std::vector<const char*> arguments = {"models", "-s", ""};
  EXPECT_EQ(RunWith(arguments, stream).code, ExitCode::kWrongInput);
}

TEST(ReluctlTest, AddressOfAWebPageIsCodeTwo) {
  std::istringstream stream;
  const std::vector<const char*> arguments = {"models", "-s",
                                              "http://localhost:8000"};
  const Outcome outcome = RunWith(arguments, stream);
  EXPECT_EQ(outcome.code, ExitCode::kWrongInput);
  EXPECT_THAT(outcome.err, HasSubstr("\"http://\" is not known"));
}

TEST(ReluctlTest, OutcomeIsPrintedWhole) {
  Pipe out;
  Pipe err;
  const Outcome outcome{
      .code = ExitCode::kRefused, .out = "result\n", .err = "note\n"};
  EXPECT_EQ(PrintOutcome(outcome, out.ends[1], err.ends[1]), 4);
  EXPECT_EQ(out.ReadToEnd(), "result\n");
  EXPECT_EQ(err.ReadToEnd(), "note\n");
}

TEST(ReluctlTest, OutputLargerThanAPipeIsPrintedWhole) {
  Pipe out;
  Pipe err;
  const Outcome outcome{
      .code = ExitCode::kOk, .out = std::string(1'000'000, 'x'), .err = {}};
  std::string text;
  {
    std::jthread writer([&] {
      EXPECT_EQ(PrintOutcome(outcome, out.ends[1], err.ends[1]), 0);
      ::close(out.ends[1]);
    });
    char buffer[4096];
    ssize_t size = 0;
    while ((size = ::read(out.ends[0], buffer, sizeof(buffer))) > 0) {
      text.append(buffer, static_cast<std::size_t>(size));
    }
  }
  out.ends[1] = -1;
  EXPECT_EQ(text, outcome.out);
}

TEST(ReluctlTest, ReaderThatGoesAwayIsNoError) {
  std::signal(SIGPIPE, SIG_IGN);
  Pipe out;
  Pipe err;
  out.CloseReader();
  const Outcome outcome{.code = ExitCode::kOk, .out = "result\n", .err = {}};
  EXPECT_EQ(PrintOutcome(outcome, out.ends[1], err.ends[1]), 0);
  EXPECT_EQ(err.ReadToEnd(), "");
}

TEST(ReluctlTest, OutputThatCannotBeWrittenIsCodeTwo) {
  Pipe err;
  const int full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  const Outcome outcome{.code = ExitCode::kOk, .out = "result\n", .err = {}};
  EXPECT_EQ(PrintOutcome(outcome, full, err.ends[1]), 2);
  ::close(full);
  EXPECT_EQ(err.ReadToEnd(),
            "reluctl: standard output: No space left on device\n");
}

}  // namespace
}  // namespace relu
