#include "client/serving_channel.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <string>

#include "gtest/gtest.h"

#include "client/call_queue.h"
#include "client/channels.h"
#include "core/base/check.h"
#include "fmt/format.h"
#include "tests/client/fake_server.h"

namespace relu {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;
constexpr system_clock::time_point kNever = system_clock::time_point::max();

// An event that a test waits for.
class Awaited final : public QueueEvent {
 public:
  void OnEvent(bool ok) override { promise_.set_value(ok); }
  bool Get() { return promise_.get_future().get(); }

 private:
  std::promise<bool> promise_;
};

// Takes connections of the loopback, and never says a word.
class SilentListener {
 public:
  SilentListener() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof(address);
    CHECK(bind(socket_, generic, size) == 0 && listen(socket_, 8) == 0 &&
          getsockname(socket_, generic, &size) == 0);
    address_ = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
  }
  ~SilentListener() { close(socket_); }
  SilentListener(const SilentListener&) = delete;
  SilentListener& operator=(const SilentListener&) = delete;

  const std::string& address() const { return address_; }

 private:
  const int socket_;
  std::string address_;
};

TEST(ServingChannelTest, ChoosesServersThatServe) {
  const FakeServer server;
  const auto channels = Channels::Open(server.address(), {}).value();
  ServingChannel& channel = channels->Next();
  EXPECT_EQ(channel.Choose(), channel.any());  // Nothing is known yet.
  channel.AwaitHealth(kNever);
  EXPECT_NE(channel.Choose(), channel.any());
}

TEST(ServingChannelTest, ChoosesAnyWhileNoneServes) {
  FakeServer server;
  server.SetServing("", false);
  const auto channels = Channels::Open(server.address(), {}).value();
  ServingChannel& channel = channels->Next();
  channel.AwaitHealth(kNever);
  EXPECT_EQ(channel.Choose(), channel.any());
}

TEST(ServingChannelTest, ChoosesAnyWhenHealthDoesNotMatter) {
  const FakeServer server;
  const auto channels =
      Channels::Open(server.address(), {.balancing = {.health_checks = false}})
          .value();
  ServingChannel& channel = channels->Next();
  channel.AwaitHealth(kNever);
  EXPECT_EQ(channel.Choose(), channel.any());
}

TEST(ServingChannelTest, HealthIsKnownWhenNobodyListens) {
  const std::string address = FakeServer().address();
  const auto channels = Channels::Open(address, {}).value();
  channels->Next().AwaitHealth(kNever);
  CallQueue queue;
  Awaited event;
  EXPECT_TRUE(channels->Next().HealthIsKnown(kNever, queue, event));
}

TEST(ServingChannelTest, EventTellsWhenToAskAgain) {
  const FakeServer server;
  const auto channels = Channels::Open(server.address(), {}).value();
  ServingChannel& channel = channels->Next();
  CallQueue queue;
  bool known = false;
  while (!known) {
    Awaited event;
    known = channel.HealthIsKnown(kNever, queue, event);
    EXPECT_TRUE(known || event.Get());
  }
  EXPECT_NE(channel.Choose(), channel.any());
}

TEST(ServingChannelTest, WaitsNoLongerThanItMay) {
  const SilentListener peer;
  const auto channels =
      Channels::Open(peer.address(),
                     {.max_reconnect_backoff = std::chrono::hours(1)})
          .value();
  ServingChannel& channel = channels->Next();
  channel.AwaitHealth(system_clock::now() + milliseconds(20));
  CallQueue queue;
  bool in_time = true;
  while (in_time) {
    Awaited event;
    ASSERT_FALSE(channel.HealthIsKnown(system_clock::now() + milliseconds(20),
                                       queue, event));
    in_time = event.Get();
  }
}

}  // namespace
}  // namespace relu
