#include "core/repository/model_catalog.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

#include "core/base/utf8.h"
#include "core/repository/version_policy.h"
#include "fmt/format.h"

namespace relu {
namespace {

// Of texts that clients sent, in messages: gRPC bounds the size of an error.
constexpr std::size_t kMaxQuotedBytes = 256;

// The words with which Triton says that a request cannot be served.
std::string UnknownModel(std::string_view name) {
  return fmt::format("Request for unknown model: '{}'",
                     ClipUtf8(name, kMaxQuotedBytes));
}

// The version that `text` names, by number or by label; 0: none.
std::int64_t WantedVersion(const CatalogEntry& entry, std::string_view text) {
  const std::int64_t number = ParseVersion(text);
  if (number > 0) {
    return number;
  }
  const auto label = entry.labels.find(text);
  return label == entry.labels.end() ? 0 : label->second;
}

// "version 3 is served", "versions 3, 12 are served"
std::string ServedText(const CatalogEntry& entry) {
  std::string numbers;
  for (const std::shared_ptr<Model>& model : entry.served) {
    numbers +=
        fmt::format("{}{}", numbers.empty() ? "" : ", ", model->version());
  }
  if (numbers.empty()) {
    return "no version is served";
  }
  return entry.served.size() == 1
             ? fmt::format("version {} is served", numbers)
             : fmt::format("versions {} are served", numbers);
}

std::string Reason(const ModelState& state) {
  switch (state.state) {
    case VersionState::kNotLoaded:
      return "it is not loaded";
    case VersionState::kUnloaded:
      return "it was unloaded";
    case VersionState::kLoading:
      return "it is being loaded";
    case VersionState::kReady:
    case VersionState::kUnavailable:
      break;
  }
  return state.reason;
}

}  // namespace

std::string_view VersionStateName(VersionState state) {
  switch (state) {
    case VersionState::kNotLoaded:
      break;
    case VersionState::kLoading:
      return "LOADING";
    case VersionState::kReady:
      return "READY";
    case VersionState::kUnloaded:
    case VersionState::kUnavailable:
      return "UNAVAILABLE";
  }
  return "";
}

std::shared_ptr<Model> ModelCatalog::Find(std::string_view name,
                                          std::string_view version) const {
  const auto found = entries_.find(name);
  if (found == entries_.end() || found->second->served.empty()) {
    return nullptr;
  }
  const CatalogEntry& entry = *found->second;
  if (version.empty()) {
    return entry.served.back();
  }
  const std::int64_t wanted = WantedVersion(entry, version);
  const auto model =
      std::ranges::lower_bound(entry.served, wanted, {}, &Model::version);
  return model != entry.served.end() && (*model)->version() == wanted ? *model
                                                                      : nullptr;
}

absl::Status ModelCatalog::WhyNot(std::string_view name,
                                  std::string_view version) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    return absl::NotFoundError(UnknownModel(name) + " is not found");
  }
  const CatalogEntry& entry = *found->second;
  const std::int64_t wanted =
      version.empty() ? 0 : WantedVersion(entry, version);
  if (!version.empty() && wanted == 0) {
    return absl::InvalidArgumentError(fmt::format(
        "model '{}': version '{}' is neither a positive integer below 2^63 nor "
        "a label of the model",
        ClipUtf8(name, kMaxQuotedBytes), ClipUtf8(version, kMaxQuotedBytes)));
  }
  // Of what is not served the last says why: of the highest version.
  const ModelState* state = &entry.states.back();
  if (wanted > 0) {
    const auto of_version =
        std::ranges::find(entry.states, wanted, &ModelState::version);
    if (of_version != entry.states.end()) {
      state = &*of_version;
    } else if (state->version != 0) {
      return absl::NotFoundError(fmt::format("{} version {} is not found: {}",
                                             UnknownModel(name), wanted,
                                             ServedText(entry)));
    }
  }
  return absl::UnavailableError(
      fmt::format("{} is not ready: {}", UnknownModel(name), Reason(*state)));
}

bool ModelCatalog::ready() const {
  return std::ranges::all_of(entries_, [](const auto& item) {
    return !item.second->wanted || !item.second->served.empty();
  });
}

}  // namespace relu
