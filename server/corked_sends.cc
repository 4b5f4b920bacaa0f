#include "server/corked_sends.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace relu {
namespace {

struct HeldSends {
  bool active = false;
  std::vector<int> sockets;  // Each that was sent on, once.
};

thread_local HeldSends held_sends;

int HoldSend(int fd, int flags) {
  if (!held_sends.active) {
    return flags;
  }
  if (std::ranges::find(held_sends.sockets, fd) == held_sends.sockets.end()) {
    held_sends.sockets.push_back(fd);
  }
  return flags | MSG_MORE;
}

}  // namespace

CorkedSends::CorkedSends() { held_sends.active = true; }

CorkedSends::~CorkedSends() {
  held_sends.active = false;
  for (const int fd : held_sends.sockets) {
    // Set already; to set it again sends what is held. On a Unix socket, which
    // holds nothing, and on one that was closed meanwhile it fails.
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  held_sends.sockets.clear();
}

}  // namespace relu

// Stands before that of the C library, so that gRPC, which takes no flags from
// us, calls this one. On other threads, and without a CorkedSends, it is the
// same.
extern "C" ssize_t sendmsg(int fd, const msghdr* message, int flags) {
  return syscall(SYS_sendmsg, fd, message, relu::HoldSend(fd, flags));
}
