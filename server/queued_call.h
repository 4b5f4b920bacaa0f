// QueuedCall: a call of a client as a completion queue sees it.

#ifndef SERVER_QUEUED_CALL_H_
#define SERVER_QUEUED_CALL_H_

namespace relu {

class QueuedCall {
 public:
  enum class Event {
    kArrived,   // A client made the call; not ok: the server stops.
    kRead,      // A message was read; not ok: there are no more.
    kWritten,   // A message went out; not ok: the client is gone.
    kFinished,  // The status went out, or could not.
    kDone,      // The call is over, for whatever reason.
    kWoken,     // Of no call: there is work for this thread.
  };

  // What goes through the completion queue. Owned by its call.
  struct Tag {
    QueuedCall* call;
    Event event;
  };

  // Called on the thread of the call's completion queue.
  virtual void OnEvent(Event event, bool ok) = 0;

 protected:
  ~QueuedCall() = default;
};

}  // namespace relu

#endif  // SERVER_QUEUED_CALL_H_
