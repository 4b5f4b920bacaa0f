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

// Tells in the log how it went to read `what` again; a failure that repeats,
// once.
class ReloadLog {
 public:
  explicit ReloadLog(std::string_view what) : what_(what) {}

  // Whether it was read.
  bool operator()(const absl::Status& status) {
    if (status.ok()) {
      Log(LogLevel::kInfo, fmt::format("{} were read again", what_));
    } else if (status != last_) {
      Log(LogLevel::kWarning,
          fmt::format("{} stay as they were: {}", what_,
                      std::string_view(status.message().data(),
                                       status.message().size())));
    }
    last_ = status;
    return status.ok();
  }

 private:
  std::string_view what_;
  absl::Status last_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Security>> Security::Load(
    const TlsFiles& tls, const TokenFiles& tokens) {
  // Files are looked at before they are read: no change is missed.
  std::vector<FileWatch::Watched> watched;
  std::unique_ptr<TlsContext> context;
  if (!tls.certificate.empty()) {
    FileWatch::Watched files = {
        .files = {tls.certificate, tls.key, tls.client_ca}, .read = {}};
    ASSIGN_OR_RETURN(context, TlsContext::Load(tls));
    files.read = [read = context.get(),
                  log = ReloadLog("certificates")]() mutable {
      return log(read->Reload());
    };
    watched.push_back(std::move(files));
  }
  auto access = std::make_unique<AccessTokens>(tokens);
  if (!access->files().empty()) {
    watched.push_back(
        {.files = access->files(),
         .read = [read = access.get(), log = ReloadLog("tokens")]() mutable {
           return log(read->Reload());
         }});
    RETURN_IF_ERROR(access->Reload());
  }
  return std::make_unique<Security>(std::move(context), std::move(access),
                                    std::move(watched));
}

Security::Security(std::unique_ptr<TlsContext> tls,
                   std::unique_ptr<AccessTokens> tokens,
                   std::vector<FileWatch::Watched> watched)
    : tls_(std::move(tls)), tokens_(std::move(tokens)) {
  if (!watched.empty()) {
    watch_ = std::make_unique<FileWatch>(std::move(watched), kInterval);
  }
}

}  // namespace relu
