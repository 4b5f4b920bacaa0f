#include "core/batching/timekeeper.h"

#include "core/batching/dispatcher.h"

namespace relu {

Timekeeper::Timekeeper(Dispatcher& dispatcher)
    : dispatcher_(dispatcher), thread_([this] { dispatcher_.KeepTime(); }) {}

Timekeeper::~Timekeeper() {
  dispatcher_.StopTime();
  thread_.join();
}

}  // namespace relu
