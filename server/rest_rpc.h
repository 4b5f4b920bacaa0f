// RPCs over REST: from the path and the JSON of a request to the RPC, and from
// the message that it answers with to JSON.

#ifndef SERVER_REST_RPC_H_
#define SERVER_REST_RPC_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "server/http/http_message.h"
#include "server/rest_routes.h"
#include "server/rpc_table.h"

namespace relu {

// "/inference.GRPCInferenceService/ServerLive"
std::string RpcPath(const RestRoute& route);

// Calls any RPC but ModelInfer. `match` has a route. `done` gets the answer,
// exactly once: in this call, or, if the RPC takes its time, later and on any
// thread; what is returned, if not empty, says that nobody waits for it. The
// answer to a question of health that is no has the HTTP status 400, as
// Triton's. Errors: those of the RPC; INVALID_ARGUMENT if the body is not JSON
// of the right form; UNIMPLEMENTED if there is no such RPC.
Rpc::Cancel CallRpc(const RpcTable& rpcs, const RestMatch& match,
                    std::string_view body, const Rpc::Caller& caller,
                    std::function<void(absl::StatusOr<HttpResponse>)> done);

}  // namespace relu

#endif  // SERVER_REST_RPC_H_
