#include "server/termination_signal.h"

#include <signal.h>
#include <unistd.h>

#include <csignal>

#include "gtest/gtest.h"

#include "server/config.h"

namespace relu {
namespace {

TEST(TerminationSignalTest, WaitEndsAtTheFirstSignalAndSaysWhich) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    TerminationSignal signal;
    kill(getpid(), number);
    EXPECT_EQ(signal.Wait(), number);
  }
}

// As under nohup.
TEST(TerminationSignalTest, AnIgnoredEndOfTheTerminalIsNotMeant) {
  const auto before = std::signal(SIGHUP, SIG_IGN);
  TerminationSignal signal;
  kill(getpid(), SIGHUP);
  kill(getpid(), SIGTERM);
  EXPECT_EQ(signal.Wait(), SIGTERM);
  std::signal(SIGHUP, SIG_IGN);  // Drops it: the tests before have blocked it.
  std::signal(SIGHUP, before);
}

TEST(TerminationSignalTest, EndsWithoutASignal) {
  const TerminationSignal signal;
}

TEST(TerminationSignalTest, OtherSignalsOfTheWakingKindAreIgnored) {
  TerminationSignal signal;
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGTERM);
  signal.Wait();
}

TEST(TerminationSignalDeathTest, SecondSignalEndsTheProcessAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        TerminationSignal signal;
        kill(getpid(), SIGTERM);
        signal.Wait();
        kill(getpid(), SIGINT);
        pause();
      },
      testing::ExitedWithCode(kExitFailure), "");
}

}  // namespace
}  // namespace relu
