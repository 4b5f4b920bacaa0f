#include "core/graph/onnx_file.h"

#include <filesystem>
#include <string>
#include <utility>

#include "google/protobuf/stubs/logging.h"
#include "gtest/gtest.h"

#include "core/base/file.h"
#include "core/base/status_macros.h"
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

absl::StatusOr<onnx::ModelProto> OutlineOf(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const File file, OpenOnnxFile(path));
  return ReadOnnxOutline(file);
}

TEST(OnnxFileTest, OutlineGivesModelWithoutElements) {
  TestFolder folder;
  const auto model =
      OutlineOf(folder.Write("model.onnx", MakeMlp({200, 300, 1}).model()));
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->graph().node_size(), 3);
  EXPECT_LT(model->ByteSizeLong(), 1000U);
}

TEST(OnnxFileTest, OutlineNamesFileWhenContentIsBad) {
  TestFolder folder;
  for (const auto& [content, what] :
       {std::pair("PK\3\4 zip", "bad.onnx: not an ONNX file"),
        std::pair("", "bad.onnx: not an ONNX file: it is empty"),
        std::pair("version https://git-lfs.github.com/spec/v1\n",
                  "git lfs pull")}) {
    EXPECT_THAT(OutlineOf(folder.Write("bad.onnx", content)).status(),
                Fails(kInvalid, what));
  }
}

TEST(OnnxFileTest, OutlineTellsWhenFileIsCutShortWhileItIsRead) {
  TestFolder folder;
  const auto path = folder.Write("model.onnx", MakeMlp({200, 300, 1}).model());
  const auto file = OpenOnnxFile(path);
  ASSERT_TRUE(file.ok()) << file.status();
  std::filesystem::resize_file(path, 1000);
  EXPECT_THAT(ReadOnnxOutline(*file).status(),
              Fails(absl::StatusCode::kInternal, "model.onnx: "));
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
