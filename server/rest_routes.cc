#include "server/rest_routes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/utf8.h"

namespace relu {
namespace {

constexpr std::string_view kGet = "GET";
constexpr std::string_view kPost = "POST";
constexpr std::string_view kReluService = "relu.v1.ReluService";

// The first that fits counts.
constexpr RestRoute kRoutes[] = {
    {kPost, "/v2/models/{model_name}/infer", "ModelInfer"},
    {kPost, "/v2/models/{model_name}/versions/{model_version}/infer",
     "ModelInfer"},

    {.method = kPost,
     .path = "/v2/models/{model_name}/explain",
     .rpc = "Explain",
     .service = kReluService},
    {.method = kPost,
     .path = "/v2/models/{model_name}/versions/{model_version}/explain",
     .rpc = "Explain",
     .service = kReluService},

    {.method = kPost,
     .path = "/v2/models/{model_name}/rank",
     .rpc = "Rank",
     .service = kReluService},
    {.method = kPost,
     .path = "/v2/models/{model_name}/versions/{model_version}/rank",
     .rpc = "Rank",
     .service = kReluService},
    {.method = kGet,
     .path = "/v2/models/{model_name}/activity",
     .rpc = "GetActivity",
     .service = kReluService},
    {.method = kGet,
     .path = "/v2/models/{model_name}/versions/{model_version}/activity",
     .rpc = "GetActivity",
     .service = kReluService},

    {kGet, "/v2", "ServerMetadata"},
    {kGet, "/v2/health/live", "ServerLive"},
    {kGet, "/v2/health/ready", "ServerReady"},
    {kGet, "/v2/models/stats", "ModelStatistics"},
    {kGet, "/v2/models/{name}", "ModelMetadata"},
    {kGet, "/v2/models/{name}/versions/{version}", "ModelMetadata"},
    {kGet, "/v2/models/{name}/ready", "ModelReady"},
    {kGet, "/v2/models/{name}/versions/{version}/ready", "ModelReady"},
    {kGet, "/v2/models/{name}/config", "ModelConfig", {}, "config"},
    {kGet,
     "/v2/models/{name}/versions/{version}/config",
     "ModelConfig",
     {},
     "config"},
    {kGet, "/v2/models/{name}/stats", "ModelStatistics"},
    {kGet, "/v2/models/{name}/versions/{version}/stats", "ModelStatistics"},

    {kPost, "/v2/repository/index", "RepositoryIndex", {}, "models"},
    {kPost,
     "/v2/repository/{repository_name}/index",
     "RepositoryIndex",
     {},
     "models"},
    {kPost,
     "/v2/repository/models/{model_name}/load",
     "RepositoryModelLoad",
     {},
     {},
     true},
    {kPost,
     "/v2/repository/models/{model_name}/unload",
     "RepositoryModelUnload",
     {},
     {},
     true},
    {kPost,
     "/v2/repository/{repository_name}/models/{model_name}/load",
     "RepositoryModelLoad",
     {},
     {},
     true},
    {kPost,
     "/v2/repository/{repository_name}/models/{model_name}/unload",
     "RepositoryModelUnload",
     {},
     {},
     true},

    {kGet, "/v2/trace/setting", "TraceSetting", {}, "settings"},
    {kPost, "/v2/trace/setting", "TraceSetting", "settings", "settings"},
    {kGet,
     "/v2/models/{model_name}/trace/setting",
     "TraceSetting",
     {},
     "settings"},
    {kPost, "/v2/models/{model_name}/trace/setting", "TraceSetting", "settings",
     "settings"},
    {kGet, "/v2/logging", "LogSettings", {}, "settings"},
    {kPost, "/v2/logging", "LogSettings", "settings", "settings"},

    {kGet,
     "/v2/systemsharedmemory/status",
     "SystemSharedMemoryStatus",
     {},
     "regions"},
    {kGet,
     "/v2/systemsharedmemory/region/{name}/status",
     "SystemSharedMemoryStatus",
     {},
     "regions"},
    {kPost, "/v2/systemsharedmemory/region/{name}/register",
     "SystemSharedMemoryRegister"},
    {kPost, "/v2/systemsharedmemory/region/{name}/unregister",
     "SystemSharedMemoryUnregister"},
    {kPost, "/v2/systemsharedmemory/unregister",
     "SystemSharedMemoryUnregister"},
    {kGet,
     "/v2/cudasharedmemory/status",
     "CudaSharedMemoryStatus",
     {},
     "regions"},
    {kGet,
     "/v2/cudasharedmemory/region/{name}/status",
     "CudaSharedMemoryStatus",
     {},
     "regions"},
    {kPost, "/v2/cudasharedmemory/region/{name}/register",
     "CudaSharedMemoryRegister"},
    {kPost, "/v2/cudasharedmemory/region/{name}/unregister",
     "CudaSharedMemoryUnregister"},
    {kPost, "/v2/cudasharedmemory/unregister", "CudaSharedMemoryUnregister"},
};

// Takes the next segment, without its slash, from the front of `path`; nullopt
// at the end.
std::optional<std::string_view> NextSegment(std::string_view& path) {
  if (!path.starts_with('/')) {
    return std::nullopt;
  }
  const std::size_t end = std::min(path.find('/', 1), path.size());
  const std::string_view segment = path.substr(1, end - 1);
  path.remove_prefix(end);
  return segment;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Undoes percent-encoding; nullopt if a '%' is not followed by two digits.
std::optional<std::string> Decode(std::string_view segment) {
  std::string text;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%') {
      text += segment[i];
      continue;
    }
    const int high = i + 2 < segment.size() ? HexDigit(segment[i + 1]) : -1;
    const int low = i + 2 < segment.size() ? HexDigit(segment[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    text += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return text;
}

// Whether `path` is one of those of `pattern`; then `fields` holds its values.
bool MatchesPattern(
    std::string_view pattern, std::string_view path,
    std::vector<std::pair<std::string_view, std::string>>& fields) {
  fields.clear();
  while (true) {
    const std::optional<std::string_view> want = NextSegment(pattern);
    const std::optional<std::string_view> found = NextSegment(path);
    if (!want.has_value() || !found.has_value()) {
      return !want.has_value() && !found.has_value() && path.empty();
    }
    if (!want->starts_with('{')) {
      if (*want != *found) {
        return false;
      }
      continue;
    }
    std::optional<std::string> value = Decode(*found);
    if (!value.has_value() || value->empty() || !IsValidUtf8(*value)) {
      return false;
    }
    fields.emplace_back(want->substr(1, want->size() - 2), *std::move(value));
  }
}

}  // namespace

RestMatch MatchRestRoute(std::string_view method, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view wanted = method == "HEAD" ? kGet : method;
  RestMatch match;
  for (const RestRoute& route : kRoutes) {
    if (!MatchesPattern(route.path, path, match.fields)) {
      continue;
    }
    if (route.method == wanted) {
      match.route = &route;
      return match;
    }
    match.allowed += match.allowed.empty() ? "" : ", ";
    match.allowed += route.method == kGet ? "GET, HEAD" : "POST";
  }
  return match;
}

}  // namespace relu
