#include "server/security.h"

#include <chrono>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "server/access.h"
#include "server/file_watch.h"
#include "server/http/tls_context.h"
#include "server/log.h"

namespace relu {
namespace {

// Between two looks at the files.
constexpr std::chrono::seconds kInterval{1};

void LogReload(std::string_view what, const absl::Status& status) {
  if (status.ok()) {
    Log(LogLevel::kInfo, fmt::format("{} were read again", what));
  } else {
    Log(LogLevel::kWarning,
        fmt::format("{} stay as they were: {}", what,
                    std::string_view(status.message().data(),
                                     status.message().size())));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Security>> Security::Load(
    const TlsFiles& tls, const TokenFiles& tokens) {
  std::unique_ptr<TlsContext> context;
  if (!tls.certificate.empty()) {
    ASSIGN_OR_RETURN(context, TlsContext::Load(tls));
  }
  ASSIGN_OR_RETURN(auto access, AccessTokens::Load(tokens));
  return std::make_unique<Security>(std::move(context), std::move(access));
}

Security::Security(std::unique_ptr<TlsContext> tls,
                   std::unique_ptr<AccessTokens> tokens)
    : tls_(std::move(tls)), tokens_(std::move(tokens)) {
  std::vector<FileWatch::Watched> watched;
  if (tls_ != nullptr) {
    const TlsFiles& files = tls_->files();
    watched.push_back(
        {.files = {files.certificate, files.key, files.client_ca},
         .changed = [this] { LogReload("certificates", tls_->Reload()); }});
  }
  if (!tokens_->files().empty()) {
    watched.push_back({.files = tokens_->files(), .changed = [this] {
                         LogReload("tokens", tokens_->Reload());
                       }});
  }
  if (!watched.empty()) {
    watch_ = std::make_unique<FileWatch>(std::move(watched), kInterval);
  }
}

}  // namespace relu
