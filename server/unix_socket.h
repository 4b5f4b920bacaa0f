// UnixSocket: the file of a listening Unix socket: who may use it, and that it
// goes with the server.

#ifndef SERVER_UNIX_SOCKET_H_
#define SERVER_UNIX_SOCKET_H_

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace relu {

// For one thread.
class UnixSocket {
 public:
  // Removes a socket at `path` that nobody listens on, calls `listen`, which
  // creates it anew, and gives it the permissions `mode`, such as 0600. While
  // `listen` runs, files that the process creates have no more than those
  // permissions. Errors: those of `listen`; UNAVAILABLE if another program
  // listens on the socket; FAILED_PRECONDITION if something else is there, or
  // cannot be removed.
  static absl::StatusOr<std::unique_ptr<UnixSocket>> Listen(
      const std::filesystem::path& path, mode_t mode,
      const std::function<absl::Status()>& listen);

  // For Listen().
  UnixSocket(const std::filesystem::path& path, dev_t device, ino_t inode);

  // Removes the socket, which nobody listens on any more: else it is that of
  // the next server, which may look the same in the file system.
  ~UnixSocket();

  UnixSocket(const UnixSocket&) = delete;
  UnixSocket& operator=(const UnixSocket&) = delete;

 private:
  const std::filesystem::path path_;
  const dev_t device_;
  const ino_t inode_;
};

}  // namespace relu

#endif  // SERVER_UNIX_SOCKET_H_
