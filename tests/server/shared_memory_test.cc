#include "server/shared_memory.h"

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "fmt/format.h"
#include "tests/server/memory_object.h"

namespace relu {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

absl::Status Open(const std::string& key, std::uint64_t offset,
                  std::uint64_t byte_size, const std::string& name = "r") {
  return SharedMemoryRegion::Open({.name = name,
                                   .key = key,
                                   .offset = offset,
                                   .byte_size = byte_size})
      .status();
}

std::shared_ptr<const SharedMemoryRegion> Region(const MemoryObject& object,
                                                 std::uint64_t offset,
                                                 std::uint64_t byte_size) {
  auto region = SharedMemoryRegion::Open({.name = "r",
                                          .key = object.key(),
                                          .offset = offset,
                                          .byte_size = byte_size});
  EXPECT_TRUE(region.ok()) << region.status();
  return *std::move(region);
}

absl::StatusOr<std::string> Read(const SharedMemoryRegion& region,
                                 std::uint64_t offset, std::size_t bytes) {
  std::string values(bytes, '?');
  const absl::Status status =
      region.Read(offset, std::as_writable_bytes(std::span(values)));
  return status.ok() ? absl::StatusOr<std::string>(values) : status;
}

absl::Status Write(const SharedMemoryRegion& region, std::uint64_t offset,
                   const std::string& values) {
  return region.Write(offset, std::as_bytes(std::span(values)));
}

std::size_t OpenFiles() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

// --- Copies ---

TEST(SharedMemoryTest, ReadGivesWhatTheClientHasWritten) {
  MemoryObject object(64);
  object.Fill(10, "hello");
  const auto region = Region(object, 8, 16);
  EXPECT_EQ(*Read(*region, 2, 5), "hello");
  object.Fill(10, "other");
  EXPECT_EQ(*Read(*region, 2, 5), "other");
}

TEST(SharedMemoryTest, WriteIsWhatTheClientReads) {
  MemoryObject object(64);
  const auto region = Region(object, 8, 16);
  ASSERT_TRUE(Write(*region, 3, "hello").ok());
  EXPECT_THAT(object.Values<char>(10, 7),
              testing::ElementsAre('\0', 'h', 'e', 'l', 'l', 'o', '\0'));
}

TEST(SharedMemoryTest, RangesOutsideOfTheRegionAreRefused) {
  MemoryObject object(64);
  const auto region = Region(object, 8, 16);
  EXPECT_TRUE(region->CheckRange(0, 16).ok());
  EXPECT_TRUE(region->CheckRange(16, 0).ok());
  for (const auto& [offset, bytes] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {0, 17}, {16, 1}, {17, 0}, {kHuge, 1}, {1, kHuge}, {kHuge, kHuge}}) {
    const absl::Status status = region->CheckRange(offset, bytes);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(
        std::string(status.message()),
        HasSubstr(fmt::format("'r': {} bytes from offset {}", bytes, offset)));
  }
  EXPECT_EQ(Read(*region, 12, 5).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Write(*region, 12, "hello").code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(SharedMemoryTest, TruncatedObjectIsAnErrorAndStaysTruncated) {
  MemoryObject object(64);
  const auto region = Region(object, 0, 64);
  object.Truncate(10);
  EXPECT_TRUE(Read(*region, 0, 10).ok());
  EXPECT_TRUE(Write(*region, 5, "hello").ok());
  for (const absl::Status& status :
       {Read(*region, 0, 11).status(), Read(*region, 32, 1).status(),
        Write(*region, 6, "hello"), Write(*region, 32, "x")}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("truncated"));
  }
  EXPECT_EQ(object.size(), 10U);
}

TEST(SharedMemoryTest, RemovedObjectStaysUntilTheRegionGoes) {
  std::shared_ptr<const SharedMemoryRegion> region;
  {
    MemoryObject object(8);
    object.Fill(0, "remember");
    region = Region(object, 0, 8);
  }
  EXPECT_EQ(*Read(*region, 0, 8), "remember");
}

// --- What can be opened ---

TEST(SharedMemoryTest, KeysThatAreNoNamesAreRefused) {
  const std::string key = "/" + UniqueObjectName();
  for (const std::string& bad :
       {std::string(), std::string("/"), key.substr(1), "/" + key, key + "/x",
        std::string("/../etc/passwd"), std::string("/."), std::string("/.."),
        std::string("/.x"), std::string("/sem.x"), std::string("/a b"),
        std::string("/a\nb"), std::string("/a\0b", 4), std::string("/\xC3\xA4"),
        "/" + std::string(255, 'a')}) {
    const absl::Status status = Open(bad, 0, 1);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(status.message()), HasSubstr("expected '/' and"));
  }
  EXPECT_EQ(Open("/" + std::string(254, 'a'), 0, 1).code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Open("/a:b", 0, 1).code(), absl::StatusCode::kNotFound);
}

TEST(SharedMemoryTest, NamesOfRegionsHaveALimit) {
  const MemoryObject object(1);
  EXPECT_EQ(Open(object.key(), 0, 1, "").code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Open(object.key(), 0, 1, std::string(257, 'n')).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Open(object.key(), 0, 1, std::string(256, 'n')).ok());
}

TEST(SharedMemoryTest, ObjectThatIsNotThereReturnsNotFound) {
  const absl::Status status = Open("/" + UniqueObjectName(), 0, 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("region 'r': the object '/relud-test-"));
}

TEST(SharedMemoryTest, LinksAreNotFollowed) {
  const MemoryObject object(8);
  const std::filesystem::path link = ObjectFile("/" + UniqueObjectName());
  std::filesystem::create_symlink(ObjectFile(object.key()), link);
  EXPECT_EQ(Open("/" + link.filename().string(), 0, 8).code(),
            absl::StatusCode::kInvalidArgument);
  std::filesystem::remove(link);
}

TEST(SharedMemoryTest, WhatIsNoMemoryIsRefusedAndNotWaitedFor) {
  const std::filesystem::path path = ObjectFile("/" + UniqueObjectName());
  const std::string key = "/" + path.filename().string();
  std::filesystem::create_directory(path);
  EXPECT_EQ(Open(key, 0, 1).code(), absl::StatusCode::kInvalidArgument);
  std::filesystem::remove(path);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(Open(key, 0, 1).code(), absl::StatusCode::kInvalidArgument);
  std::filesystem::remove(path);
}

TEST(SharedMemoryTest, PartsOutsideOfTheObjectAreRefused) {
  const MemoryObject object(64);
  const std::size_t files = OpenFiles();
  for (const auto& [offset, bytes] :
       std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 0},
                                                            {0, 65},
                                                            {64, 1},
                                                            {65, 1},
                                                            {kHuge, 1},
                                                            {1, kHuge},
                                                            {kHuge, kHuge}}) {
    const absl::Status status = Open(object.key(), offset, bytes);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("its 64 bytes"));
  }
  EXPECT_TRUE(Open(object.key(), 0, 64).ok());
  EXPECT_TRUE(Open(object.key(), 63, 1).ok());
  EXPECT_EQ(OpenFiles(), files);
}

// --- What is registered ---

class SharedMemoryRegionsTest : public testing::Test {
 protected:
  absl::Status Register(const std::string& name) {
    return regions_.Register({.name = name,
                              .key = object_.key(),
                              .offset = 0,
                              .byte_size = object_.bytes().size()});
  }

  MemoryObject object_{64};
  SharedMemoryRegions regions_;
};

TEST_F(SharedMemoryRegionsTest, RegionIsFoundByItsName) {
  ASSERT_TRUE(Register("a").ok());
  const auto region = regions_.Find("a");
  ASSERT_TRUE(region.ok());
  EXPECT_EQ((*region)->part().key, object_.key());
  EXPECT_EQ(regions_.Find("b").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(SharedMemoryRegionsTest, NameIsTakenOnceAndAnObjectAsOftenAsWanted) {
  ASSERT_TRUE(Register("a").ok());
  ASSERT_TRUE(Register("b").ok());
  EXPECT_EQ(Register("a").code(), absl::StatusCode::kAlreadyExists);
  ASSERT_EQ(regions_.All().size(), 2U);
  EXPECT_EQ(regions_.All()[0]->part().name, "a");
  EXPECT_EQ(regions_.All()[1]->part().name, "b");
}

TEST_F(SharedMemoryRegionsTest, UnregisteredRegionIsGone) {
  ASSERT_TRUE(Register("a").ok());
  ASSERT_TRUE(Register("b").ok());
  regions_.Unregister("a");
  regions_.Unregister("never");
  EXPECT_FALSE(regions_.Find("a").ok());
  EXPECT_TRUE(regions_.Find("b").ok());
  EXPECT_TRUE(Register("a").ok());
  regions_.UnregisterAll();
  EXPECT_TRUE(regions_.All().empty());
}

TEST_F(SharedMemoryRegionsTest, UnregisteredRegionThatIsInUseStaysUsable) {
  const std::size_t files = OpenFiles();
  ASSERT_TRUE(Register("a").ok());
  {
    const auto region = *regions_.Find("a");
    regions_.UnregisterAll();
    object_.Fill(0, "hello");
    EXPECT_EQ(*Read(*region, 0, 5), "hello");
    EXPECT_EQ(OpenFiles(), files + 1);
  }
  EXPECT_EQ(OpenFiles(), files);
}

TEST_F(SharedMemoryRegionsTest, NumberOfRegionsIsLimited) {
  const std::size_t files = OpenFiles();
  for (std::size_t i = 0; i < SharedMemoryRegions::kMaxRegions; ++i) {
    ASSERT_TRUE(Register(fmt::format("r{}", i)).ok());
  }
  EXPECT_EQ(Register("more").code(), absl::StatusCode::kResourceExhausted);
  regions_.Unregister("r7");
  EXPECT_TRUE(Register("more").ok());
  regions_.UnregisterAll();
  EXPECT_EQ(OpenFiles(), files);
}

TEST_F(SharedMemoryRegionsTest, ThreadsRegisterUseAndUnregisterAtTheSameTime) {
  constexpr int kTurns = 500;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 2; ++thread) {
    threads.emplace_back([this] {
      for (int i = 0; i < kTurns; ++i) {
        (void)Register("a");
        regions_.Unregister("a");
      }
    });
    threads.emplace_back([this] {
      for (int i = 0; i < kTurns; ++i) {
        if (const auto region = regions_.Find("a"); region.ok()) {
          EXPECT_TRUE(Write(**region, 0, "hello").ok());
          EXPECT_EQ(*Read(**region, 0, 5), "hello");
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_TRUE(regions_.All().empty());
}

}  // namespace
}  // namespace relu
