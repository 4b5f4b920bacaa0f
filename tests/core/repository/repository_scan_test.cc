#include "core/repository/repository_scan.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/core/repository/temp_repository.h"

namespace relu {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RepositoryScanTest : public ::testing::Test {
 protected:
  std::vector<ModelSource> Scan() {
    absl::StatusOr<std::vector<ModelSource>> sources =
        ScanRepository(repository_.folder());
    EXPECT_TRUE(sources.ok()) << sources.status();
    return sources.ok() ? *sources : std::vector<ModelSource>();
  }

  // Scans a repository with one model.
  ModelSource ScanOne() {
    const std::vector<ModelSource> sources = Scan();
    EXPECT_EQ(sources.size(), 1U);
    return sources.empty() ? ModelSource() : sources[0];
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const ModelSource& source : Scan()) {
      names.push_back(source.name);
    }
    return names;
  }

  void ExpectInvalid(const ModelSource& source, const std::string& words) {
    EXPECT_EQ(source.status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(source.status.message()), HasSubstr(words));
  }

  void MakeFolder(const std::filesystem::path& path) {
    std::filesystem::create_directories(repository_.folder() / path);
  }
  void Link(const std::filesystem::path& target,
            const std::filesystem::path& path) {
    std::filesystem::create_symlink(target, repository_.folder() / path);
  }

  TempRepository repository_;
};

TEST_F(RepositoryScanTest, EmptyFolderHasNoModels) {
  EXPECT_THAT(Scan(), IsEmpty());
}

TEST_F(RepositoryScanTest, MissingFolderIsNotFound) {
  const std::filesystem::path missing = repository_.folder() / "missing";

  const absl::Status status = ScanRepository(missing).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(),
            "model repository " + missing.string() + ": no such folder");
}

TEST_F(RepositoryScanTest, FileInsteadOfFolderIsInvalid) {
  const absl::Status status =
      ScanRepository(repository_.Write("file", "")).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is not a folder"));
}

TEST_F(RepositoryScanTest, FolderThatCannotBeResolvedIsInvalid) {
  Link("loop", "loop");

  EXPECT_EQ(ScanRepository(repository_.folder() / "loop").status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(RepositoryScanTest, FolderOfVersionsIsAModel) {
  const std::filesystem::path file = repository_.Write("m/2/model.onnx", "");

  const ModelSource source = ScanOne();

  EXPECT_TRUE(source.status.ok()) << source.status;
  EXPECT_EQ(source.name, "m");
  EXPECT_EQ(source.version, 2);
  EXPECT_EQ(source.file, file);
}

TEST_F(RepositoryScanTest, SingleFileIsVersionOne) {
  const std::filesystem::path file = repository_.Write("m.onnx", "");

  const ModelSource source = ScanOne();

  EXPECT_TRUE(source.status.ok()) << source.status;
  EXPECT_EQ(source.name, "m");
  EXPECT_EQ(source.version, 1);
  EXPECT_EQ(source.file, file);
}

TEST_F(RepositoryScanTest, ModelsAreSortedByName) {
  repository_.Write("b.onnx", "");
  MakeFolder("c");
  repository_.Write("a.onnx", "");

  EXPECT_THAT(Names(), ElementsAre("a", "b", "c"));
}

TEST_F(RepositoryScanTest, HiddenEntriesAndOtherFilesAreIgnored) {
  repository_.Write(".hidden.onnx", "");
  repository_.Write(".onnx", "");
  repository_.Write("README.md", "");
  repository_.Write("model.pt", "");
  MakeFolder(".git");

  EXPECT_THAT(Scan(), IsEmpty());
}

TEST_F(RepositoryScanTest, HighestVersionIsServed) {
  for (const char* version : {"9", "10", "2"}) {
    repository_.Write(std::filesystem::path("m") / version / "model.onnx", "");
  }

  EXPECT_EQ(ScanOne().version, 10);
}

TEST_F(RepositoryScanTest, FoldersThatAreNoVersionAreIgnored) {
  repository_.Write("m/3/model.onnx", "");
  for (const char* name : {"04", "+5", "-6", "7a", "0", "1.5", " 8", "old",
                           "99999999999999999999", ".9"}) {
    MakeFolder(std::filesystem::path("m") / name);
  }
  repository_.Write("m/11", "a file");

  EXPECT_EQ(ScanOne().version, 3);
}

TEST_F(RepositoryScanTest, FolderWithoutVersionHasNothingToLoad) {
  repository_.Write("m/config.pbtxt", "");

  const ModelSource source = ScanOne();

  EXPECT_EQ(source.status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(source.status.message()),
              HasSubstr("no version folder"));
  EXPECT_EQ(source.version, 0);
}

TEST_F(RepositoryScanTest, FolderAndFileOfOneNameAreInvalid) {
  repository_.Write("m/1/model.onnx", "");
  repository_.Write("m.onnx", "");

  ExpectInvalid(ScanOne(), "both m/ and m.onnx");
}

TEST_F(RepositoryScanTest, NameThatIsNotUtf8IsInvalid) {
  repository_.Write("a\xFF.onnx", "");

  const ModelSource source = ScanOne();

  ExpectInvalid(source, "not UTF-8");
  EXPECT_EQ(source.name, "a\\xFF");
}

TEST_F(RepositoryScanTest, NameMayBeAnyUtf8) {
  repository_.Write("caf\xC3\xA9 \"1\".onnx", "");

  const ModelSource source = ScanOne();

  EXPECT_TRUE(source.status.ok()) << source.status;
  EXPECT_EQ(source.name, "caf\xC3\xA9 \"1\"");
}

TEST_F(RepositoryScanTest, ConfigIsRead) {
  repository_.Write("m/1/net.onnx", "");
  repository_.Write("m/config.pbtxt",
                    "default_model_filename: \"net.onnx\" max_batch_size: 4");

  const ModelSource source = ScanOne();

  EXPECT_TRUE(source.status.ok()) << source.status;
  EXPECT_EQ(source.config.max_batch_size, 4);
  EXPECT_EQ(source.file, repository_.folder() / "m/1/net.onnx");
}

TEST_F(RepositoryScanTest, BadConfigIsTheReasonAndKeepsTheVersion) {
  repository_.Write("m/5/model.onnx", "");
  repository_.Write("m/config.pbtxt", "name: \"other\"");

  const ModelSource source = ScanOne();

  ExpectInvalid(source, "name is \"other\"");
  EXPECT_EQ(source.version, 5);
}

TEST_F(RepositoryScanTest, BrokenConfigLinkIsNotTakenForNoConfig) {
  repository_.Write("m/1/model.onnx", "");
  Link("nothing", "m/config.pbtxt");

  EXPECT_EQ(ScanOne().status.code(), absl::StatusCode::kNotFound);
}

TEST_F(RepositoryScanTest, LinksInsideTheRepositoryAreFollowed) {
  repository_.Write(".store/net.onnx", "");
  Link("../../.store/net.onnx", ".store/unused");
  MakeFolder("m/1");
  Link("../../.store/net.onnx", "m/1/model.onnx");
  Link("m", "same");

  const std::vector<ModelSource> sources = Scan();

  ASSERT_EQ(sources.size(), 2U);
  EXPECT_TRUE(sources[0].status.ok()) << sources[0].status;
  EXPECT_TRUE(sources[1].status.ok()) << sources[1].status;
}

TEST_F(RepositoryScanTest, RepositoryItselfMayBeALink) {
  repository_.Write("m.onnx", "");
  std::filesystem::create_directory_symlink(repository_.folder(),
                                            repository_.outside());

  const absl::StatusOr<std::vector<ModelSource>> sources =
      ScanRepository(repository_.outside());

  ASSERT_TRUE(sources.ok()) << sources.status();
  ASSERT_EQ(sources->size(), 1U);
  EXPECT_TRUE((*sources)[0].status.ok()) << (*sources)[0].status;
}

TEST_F(RepositoryScanTest, LinksOutOfTheRepositoryAreInvalid) {
  std::filesystem::create_directories(repository_.outside() / "1");
  repository_.Write("../outside/config.pbtxt", "");
  repository_.Write("../outside/1/model.onnx", "");
  const std::string words = "outside of the model repository";

  Link(repository_.outside(), "folder");
  Link(repository_.outside() / "1/model.onnx", "file.onnx");
  MakeFolder("version");
  Link(repository_.outside() / "1", "version/1");
  MakeFolder("model/1");
  Link(repository_.outside() / "1/model.onnx", "model/1/model.onnx");
  repository_.Write("config/1/model.onnx", "");
  Link("../../outside/config.pbtxt", "config/config.pbtxt");

  const std::vector<ModelSource> sources = Scan();
  EXPECT_EQ(sources.size(), 5U);
  for (const ModelSource& source : sources) {
    ExpectInvalid(source, words);
  }
}

TEST_F(RepositoryScanTest, FolderBesideWithTheSamePrefixIsOutside) {
  std::filesystem::create_directories(repository_.folder().string() + "2");
  repository_.Write("../models2/net.onnx", "");
  Link("../models2/net.onnx", "m.onnx");

  ExpectInvalid(ScanOne(), "outside of the model repository");
}

TEST_F(RepositoryScanTest, LoopOfLinksIsInvalid) {
  Link("m.onnx", "m.onnx");

  ExpectInvalid(ScanOne(), "m.onnx");
}

}  // namespace
}  // namespace relu
