#include "core/base/status_prefix.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

TEST(StatusPrefixTest, ErrorKeepsItsCodeAndGetsThePrefix) {
  EXPECT_EQ(WithPrefix("a.onnx: ", absl::NotFoundError("no such file")),
            absl::NotFoundError("a.onnx: no such file"));
}

TEST(StatusPrefixTest, OkStaysOk) {
  EXPECT_EQ(WithPrefix("a.onnx: ", absl::OkStatus()), absl::OkStatus());
}

}  // namespace
}  // namespace relu
