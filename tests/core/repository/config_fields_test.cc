#include "core/repository/config_fields.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "core/tensor/data_type.h"
#include "proto/model_config.pb.h"

namespace relu {
namespace {

TEST(ConfigFieldsTest, FieldThatIsNotSupportedIsRefusedByItsName) {
  inference::ModelInput input;
  input.set_name("x");
  EXPECT_TRUE(CheckFields(input, "input.", {"name"}).ok());
  input.add_dims(3);

  const absl::Status status = CheckFields(input, "input.", {"name"});

  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(), "field input.dims is not supported: remove it");
}

TEST(ConfigFieldsTest, EveryTypeGoesThereAndBack) {
  for (const std::string name :
       {"BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32",
        "INT64", "FP16", "BF16", "FP32", "FP64"}) {
    const DataType type = ParseDataType(name).value();
    EXPECT_EQ(inference::DataType_Name(ToConfig(type)), "TYPE_" + name);
    EXPECT_EQ(FromConfig(ToConfig(type)), type);
  }
}

TEST(ConfigFieldsTest, TypesWithoutTensorsAreNone) {
  EXPECT_EQ(FromConfig(inference::TYPE_INVALID), std::nullopt);
  EXPECT_EQ(FromConfig(inference::TYPE_STRING), std::nullopt);
  EXPECT_EQ(FromConfig(static_cast<inference::DataType>(99)), std::nullopt);
}

}  // namespace
}  // namespace relu
