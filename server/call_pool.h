// CallPool: the calls of one kind on one completion queue: a number of them
// wait for clients, the others are in use or lie ready.

#ifndef SERVER_CALL_POOL_H_
#define SERVER_CALL_POOL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace relu {

// Calls are kept and used again; none is destroyed before the pool, so pointers
// to them stay valid. `Call::Arm()` makes a call wait for a client. For one
// thread.
template <typename Call>
class CallPool {
 public:
  // Keeps `armed` calls waiting, so that a burst of as many is taken without a
  // round through the queue.
  CallPool(std::size_t armed, std::function<std::unique_ptr<Call>()> make)
      : target_(armed), make_(std::move(make)) {}

  // Arms calls until enough wait, unless it is closed.
  void Arm() {
    while (!closed_ && armed_ < target_) {
      if (idle_.empty()) {
        calls_.push_back(make_());
        idle_.push_back(calls_.back().get());
      }
      Call& call = *idle_.back();
      idle_.pop_back();
      ++armed_;
      call.Arm();
    }
  }

  // A call waits no longer.
  void NoteArrived() {
    --armed_;
    ++in_use_;
  }

  // The server takes no calls any more, as a call that came back without a
  // client tells: none is armed.
  void Close() { closed_ = true; }

  // A call that arrived is over, and no event of it is still to come.
  void Release(Call& call) {
    --in_use_;
    idle_.push_back(&call);
  }

  // Calls that have a client.
  std::size_t in_use() const { return in_use_; }

  // Of each call that there is, in use or not.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const auto& call : calls_) {
      visit(*call);
    }
  }

  // Closed, and no call waits or is in use.
  bool over() const { return closed_ && armed_ == 0 && in_use_ == 0; }

 private:
  const std::size_t target_;
  const std::function<std::unique_ptr<Call>()> make_;
  std::deque<std::unique_ptr<Call>> calls_;
  std::vector<Call*> idle_;
  std::size_t armed_ = 0;
  std::size_t in_use_ = 0;
  bool closed_ = false;
};

}  // namespace relu

#endif  // SERVER_CALL_POOL_H_
