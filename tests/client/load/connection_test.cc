// How connections fail; calls on them are tested by network_transport_test.cc.
#include "client/load/connection.h"

#include <poll.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

#include "client/load/call.h"
#include "client/load/request.h"
#include "client/load/socket.h"
#include "tests/client/load/http2_server.h"

namespace relu::load {
namespace {

void WaitUntilWritable(const Connection& connection) {
  pollfd ready{.fd = connection.descriptor(), .events = POLLOUT, .revents = 0};
  EXPECT_EQ(poll(&ready, 1, /*timeout=*/10'000), 1);
}

TEST(ConnectionTest, ClosingEndsEveryCallInFlight) {
  Http2Server server([](const Http2Request&) {
    return Http2Answer{.delay = std::chrono::hours(1), .body = {}};
  });
  for (const int streams : {0, 2}) {
    const CallForm form{.headers = {}, .streams = streams};
    Connection connection(form);
    ASSERT_TRUE(
        connection.Open(ResolveTarget(server.address()).value()[0]).ok());
    EXPECT_FALSE(connection.ready());
    WaitUntilWritable(connection);
    ASSERT_TRUE(connection.FinishOpen().ok());
    EXPECT_TRUE(connection.ready());
    const Request request{.message = std::string(30, '\0')};
    std::vector<Call> calls(3);
    std::vector<Call*> over;
    for (Call& call : calls) {
      call.request = &request;
      ASSERT_TRUE(connection.Start(call));
    }
    const TimePoint now(std::chrono::seconds(5));
    ASSERT_TRUE(connection.Write(now, over).ok());
    EXPECT_TRUE(over.empty());
    connection.Close(absl::UnavailableError("gone"), now, over);
    EXPECT_EQ(over.size(), 3U);
    for (const Call& call : calls) {
      EXPECT_EQ(call.code, absl::StatusCode::kUnavailable);
      EXPECT_EQ(call.error, "gone");
      EXPECT_EQ(call.sent, now);
      EXPECT_EQ(call.answered, now);
    }
    EXPECT_FALSE(connection.ready());
  }
}

TEST(ConnectionTest, OpenFailsWhereNobodyListens) {
  const CallForm form;
  Connection connection(form);
  const auto addresses = ResolveTarget("unix:/nonexistent/relud.sock").value();
  EXPECT_EQ(connection.Open(addresses[0]).code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace relu::load
