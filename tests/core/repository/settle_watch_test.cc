#include "core/repository/settle_watch.h"

#include <chrono>
#include <filesystem>

#include "gtest/gtest.h"

#include "core/repository/file_stamp.h"
#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

class SettleWatchTest : public ::testing::Test {
 protected:
  static FileStamp Stamp(const std::filesystem::path& file) {
    FileStamp stamp;
    stamp.AddFile(file);
    return stamp;
  }

  // A look `steady` after the first, when the newest file is `age` old.
  milliseconds Look(const FileStamp& stamp, milliseconds steady,
                    milliseconds age) {
    return watch_.Look(
        "m", stamp,
        {.steady = start_ + steady, .system = stamp.changed_at() + age});
  }

  TempRepository files_;
  SettleWatch watch_{milliseconds(1000)};
  const std::chrono::steady_clock::time_point start_{hours(1)};
};

TEST_F(SettleWatchTest, OldFilesNeedOneLook) {
  const FileStamp stamp = Stamp(files_.Write("a", "1"));

  EXPECT_EQ(Look(stamp, milliseconds(0), milliseconds(1000)), milliseconds(0));
}

TEST_F(SettleWatchTest, NewFilesNeedTwoLooks) {
  const FileStamp stamp = Stamp(files_.Write("a", "1"));

  EXPECT_EQ(Look(stamp, milliseconds(0), milliseconds(0)), milliseconds(1000));
  EXPECT_EQ(Look(stamp, milliseconds(400), milliseconds(0)), milliseconds(600));
  EXPECT_EQ(Look(stamp, milliseconds(1000), milliseconds(0)), milliseconds(0));
}

TEST_F(SettleWatchTest, DatesShortenTheWait) {
  const FileStamp stamp = Stamp(files_.Write("a", "1"));

  EXPECT_EQ(Look(stamp, milliseconds(0), milliseconds(700)), milliseconds(300));
}

TEST_F(SettleWatchTest, ChangeBetweenTheLooksStartsAgain) {
  const FileStamp before = Stamp(files_.Write("a", "1"));
  ASSERT_EQ(Look(before, milliseconds(0), milliseconds(0)), milliseconds(1000));

  const FileStamp after = Stamp(files_.Write("a", "12"));

  EXPECT_EQ(Look(after, milliseconds(900), milliseconds(0)),
            milliseconds(1000));
  EXPECT_EQ(Look(after, milliseconds(1899), milliseconds(0)), milliseconds(1));
  EXPECT_EQ(Look(after, milliseconds(1900), milliseconds(0)), milliseconds(0));
}

TEST_F(SettleWatchTest, DatesInTheFutureSayNothing) {
  const FileStamp stamp = Stamp(files_.Write("a", "1"));

  EXPECT_EQ(Look(stamp, milliseconds(0), -hours(5)), milliseconds(1000));
  EXPECT_EQ(Look(stamp, milliseconds(1000), -hours(5)), milliseconds(0));
}

TEST_F(SettleWatchTest, FilesThatAreGoneNeedTwoLooks) {
  EXPECT_EQ(Look(FileStamp(), milliseconds(0), hours(1)), milliseconds(1000));
  EXPECT_EQ(Look(FileStamp(), milliseconds(1000), hours(1)), milliseconds(0));
}

TEST_F(SettleWatchTest, ModelsAreWatchedEachForItself) {
  const FileStamp stamp = Stamp(files_.Write("a", "1"));
  ASSERT_GT(Look(stamp, milliseconds(0), milliseconds(0)).count(), 0);

  EXPECT_EQ(watch_.Look("other", stamp,
                        {.steady = start_ + milliseconds(1000),
                         .system = stamp.changed_at()}),
            milliseconds(1000));
}

TEST_F(SettleWatchTest, ForgottenLooksDoNotCount) {
  const FileStamp stamp = Stamp(files_.Write("a", "1"));
  ASSERT_GT(Look(stamp, milliseconds(0), milliseconds(0)).count(), 0);

  watch_.Forget("m");

  EXPECT_EQ(Look(stamp, milliseconds(1000), milliseconds(0)),
            milliseconds(1000));
}

TEST_F(SettleWatchTest, ZeroTrustsEveryLook) {
  const FileStamp stamp = Stamp(files_.Write("a", "1"));

  EXPECT_EQ(
      SettleWatch(milliseconds(0))
          .Look("m", stamp, {.steady = start_, .system = stamp.changed_at()}),
      milliseconds(0));
}

}  // namespace
}  // namespace relu
