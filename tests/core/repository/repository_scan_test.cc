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

  // The numbers of what is to be served.
  static std::vector<std::int64_t> Versions(const ModelSource& source) {
    std::vector<std::int64_t> versions;
    for (const VersionSource& version : source.versions) {
      versions.push_back(version.version);
    }
    return versions;
  }

  // What is wrong with a model, or else with its first version.
  static absl::Status Status(const ModelSource& source) {
    return source.status.ok() && !source.versions.empty()
               ? source.versions[0].status
               : source.status;
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
    const absl::Status status = Status(source);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(words));
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

  EXPECT_EQ(Status(source), absl::OkStatus());
  EXPECT_EQ(source.name, "m");
  ASSERT_THAT(Versions(source), ElementsAre(2));
  EXPECT_EQ(source.versions[0].file, file);
}

TEST_F(RepositoryScanTest, SingleFileIsVersionOne) {
  const std::filesystem::path file = repository_.Write("m.onnx", "");

  const ModelSource source = ScanOne();

  EXPECT_EQ(Status(source), absl::OkStatus());
  EXPECT_EQ(source.name, "m");
  ASSERT_THAT(Versions(source), ElementsAre(1));
  EXPECT_EQ(source.versions[0].file, file);
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

  EXPECT_THAT(Versions(ScanOne()), ElementsAre(10));
}

TEST_F(RepositoryScanTest, FoldersThatAreNoVersionAreIgnored) {
  repository_.Write("m/3/model.onnx", "");
  for (const char* name : {"04", "+5", "-6", "7a", "0", "1.5", " 8", "old",
                           "99999999999999999999", ".9"}) {
    MakeFolder(std::filesystem::path("m") / name);
  }
  repository_.Write("m/11", "a file");

  EXPECT_THAT(Versions(ScanOne()), ElementsAre(3));
}

TEST_F(RepositoryScanTest, FolderWithoutVersionHasNothingToLoad) {
  repository_.Write("m/config.pbtxt", "");

  const ModelSource source = ScanOne();

  EXPECT_EQ(source.status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(source.status.message()),
              HasSubstr("no version folder"));
  EXPECT_THAT(Versions(source), IsEmpty());
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

  EXPECT_EQ(Status(source), absl::OkStatus());
  EXPECT_EQ(source.name, "caf\xC3\xA9 \"1\"");
}

TEST_F(RepositoryScanTest, ConfigIsRead) {
  repository_.Write("m/1/net.onnx", "");
  repository_.Write("m/config.pbtxt",
                    "default_model_filename: \"net.onnx\" max_batch_size: 4");

  const ModelSource source = ScanOne();

  EXPECT_EQ(Status(source), absl::OkStatus());
  EXPECT_EQ(source.config.max_batch_size, 4);
  EXPECT_EQ(source.versions[0].file, repository_.folder() / "m/1/net.onnx");
}

TEST_F(RepositoryScanTest, BadConfigIsTheReasonAndKeepsTheVersion) {
  repository_.Write("m/5/model.onnx", "");
  repository_.Write("m/config.pbtxt", "name: \"other\"");

  const ModelSource source = ScanOne();

  ExpectInvalid(source, "name is \"other\"");
  EXPECT_THAT(Versions(source), ElementsAre(5));
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
  EXPECT_EQ(Status(sources[0]), absl::OkStatus());
  EXPECT_EQ(Status(sources[1]), absl::OkStatus());
}

TEST_F(RepositoryScanTest, RepositoryItselfMayBeALink) {
  repository_.Write("m.onnx", "");
  std::filesystem::create_directory_symlink(repository_.folder(),
                                            repository_.outside());

  const absl::StatusOr<std::vector<ModelSource>> sources =
      ScanRepository(repository_.outside());

  ASSERT_TRUE(sources.ok()) << sources.status();
  ASSERT_EQ(sources->size(), 1U);
  EXPECT_EQ(Status((*sources)[0]), absl::OkStatus());
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

TEST_F(RepositoryScanTest, VersionPolicyChooses) {
  for (const char* version : {"1", "2", "3"}) {
    repository_.Write(std::filesystem::path("m") / version / "model.onnx", "");
  }

  repository_.Write("m/config.pbtxt",
                    "version_policy { latest { num_versions: 2 } }");
  EXPECT_THAT(Versions(ScanOne()), ElementsAre(2, 3));
  repository_.Write("m/config.pbtxt", "version_policy { all { } }");
  EXPECT_THAT(Versions(ScanOne()), ElementsAre(1, 2, 3));
  repository_.Write("m/config.pbtxt",
                    "version_policy { specific { versions: [ 1, 3 ] } }");
  EXPECT_THAT(Versions(ScanOne()), ElementsAre(1, 3));
}

TEST_F(RepositoryScanTest, VersionThatThePolicyNamesButIsNotThereIsNotFound) {
  repository_.Write("m/1/model.onnx", "");
  repository_.Write("m/config.pbtxt",
                    "version_policy { specific { versions: [ 1, 3 ] } }");

  const ModelSource source = ScanOne();

  ASSERT_THAT(Versions(source), ElementsAre(1, 3));
  EXPECT_EQ(source.versions[0].status, absl::OkStatus());
  EXPECT_EQ(source.versions[1].status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(source.versions[1].status.message()),
              HasSubstr("version_policy names it"));
}

TEST_F(RepositoryScanTest, StampsTellWhatHasChanged) {
  repository_.Write("m/1/model.onnx", "1");
  repository_.Write("m/2/model.onnx", "1");
  repository_.Write("m/config.pbtxt", "version_policy { all { } }");
  const ModelSource before = ScanOne();
  EXPECT_EQ(before.stamp(), ScanOne().stamp());

  repository_.Write("m/2/weights.bin", "1");

  const ModelSource after = ScanOne();
  EXPECT_EQ(before.versions[0].stamp, after.versions[0].stamp);
  EXPECT_NE(before.versions[1].stamp, after.versions[1].stamp);
  EXPECT_EQ(before.config_stamp, after.config_stamp);
  EXPECT_NE(before.stamp(), after.stamp());
}

TEST_F(RepositoryScanTest, FilesOfTheWarmupBelongToTheConfig) {
  repository_.Write("m/1/model.onnx", "1");
  repository_.Write("m/config.pbtxt",
                    "model_warmup { inputs { key: 'x' value { data_type: "
                    "TYPE_FP32 dims: 1 input_data_file: 'x.bin' } } }");
  repository_.Write("m/warmup/x.bin", "1234");
  const FileStamp before = ScanOne().config_stamp;

  repository_.Write("m/warmup/x.bin", "12345678");

  const ModelSource source = ScanOne();
  EXPECT_NE(source.config_stamp, before);
  EXPECT_EQ(source.warmup_folder, repository_.folder() / "m/warmup");
}

TEST_F(RepositoryScanTest, FilesOfLabelsBelongToTheVersions) {
  repository_.Write("m/1/model.onnx", "1");
  repository_.Write("m/config.pbtxt",
                    "output { name: 'y' label_filename: 'labels.txt' } "
                    "output { name: 'z' label_filename: '../outside.txt' }");
  const FileStamp missing = ScanOne().versions[0].stamp;
  repository_.Write("m/labels.txt", "a");
  const FileStamp before = ScanOne().versions[0].stamp;

  repository_.Write("m/labels.txt", "ab");

  const ModelSource source = ScanOne();
  EXPECT_NE(before, missing);
  EXPECT_NE(source.versions[0].stamp, before);
  EXPECT_EQ(source.folder, repository_.folder() / "m");
}

TEST_F(RepositoryScanTest, WarmupFolderOutsideOfTheRepositoryIsInvalid) {
  repository_.Write("m/1/model.onnx", "1");
  repository_.Write("m/config.pbtxt",
                    "model_warmup { inputs { key: 'x' value { data_type: "
                    "TYPE_FP32 dims: 1 zero_data: true } } }");
  std::filesystem::create_directories(repository_.outside());
  Link(repository_.outside(), "m/warmup");

  ExpectInvalid(ScanOne(), "outside of the model repository");
}

TEST_F(RepositoryScanTest, OneModelIsScannedByName) {
  repository_.Write("a/7/model.onnx", "1");
  repository_.Write("b.onnx", "1");

  const absl::StatusOr<ModelSource> a = ScanModel(repository_.folder(), "a");
  const absl::StatusOr<ModelSource> b = ScanModel(repository_.folder(), "b");

  ASSERT_TRUE(a.ok()) << a.status();
  EXPECT_THAT(Versions(*a), ElementsAre(7));
  EXPECT_EQ(a->repository, repository_.folder());
  ASSERT_TRUE(b.ok()) << b.status();
  EXPECT_THAT(Versions(*b), ElementsAre(1));
}

TEST_F(RepositoryScanTest, ModelThatIsNotThereIsNotFound) {
  const absl::Status status = ScanModel(repository_.folder(), "m").status();

  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("has neither m/ nor m.onnx"));
}

TEST_F(RepositoryScanTest, NamesThatLeadOutAreInvalid) {
  repository_.Write("../outside/1/model.onnx", "1");
  MakeFolder("m");

  for (const std::string name :
       {"../outside", "m/../../outside", "/etc", ".", "..", "", ".git"}) {
    EXPECT_EQ(ScanModel(repository_.folder(), name).status().code(),
              absl::StatusCode::kInvalidArgument)
        << name;
  }
}

TEST_F(RepositoryScanTest, GivenConfigReplacesTheFile) {
  repository_.Write("m/1/model.onnx", "1");
  repository_.Write("m/2/model.onnx", "1");
  repository_.Write("m/config.pbtxt", "this is none");
  ModelConfig config;
  config.version_policy.kind = VersionPolicy::Kind::kAll;

  const absl::StatusOr<ModelSource> source =
      ScanModel(repository_.folder(), "m", config);

  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ(source->status, absl::OkStatus());
  EXPECT_THAT(Versions(*source), ElementsAre(1, 2));
}

}  // namespace
}  // namespace relu
