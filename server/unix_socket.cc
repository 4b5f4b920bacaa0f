#include "server/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr mode_t kAllPermissions = 0777;

// Whether a program accepts connections, or may: 0 or the errno of connect().
int ConnectError(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int result =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int error = result == 0 ? 0 : errno;
  close(fd);
  return error;
}

// Makes room at `path`.
absl::Status RemoveStale(const std::filesystem::path& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    return absl::OkStatus();  // Or it cannot be reached: listening says why.
  }
  if (!S_ISSOCK(found.st_mode)) {
    return absl::FailedPreconditionError(fmt::format(
        "{}: expected a path for a Unix socket, found something else there",
        path.string()));
  }
  if (ConnectError(path) != ECONNREFUSED) {
    return absl::UnavailableError(fmt::format(
        "{}: another program listens on this Unix socket", path.string()));
  }
  if (unlink(path.c_str()) != 0) {
    return absl::FailedPreconditionError(
        fmt::format("{}: a socket that nobody listens on cannot be removed: {}",
                    path.string(), std::strerror(errno)));
  }
  return absl::OkStatus();
}

// What the process creates meanwhile has no more permissions than `mode`.
class NarrowUmask {
 public:
  explicit NarrowUmask(mode_t mode) : before_(umask(kAllPermissions & ~mode)) {}
  ~NarrowUmask() { umask(before_); }
  NarrowUmask(const NarrowUmask&) = delete;
  NarrowUmask& operator=(const NarrowUmask&) = delete;

 private:
  const mode_t before_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<UnixSocket>> UnixSocket::Listen(
    const std::filesystem::path& path, mode_t mode,
    const std::function<absl::Status()>& listen) {
  constexpr std::size_t kMaxPathBytes = sizeof(sockaddr_un::sun_path) - 1;
  if (path.native().size() > kMaxPathBytes) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} bytes, the path of a Unix socket has at most {}",
                    path.string(), path.native().size(), kMaxPathBytes));
  }
  RETURN_IF_ERROR(RemoveStale(path));
  {
    const NarrowUmask narrow(mode);
    RETURN_IF_ERROR(listen());
  }
  struct stat made {};
  if (chmod(path.c_str(), mode) != 0 || lstat(path.c_str(), &made) != 0) {
    return absl::UnavailableError(
        fmt::format("{}: the Unix socket cannot be given its permissions: {}",
                    path.string(), std::strerror(errno)));
  }
  return std::make_unique<UnixSocket>(path, made.st_dev, made.st_ino);
}

UnixSocket::UnixSocket(const std::filesystem::path& path, dev_t device,
                       ino_t inode)
    : path_(path), device_(device), inode_(inode) {}

UnixSocket::~UnixSocket() {
  struct stat found {};
  if (lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ &&
      found.st_ino == inode_ && ConnectError(path_) == ECONNREFUSED) {
    unlink(path_.c_str());
  }
}

}  // namespace relu
