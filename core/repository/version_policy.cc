#include "core/repository/version_policy.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"

#include "core/base/utf8.h"
#include "fmt/format.h"
#include "proto/model_config.pb.h"

namespace relu {
namespace {

constexpr std::size_t kMaxLabelBytes = 64;

bool IsLabel(std::string_view text) {
  const auto may_follow = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= kMaxLabelBytes &&
         absl::ascii_isalpha(static_cast<unsigned char>(text.front())) &&
         std::ranges::all_of(text, may_follow);
}

}  // namespace

std::int64_t ParseVersion(std::string_view text) {
  std::int64_t version = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, version);
  return error == std::errc() && rest == end && version > 0 ? version : 0;
}

std::vector<std::int64_t> SelectVersions(
    const VersionPolicy& policy, const std::vector<std::int64_t>& available) {
  switch (policy.kind) {
    case VersionPolicy::Kind::kAll:
      return available;
    case VersionPolicy::Kind::kSpecific:
      return policy.specific;
    case VersionPolicy::Kind::kLatest:
      break;
  }
  const std::size_t count =
      std::min<std::size_t>(policy.latest, available.size());
  return {available.end() - static_cast<std::ptrdiff_t>(count),
          available.end()};
}

absl::StatusOr<VersionPolicy> ReadVersionPolicy(
    const inference::ModelVersionPolicy& message) {
  VersionPolicy policy;
  if (message.has_all()) {
    policy.kind = VersionPolicy::Kind::kAll;
  } else if (message.has_specific()) {
    policy.kind = VersionPolicy::Kind::kSpecific;
    const auto& versions = message.specific().versions();
    policy.specific.assign(versions.begin(), versions.end());
    std::ranges::sort(policy.specific);
    // clang 14 cannot compile std::ranges::unique() of this library.
    policy.specific.erase(
        std::unique(policy.specific.begin(), policy.specific.end()),
        policy.specific.end());
    if (policy.specific.empty() || policy.specific.front() < 1) {
      return absl::InvalidArgumentError(
          policy.specific.empty()
              ? std::string("version_policy.specific names no version")
              : fmt::format("version_policy.specific names version {}, wanted "
                            "a positive integer",
                            policy.specific.front()));
    }
  } else if (message.latest().num_versions() > 0) {
    policy.latest = message.latest().num_versions();
  }
  return policy;
}

absl::Status ReadVersionLabel(std::string_view key, std::string_view value,
                              VersionLabels& labels) {
  const std::string_view label = key.substr(kVersionLabelPrefix.size());
  if (!IsLabel(label)) {
    return absl::InvalidArgumentError(fmt::format(
        "parameters \"{}\": wanted a label of 1 to {} letters, digits and "
        "\"_-.\" that begins with a letter",
        ClipUtf8(key, 2 * kMaxLabelBytes), kMaxLabelBytes));
  }
  const std::int64_t version = ParseVersion(value);
  if (version == 0) {
    return absl::InvalidArgumentError(
        fmt::format("parameters \"{}\" is \"{}\", wanted a version: a positive "
                    "integer",
                    key, ClipUtf8(value, kMaxLabelBytes)));
  }
  labels[std::string(label)] = version;
  return absl::OkStatus();
}

}  // namespace relu
