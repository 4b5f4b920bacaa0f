// The paths of the V2 REST API and of our own, and the RPC that each stands
// for.

#ifndef SERVER_REST_ROUTES_H_
#define SERVER_REST_ROUTES_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relu {

struct RestRoute {
  std::string_view method;  // GET (and HEAD), or POST.
  // "{name}" stands for one segment, which is the value of the field `name` of
  // the request message.
  std::string_view path;
  std::string_view rpc;
  // The field of the request, and that of the response, that a body stands for;
  // empty: the message.
  std::string_view request_field = {};
  std::string_view response_field = {};
  // Success is all there is to say: the answer is {}. What the message holds is
  // for KServe's clients of gRPC.
  bool says_nothing = false;
  // That has the RPC.
  std::string_view service = "inference.GRPCInferenceService";
};

// What a method and a target lead to.
struct RestMatch {
  const RestRoute* route = nullptr;  // For ever valid. nullptr: none.
  // The fields that the path sets, with their values, decoded.
  std::vector<std::pair<std::string_view, std::string>> fields = {};
  // If there is no route: the methods of this path, such as "GET, HEAD"; empty
  // if there is no such path.
  std::string allowed = {};
};

// `target` is the path as sent, with a query or without: the query is ignored.
RestMatch MatchRestRoute(std::string_view method, std::string_view target);

}  // namespace relu

#endif  // SERVER_REST_ROUTES_H_
