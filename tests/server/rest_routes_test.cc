#include "server/rest_routes.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace relu {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

// "RPC" or, of a path that is none, "".
std::string RouteRpc(std::string_view method, std::string_view target) {
  const RestMatch match = MatchRestRoute(method, target);
  return match.route == nullptr ? "" : std::string(match.route->rpc);
}

TEST(RestRoutesTest, EveryPathOfTheApiHasItsRpc) {
  for (const auto& [path, rpc] :
       {std::pair("/v2", "ServerMetadata"),
        std::pair("/v2/health/live", "ServerLive"),
        std::pair("/v2/health/ready", "ServerReady"),
        std::pair("/v2/models/stats", "ModelStatistics"),
        std::pair("/v2/models/m", "ModelMetadata"),
        std::pair("/v2/models/m/versions/2", "ModelMetadata"),
        std::pair("/v2/models/m/ready", "ModelReady"),
        std::pair("/v2/models/m/versions/2/ready", "ModelReady"),
        std::pair("/v2/models/m/config", "ModelConfig"),
        std::pair("/v2/models/m/versions/2/config", "ModelConfig"),
        std::pair("/v2/models/m/stats", "ModelStatistics"),
        std::pair("/v2/models/m/versions/2/stats", "ModelStatistics"),
        std::pair("/v2/trace/setting", "TraceSetting"),
        std::pair("/v2/models/m/trace/setting", "TraceSetting"),
        std::pair("/v2/logging", "LogSettings"),
        std::pair("/v2/systemsharedmemory/status", "SystemSharedMemoryStatus"),
        std::pair("/v2/systemsharedmemory/region/r/status",
                  "SystemSharedMemoryStatus"),
        std::pair("/v2/models/m/activity", "GetActivity"),
        std::pair("/v2/models/m/versions/2/activity", "GetActivity"),
        std::pair("/v2/cudasharedmemory/status", "CudaSharedMemoryStatus"),
        std::pair("/v2/cudasharedmemory/region/r/status",
                  "CudaSharedMemoryStatus")}) {
    EXPECT_EQ(RouteRpc("GET", path), rpc) << path;
    EXPECT_EQ(RouteRpc("HEAD", path), rpc) << path;
  }
  for (const auto& [path, rpc] :
       {std::pair("/v2/models/m/infer", "ModelInfer"),
        std::pair("/v2/models/m/versions/2/infer", "ModelInfer"),
        std::pair("/v2/models/m/explain", "Explain"),
        std::pair("/v2/models/m/versions/2/explain", "Explain"),
        std::pair("/v2/models/m/rank", "Rank"),
        std::pair("/v2/models/m/versions/2/rank", "Rank"),
        std::pair("/v2/repository/index", "RepositoryIndex"),
        std::pair("/v2/repository/r/index", "RepositoryIndex"),
        std::pair("/v2/repository/models/m/load", "RepositoryModelLoad"),
        std::pair("/v2/repository/models/m/unload", "RepositoryModelUnload"),
        std::pair("/v2/repository/r/models/m/load", "RepositoryModelLoad"),
        std::pair("/v2/repository/r/models/m/unload", "RepositoryModelUnload"),
        std::pair("/v2/trace/setting", "TraceSetting"),
        std::pair("/v2/models/m/trace/setting", "TraceSetting"),
        std::pair("/v2/logging", "LogSettings"),
        std::pair("/v2/systemsharedmemory/region/r/register",
                  "SystemSharedMemoryRegister"),
        std::pair("/v2/systemsharedmemory/region/r/unregister",
                  "SystemSharedMemoryUnregister"),
        std::pair("/v2/systemsharedmemory/unregister",
                  "SystemSharedMemoryUnregister"),
        std::pair("/v2/cudasharedmemory/region/r/register",
                  "CudaSharedMemoryRegister"),
        std::pair("/v2/cudasharedmemory/region/r/unregister",
                  "CudaSharedMemoryUnregister"),
        std::pair("/v2/cudasharedmemory/unregister",
                  "CudaSharedMemoryUnregister")}) {
    EXPECT_EQ(RouteRpc("POST", path), rpc) << path;
  }
}

TEST(RestRoutesTest, PathsSetTheFieldsOfTheRequest) {
  EXPECT_THAT(MatchRestRoute("GET", "/v2/models/a/versions/12/ready").fields,
              ElementsAre(Pair("name", "a"), Pair("version", "12")));
  EXPECT_THAT(
      MatchRestRoute("POST", "/v2/models/a/versions/1/infer?x=y").fields,
      ElementsAre(Pair("model_name", "a"), Pair("model_version", "1")));
  EXPECT_THAT(MatchRestRoute("GET", "/v2?x").fields, IsEmpty());
}

TEST(RestRoutesTest, SegmentsAreDecoded) {
  EXPECT_THAT(MatchRestRoute("GET", "/v2/models/a%20b%2fc%C3%BC").fields,
              ElementsAre(Pair("name", "a b/cü")));
  for (const char* bad : {"%", "%4", "%zz", "%ff", "x%2"}) {
    EXPECT_EQ(RouteRpc("GET", std::string("/v2/models/") + bad), "") << bad;
  }
}

TEST(RestRoutesTest, OtherPathsAreNone) {
  for (const char* path :
       {"", "/", "v2", "/v1", "/v2/", "/v2/health", "/v2/models", "/v2/models/",
        "/v2/models//ready", "/v2/models/m/ready/more", "/v2/models/m/versions",
        "/V2", "/v2/models/m/readyx", "*"}) {
    const RestMatch match = MatchRestRoute("GET", path);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_EQ(match.allowed, "") << path;
  }
}

TEST(RestRoutesTest, OtherMethodsHearWhichAreAllowed) {
  EXPECT_EQ(MatchRestRoute("POST", "/v2/models/m/ready").allowed, "GET, HEAD");
  EXPECT_EQ(MatchRestRoute("GET", "/v2/models/m/infer").allowed, "POST");
  EXPECT_EQ(MatchRestRoute("DELETE", "/v2/logging").allowed, "GET, HEAD, POST");
}

}  // namespace
}  // namespace relu
