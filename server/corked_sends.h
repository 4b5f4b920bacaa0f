// CorkedSends: what a thread sends over TCP meanwhile goes out together.

#ifndef SERVER_CORKED_SENDS_H_
#define SERVER_CORKED_SENDS_H_

namespace relu {

// gRPC sends each answer by a system call of its own, which takes the answer
// all the way to the client; it has no way to wait for the next one. As long as
// this object lives, what its thread sends stays in the sockets, and each of
// them is pushed once at the end. For answers of one batch, the second of which
// is ready when the first is: nothing is waited for. One object of a thread at
// a time.
class CorkedSends {
 public:
  CorkedSends();
  ~CorkedSends();

  CorkedSends(const CorkedSends&) = delete;
  CorkedSends& operator=(const CorkedSends&) = delete;
};

}  // namespace relu

#endif  // SERVER_CORKED_SENDS_H_
