#include "server/access.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/file.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
// Fewer characters could be guessed.
constexpr std::size_t kMinTokenBytes = 16;
constexpr std::size_t kMaxTokenBytes = 512;
// All are compared at each call, for microseconds.
constexpr std::size_t kMaxTokens = 64;

constexpr std::string_view kTokenCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";

constexpr std::array<AccessGroup, 5> kAllGroups = {
    AccessGroup::kHealth, AccessGroup::kMetadata, AccessGroup::kInference,
    AccessGroup::kControl, AccessGroup::kMetrics};

// Of the groups that have tokens of their own, in the order of their files.
constexpr std::array<std::pair<AccessGroup, std::string_view>, 3> kTokenGroups =
    {{{AccessGroup::kInference, "inference"},
      {AccessGroup::kControl, "control"},
      {AccessGroup::kMetrics, "metrics"}}};

std::size_t TokenIndex(AccessGroup group) {
  return static_cast<std::size_t>(
      std::ranges::find(kTokenGroups, group,
                        &std::pair<AccessGroup, std::string_view>::first) -
      kTokenGroups.begin());
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

absl::StatusOr<std::vector<std::string>> ReadTokens(
    const std::filesystem::path& file) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(file, kMaxFileBytes));
  std::vector<std::string> tokens;
  std::string_view rest = text;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t size = std::min(rest.find('\n'), rest.size());
    const std::string_view line = Trim(rest.substr(0, size));
    rest.remove_prefix(std::min(size + 1, rest.size()));
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    if (line.size() < kMinTokenBytes || line.size() > kMaxTokenBytes ||
        line.find_first_not_of(kTokenCharacters) != std::string_view::npos) {
      return absl::InvalidArgumentError(fmt::format(
          "{}: line {}: {} characters that are no token, expected {} to {} of "
          "letters, digits and -._~+/=",
          file.string(), number, line.size(), kMinTokenBytes, kMaxTokenBytes));
    }
    tokens.emplace_back(line);
  }
  if (tokens.empty() || tokens.size() > kMaxTokens) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} tokens, expected 1 to {}, one a line",
                    file.string(), tokens.size(), kMaxTokens));
  }
  return tokens;
}

// The token of "Bearer TOKEN"; empty if it is something else.
std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  const bool bearer =
      authorization.size() > kScheme.size() &&
      std::ranges::equal(
          authorization.substr(0, kScheme.size()), kScheme,
          [](char found, char want) { return (found | 0x20) == want; });
  return bearer ? Trim(authorization.substr(kScheme.size()))
                : std::string_view();
}

// Takes the same time whichever byte differs and wherever the token stands. How
// long our tokens are, and how many, is no secret.
bool Contains(const std::vector<std::string>& tokens, std::string_view token) {
  bool found = false;
  for (const std::string& known : tokens) {
    if (known.size() == token.size()) {
      found |= CRYPTO_memcmp(known.data(), token.data(), token.size()) == 0;
    }
  }
  return found;
}

}  // namespace

AccessGroup GroupOf(std::string_view rpc_path) {
  struct Entry {
    std::string_view path;
    AccessGroup group;
  };
  static constexpr Entry kEntries[] = {
      {"/grpc.health.v1.Health/Check", AccessGroup::kHealth},
      {"/grpc.health.v1.Health/Watch", AccessGroup::kHealth},
      {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
       AccessGroup::kMetadata},
      {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
       AccessGroup::kMetadata},
      {"/relu.v1.ReluService/Explain", AccessGroup::kInference},
      {"/relu.v1.ReluService/Rank", AccessGroup::kInference},
      {"/relu.v1.ReluService/GetActivity", AccessGroup::kInference},
      {"ServerLive", AccessGroup::kHealth},
      {"ServerReady", AccessGroup::kHealth},
      {"ModelReady", AccessGroup::kHealth},
      {"ServerMetadata", AccessGroup::kMetadata},
      {"ModelMetadata", AccessGroup::kMetadata},
      {"ModelConfig", AccessGroup::kMetadata},
      {"ModelStatistics", AccessGroup::kMetadata},
      {"RepositoryIndex", AccessGroup::kMetadata},
      {"ModelInfer", AccessGroup::kInference},
      {"ModelStreamInfer", AccessGroup::kInference},
      // Off unless the operator allows it; then who infers needs it.
      {"SystemSharedMemoryStatus", AccessGroup::kInference},
      {"SystemSharedMemoryRegister", AccessGroup::kInference},
      {"SystemSharedMemoryUnregister", AccessGroup::kInference},
      {"CudaSharedMemoryStatus", AccessGroup::kInference},
      {"CudaSharedMemoryRegister", AccessGroup::kInference},
      {"CudaSharedMemoryUnregister", AccessGroup::kInference},
      {"RepositoryModelLoad", AccessGroup::kControl},
      {"RepositoryModelUnload", AccessGroup::kControl},
      {"TraceSetting", AccessGroup::kControl},
      {"LogSettings", AccessGroup::kControl},
  };
  constexpr std::string_view kV2 = "/inference.GRPCInferenceService/";
  const std::string_view name =
      rpc_path.starts_with(kV2) ? rpc_path.substr(kV2.size()) : rpc_path;
  const Entry* const entry = std::ranges::find(kEntries, name, &Entry::path);
  return entry == std::end(kEntries) ? AccessGroup::kControl : entry->group;
}

absl::StatusOr<std::unique_ptr<AccessTokens>> AccessTokens::Load(
    const TokenFiles& files) {
  auto tokens = std::make_unique<AccessTokens>(files);
  RETURN_IF_ERROR(tokens->Reload());
  return tokens;
}

AccessTokens::AccessTokens(const TokenFiles& files)
    : files_{files.inference, files.control, files.metrics},
      tokens_(std::make_shared<const TokenLists>()) {}

absl::Status AccessTokens::Reload() {
  auto lists = std::make_shared<TokenLists>();
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (!files_[i].empty()) {
      ASSIGN_OR_RETURN((*lists)[i], ReadTokens(files_[i]));
    }
  }
  const MutexLock lock(mu_);
  tokens_ = std::move(lists);
  return absl::OkStatus();
}

std::vector<std::filesystem::path> AccessTokens::files() const {
  std::vector<std::filesystem::path> files;
  for (const auto& file : files_) {
    if (!file.empty()) {
      files.push_back(file);
    }
  }
  return files;
}

bool AccessTokens::guards(AccessGroup group) const {
  return !files_[TokenIndex(group)].empty();
}

absl::Status AccessTokens::Check(AccessGroup group,
                                 std::string_view authorization) const {
  std::shared_ptr<const TokenLists> lists;
  {
    const MutexLock lock(mu_);
    lists = tokens_;
  }
  const std::size_t index = TokenIndex(group);
  const std::string_view token = BearerToken(authorization);
  bool known = false;
  for (std::size_t i = 0; i < kGroups; ++i) {
    const bool found = Contains((*lists)[i], token);
    if (found && i == index) {
      return absl::OkStatus();
    }
    known |= found;
  }
  const std::string_view name = kTokenGroups[index].second;
  return known ? absl::PermissionDeniedError(fmt::format(
                     "the token is not one for {}: expected one that is", name))
               : absl::UnauthenticatedError(
                     fmt::format("{} token: expected 'Authorization: Bearer "
                                 "TOKEN' with a token for {}",
                                 token.empty() ? "no" : "unknown", name));
}

Access::Access(const AccessTokens& tokens, OpenGroups open, bool allow_control)
    : tokens_(tokens), open_groups_(open), allow_control_(allow_control) {
  for (const AccessGroup group : kAllGroups) {
    const bool served = group != AccessGroup::kControl || allow_control;
    const bool opened =
        (group == AccessGroup::kHealth && open != OpenGroups::kNone) ||
        (group == AccessGroup::kMetadata && open == OpenGroups::kMetadata);
    open_[static_cast<std::size_t>(group)] =
        served && (opened || !tokens.guards(TokensFor(group)));
  }
}

absl::Status Access::Check(AccessGroup group,
                           std::string_view authorization) const {
  if (open(group)) {
    return absl::OkStatus();
  }
  if (group == AccessGroup::kControl && !allow_control_) {
    return absl::PermissionDeniedError(
        "what changes the server is off here: relud takes it with "
        "--allow-control=true, or on the ports of --control-grpc-port and "
        "--control-http-port");
  }
  return tokens_.Check(TokensFor(group), authorization);
}

AccessGroup Access::TokensFor(AccessGroup group) const {
  return group == AccessGroup::kHealth || group == AccessGroup::kMetadata
             ? AccessGroup::kInference
             : group;
}

}  // namespace relu
