#include "core/base/mutex.h"

#include <chrono>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

struct Guarded {
  Mutex mu;
  CondVar changed;
  int value ABSL_GUARDED_BY(mu) = 0;
};

TEST(MutexTest, LockExcludesOtherThreads) {
  Guarded guarded;

  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&guarded] {
      for (int j = 0; j < 10'000; ++j) {
        const MutexLock lock(guarded.mu);
        ++guarded.value;
      }
    });
  }
  threads.clear();

  const MutexLock lock(guarded.mu);
  EXPECT_EQ(guarded.value, 40'000);
}

TEST(MutexTest, LockIsFreeAfterTheScope) {
  Mutex mu;
  { const MutexLock lock(mu); }

  mu.Lock();  // Would wait for ever.
  mu.Unlock();
}

TEST(MutexTest, NotifyOneWakesAWaitingThread) {
  Guarded guarded;
  std::jthread other([&guarded] {
    const MutexLock lock(guarded.mu);
    guarded.value = 1;
    guarded.changed.NotifyOne();
  });

  const MutexLock lock(guarded.mu);
  while (guarded.value == 0) {
    guarded.changed.Wait(guarded.mu);
  }

  EXPECT_EQ(guarded.value, 1);
}

TEST(MutexTest, NotifyAllWakesEveryWaitingThread) {
  Guarded guarded;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&guarded] {
      const MutexLock lock(guarded.mu);
      while (guarded.value == 0) {
        guarded.changed.Wait(guarded.mu);
      }
    });
  }

  {
    const MutexLock lock(guarded.mu);
    guarded.value = 1;
    guarded.changed.NotifyAll();
  }
  threads.clear();  // Would wait for ever.
}

TEST(MutexTest, WaitUntilReturnsFalseAfterTheDeadlineWithTheLockHeld) {
  Guarded guarded;
  const MutexLock lock(guarded.mu);
  const auto past = std::chrono::steady_clock::now() - std::chrono::hours(1);

  bool woken = true;
  while (woken) {  // A wake may be spurious.
    woken = guarded.changed.WaitUntil(guarded.mu, past);
  }

  guarded.value = 1;
  EXPECT_FALSE(woken);
}

TEST(MutexTest, WaitUntilReturnsWhenNotified) {
  Guarded guarded;
  const auto far = std::chrono::steady_clock::now() + std::chrono::hours(1);
  std::jthread other([&guarded] {
    const MutexLock lock(guarded.mu);
    guarded.value = 1;
    guarded.changed.NotifyAll();
  });

  const MutexLock lock(guarded.mu);
  bool in_time = true;
  while (guarded.value == 0 && in_time) {
    in_time = guarded.changed.WaitUntil(guarded.mu, far);
  }

  EXPECT_TRUE(in_time);
}

}  // namespace
}  // namespace relu
