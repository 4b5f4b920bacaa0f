// Access: who may call what: groups of RPCs, the tokens that open them, and
// which of them are served at all.

#ifndef SERVER_ACCESS_H_
#define SERVER_ACCESS_H_

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/mutex.h"

namespace relu {

enum class AccessGroup {
  kHealth,     // Is the server, is a model alive and ready?
  kMetadata,   // What the server and its models are, and have done.
  kInference,  // Inference, and the shared memory for it.
  kControl,    // What changes the server: models, logs, traces.
  kMetrics,    // The metrics.
};

// The group of an RPC, by its path, such as
// "/inference.GRPCInferenceService/ModelInfer". An RPC that is not listed is in
// the group that is guarded best: control.
AccessGroup GroupOf(std::string_view rpc_path);

// The files of tokens; empty: none are asked for. A file holds one token a
// line: 16 to 512 of the characters of base64 (both kinds), '.', '~' and '='.
// Empty lines, and lines that begin with '#', are left out.
struct TokenFiles {
  std::filesystem::path inference = {};
  std::filesystem::path control = {};
  std::filesystem::path metrics = {};
};

// Thread-safe.
class AccessTokens {
 public:
  // Errors, which name the file and the line but never a token: those of
  // ReadFile; INVALID_ARGUMENT if a line is no token, or there is none.
  static absl::StatusOr<std::unique_ptr<AccessTokens>> Load(
      const TokenFiles& files);

  // For Load().
  explicit AccessTokens(const TokenFiles& files);

  // Reads the files again. Errors: those of Load(); then nothing changes.
  absl::Status Reload() ABSL_LOCKS_EXCLUDED(mu_);

  // Those that there are.
  std::vector<std::filesystem::path> files() const;

  // Whether a group of tokens has a file. Only kInference, kControl and
  // kMetrics have tokens of their own.
  bool guards(AccessGroup group) const;

  // `authorization` is the field of that name: "Bearer TOKEN". Errors:
  //   UNAUTHENTICATED    it is missing, or has no token that we know
  //   PERMISSION_DENIED  its token opens other groups
  absl::Status Check(AccessGroup group, std::string_view authorization) const
      ABSL_LOCKS_EXCLUDED(mu_);

 private:
  static constexpr std::size_t kGroups = 3;
  using TokenLists = std::array<std::vector<std::string>, kGroups>;

  const std::array<std::filesystem::path, kGroups> files_;
  mutable Mutex mu_;
  std::shared_ptr<const TokenLists> tokens_ ABSL_GUARDED_BY(mu_);
};

// What is answered without a token, although inference asks for one.
enum class OpenGroups { kNone, kHealth, kMetadata };  // Each with those before.

// The rules of one listener. Immutable, so thread-safe.
class Access {
 public:
  // `tokens` outlives it.
  Access(const AccessTokens& tokens, OpenGroups open, bool allow_control);

  // Everybody may call the group: Check() need not be asked.
  bool open(AccessGroup group) const {
    return open_[static_cast<std::size_t>(group)];
  }

  // Errors: those of AccessTokens::Check; PERMISSION_DENIED if the group is not
  // served here.
  absl::Status Check(AccessGroup group, std::string_view authorization) const;

 private:
  AccessGroup TokensFor(AccessGroup group) const;

  const AccessTokens& tokens_;
  const OpenGroups open_groups_;
  const bool allow_control_;
  std::array<bool, 5> open_{};  // By group.
};

}  // namespace relu

#endif  // SERVER_ACCESS_H_
