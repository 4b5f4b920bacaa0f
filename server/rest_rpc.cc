#include "server/rest_rpc.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"
#include "server/http/http_message.h"
#include "server/json_message.h"
#include "server/rest_routes.h"
#include "server/rpc_table.h"

namespace relu {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kBadRequest = 400;

const google::protobuf::MethodDescriptor& Method(const RestRoute& route) {
  const auto* const method =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(
          fmt::format("{}.{}", route.service, route.rpc));
  CHECK(method != nullptr);
  return *method;
}

std::unique_ptr<Message> NewMessage(const Descriptor& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()
          ->GetPrototype(&type)
          ->New());
}

const FieldDescriptor& Field(const Message& message, std::string_view name) {
  const FieldDescriptor* const field =
      message.GetDescriptor()->FindFieldByName(std::string(name));
  CHECK(field != nullptr);  // The routes name fields that there are.
  return *field;
}

absl::Status FillRequest(const RestMatch& match, std::string_view body,
                         Message& request) {
  const std::string_view field = match.route->request_field;
  RETURN_IF_ERROR(field.empty()
                      ? JsonToMessage(body, request)
                      : JsonToField(body, Field(request, field), request));
  // The path wins over the body.
  for (const auto& [name, value] : match.fields) {
    request.GetReflection()->SetString(&request, &Field(request, name), value);
  }
  return absl::OkStatus();
}

// Whether an answer, if it is one of health, says no.
bool SaysNo(const Message& response) {
  for (const char* name : {"live", "ready"}) {
    const FieldDescriptor* const field =
        response.GetDescriptor()->FindFieldByName(name);
    if (field != nullptr) {
      return !response.GetReflection()->GetBool(response, field);
    }
  }
  return false;
}

// The message `bytes` that the RPC of `route` has answered with.
HttpResponse ToHttp(const RestRoute& route, const std::string& bytes) {
  const std::unique_ptr<Message> response =
      NewMessage(*Method(route).output_type());
  CHECK(response->ParseFromString(bytes));
  HttpResponse answer;
  if (SaysNo(*response)) {
    answer.status = kBadRequest;
  }
  const std::string_view field = route.response_field;
  if (route.says_nothing) {
    answer.body = "{}";
  } else if (field.empty()) {
    MessageToJson(*response, answer.body);
  } else {
    FieldToJson(*response, Field(*response, field), answer.body);
  }
  return answer;
}

}  // namespace

std::string RpcPath(const RestRoute& route) {
  return fmt::format("/{}/{}", route.service, route.rpc);
}

Rpc::Cancel CallRpc(const RpcTable& rpcs, const RestMatch& match,
                    std::string_view body, const Rpc::Caller& caller,
                    std::function<void(absl::StatusOr<HttpResponse>)> done) {
  const RestRoute& route = *match.route;
  const absl::StatusOr<const Rpc*> rpc = rpcs.Find(RpcPath(route));
  if (!rpc.ok()) {
    done(rpc.status());
    return {};
  }
  const std::unique_ptr<Message> request =
      NewMessage(*Method(route).input_type());
  if (absl::Status status = FillRequest(match, body, *request); !status.ok()) {
    done(std::move(status));
    return {};
  }
  const Rpc::Answer answer =
      [&route, done = std::move(done)](absl::StatusOr<std::string> bytes) {
        done(bytes.ok() ? ToHttp(route, *bytes)
                        : absl::StatusOr<HttpResponse>(bytes.status()));
      };
  if ((*rpc)->kind == Rpc::Kind::kDeferred) {
    return (*rpc)->deferred(request->SerializeAsString(), caller, answer);
  }
  answer((*rpc)->handler(request->SerializeAsString()));
  return {};
}

}  // namespace relu
