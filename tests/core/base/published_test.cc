#include "core/base/published.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(PublishedTest, ReadersSeeTheValue) {
  const Published<int> published(std::make_shared<const int>(7));

  EXPECT_EQ(published.With([](int value) { return value + 1; }), 8);
  EXPECT_EQ(*published.Get(), 7);
}

TEST(PublishedTest, ReplaceReturnsTheValueBefore) {
  Published<int> published(std::make_shared<const int>(1));

  const std::shared_ptr<const int> before =
      published.Replace(std::make_shared<const int>(2));

  EXPECT_EQ(*before, 1);
  EXPECT_EQ(before.use_count(), 1);
  EXPECT_EQ(*published.Get(), 2);
}

// With the thread sanitizer this is the proof of the locks.
TEST(PublishedTest, NoReaderSeesAnOldValueAfterAnyHasSeenANewOne) {
  constexpr int kLast = 2000;
  Published<int> published(std::make_shared<const int>(0));
  std::atomic<int> newest = 0;  // That any reader has seen.
  std::atomic<int> errors = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      int value = 0;
      while (value < kLast) {
        const int seen_before = newest.load();
        value = published.With([](int v) { return v; });
        errors += value < seen_before ? 1 : 0;
        int expected = newest.load();
        while (expected < value &&
               !newest.compare_exchange_weak(expected, value)) {
        }
      }
    });
  }

  for (int i = 1; i <= kLast; ++i) {
    published.Replace(std::make_shared<const int>(i));
  }

  for (std::thread& reader : readers) {
    reader.join();
  }
  EXPECT_EQ(errors, 0);
}

}  // namespace
}  // namespace relu
