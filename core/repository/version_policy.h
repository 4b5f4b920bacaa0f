// VersionPolicy: which versions of a model are served, and what else than their
// numbers they are called.

#ifndef CORE_REPOSITORY_VERSION_POLICY_H_
#define CORE_REPOSITORY_VERSION_POLICY_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace inference {
class ModelVersionPolicy;
}  // namespace inference

namespace relu {

// The default is that of a model without configuration.
struct VersionPolicy {
  enum class Kind : std::uint8_t { kLatest, kAll, kSpecific };

  Kind kind = Kind::kLatest;
  std::uint32_t latest = 1;            // kLatest: how many, 1 or more.
  std::vector<std::int64_t> specific;  // kSpecific: ascending, at least one.
};

// The version of each label.
using VersionLabels = std::map<std::string, std::int64_t, std::less<>>;

// A positive integer in decimal digits, or 0 if `text` is none.
std::int64_t ParseVersion(std::string_view text);

// The versions to serve, ascending, of those that there are, also ascending.
// With kSpecific also those that are not there.
std::vector<std::int64_t> SelectVersions(
    const VersionPolicy& policy, const std::vector<std::int64_t>& available);

// The version_policy of config.pbtxt. INVALID_ARGUMENT if it names no version,
// or one that is not positive.
absl::StatusOr<VersionPolicy> ReadVersionPolicy(
    const inference::ModelVersionPolicy& message);

// The parameter "version_label.<label>" of config.pbtxt begins with this.
inline constexpr std::string_view kVersionLabelPrefix = "version_label.";

// Adds the label of the parameter `key`, which begins with kVersionLabelPrefix.
// INVALID_ARGUMENT if the label is not 1 to 64 letters, digits and "_-." that
// begin with a letter, so that no number is one, or if `value` is no version.
absl::Status ReadVersionLabel(std::string_view key, std::string_view value,
                              VersionLabels& labels);

}  // namespace relu

#endif  // CORE_REPOSITORY_VERSION_POLICY_H_
