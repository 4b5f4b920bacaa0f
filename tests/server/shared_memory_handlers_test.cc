#include "server/shared_memory_handlers.h"

#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "proto/inference.pb.h"
#include "server/shared_memory.h"
#include "tests/server/memory_object.h"

namespace relu {
namespace {

class SharedMemoryHandlersTest : public testing::Test {
 protected:
  absl::Status Register(const std::string& name, std::uint64_t offset = 8) {
    inference::SystemSharedMemoryRegisterRequest request;
    request.set_name(name);
    request.set_key(object_.key());
    request.set_offset(offset);
    request.set_byte_size(16);
    return RegisterSharedMemory(request, regions_);
  }

  absl::Status Unregister(const std::string& name) {
    inference::SystemSharedMemoryUnregisterRequest request;
    request.set_name(name);
    return UnregisterSharedMemory(request, regions_);
  }

  absl::Status Status(const std::string& name) {
    inference::SystemSharedMemoryStatusRequest request;
    request.set_name(name);
    response_.Clear();
    return SharedMemoryStatus(request, regions_, response_);
  }

  const MemoryObject object_{64};
  SharedMemoryRegions regions_;
  inference::SystemSharedMemoryStatusResponse response_;
};

TEST_F(SharedMemoryHandlersTest, StatusTellsWhatWasRegistered) {
  ASSERT_TRUE(Register("a").ok());
  ASSERT_TRUE(Register("b", 0).ok());
  ASSERT_TRUE(Status("").ok());
  EXPECT_EQ(response_.regions_size(), 2);
  ASSERT_TRUE(Status("a").ok());
  ASSERT_EQ(response_.regions_size(), 1);
  const auto& region = response_.regions().at("a");
  EXPECT_EQ(region.name(), "a");
  EXPECT_EQ(region.key(), object_.key());
  EXPECT_EQ(region.offset(), 8U);
  EXPECT_EQ(region.byte_size(), 16U);
}

TEST_F(SharedMemoryHandlersTest, StatusOfAnUnknownRegionReturnsNotFound) {
  EXPECT_TRUE(Status("").ok());
  EXPECT_EQ(Status("a").code(), absl::StatusCode::kNotFound);
}

TEST_F(SharedMemoryHandlersTest, RegisterReturnsTheErrorsOfTheRegion) {
  EXPECT_EQ(Register("a", 49).code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(Register("a", 48).ok());
  EXPECT_EQ(Register("a").code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(SharedMemoryHandlersTest, UnregisterTakesOneOrAll) {
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(Register(name).ok());
  }
  EXPECT_TRUE(Unregister("b").ok());
  EXPECT_TRUE(Unregister("b").ok());
  EXPECT_EQ(regions_.All().size(), 2U);
  EXPECT_TRUE(Unregister("").ok());
  EXPECT_TRUE(regions_.All().empty());
}

}  // namespace
}  // namespace relu
