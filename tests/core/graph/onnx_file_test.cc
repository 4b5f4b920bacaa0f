#include "core/graph/onnx_file.h"

#include <string>

#include "google/protobuf/stubs/logging.h"
#include "gtest/gtest.h"

#include "proto/onnx.pb.h"
#include "tests/core/graph/graph_testing.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

TEST(OnnxFileTest, ReadGivesModel) {
  TestFolder folder;
  const auto model =
      ReadOnnxFile(folder.Write("model.onnx", MakeMlp({2, 3, 1}).model()));
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->graph().node_size(), 3);
}

TEST(OnnxFileTest, ReadReturnsNotFoundWhenFileIsMissing) {
  EXPECT_THAT(ReadOnnxFile("none.onnx").status(),
              Fails(absl::StatusCode::kNotFound, "none.onnx"));
}

TEST(OnnxFileTest, ReadRefusesFolders) {
  TestFolder folder;
  EXPECT_THAT(ReadOnnxFile(folder.path()).status(),
              Fails(kInvalid, "not a regular file"));
}

TEST(OnnxFileTest, ReadNamesFileWhenContentIsBad) {
  TestFolder folder;
  EXPECT_THAT(ReadOnnxFile(folder.Write("bad.onnx", "PK\3\4 zip")).status(),
              Fails(kInvalid, "bad.onnx: not an ONNX file"));
}

TEST(OnnxFileTest, ParseRefusesEmptyFiles) {
  EXPECT_THAT(ParseOnnx("").status(), Fails(kInvalid, "it is empty"));
}

TEST(OnnxFileTest, ParseTellsWhatToDoWhenFileIsAPointer) {
  EXPECT_THAT(
      ParseOnnx("version https://git-lfs.github.com/spec/v1\n").status(),
      Fails(kInvalid, "git lfs pull"));
}

TEST(OnnxFileTest, ParseRefusesNamesThatAreNotUtf8) {
  const google::protobuf::LogSilencer quiet;
  ModelBuilder builder = MakeMlp({2, 1});
  std::string bytes = builder.model().SerializeAsString();
  bytes.replace(bytes.find("test"), 4, "t\xFFst");
  EXPECT_THAT(ParseOnnx(bytes).status(), Fails(kInvalid, "not UTF-8"));
}

}  // namespace
}  // namespace relu
