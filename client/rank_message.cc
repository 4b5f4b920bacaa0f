#include "client/rank_message.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/repeated_field.h"

#include "client/rank.h"
#include "fmt/format.h"
#include "proto/relu.pb.h"

namespace relu {
namespace {

void FillTensors(const std::vector<RankTensor>& tensors,
                 google::protobuf::RepeatedPtrField<v1::RankTensor>& field) {
  for (const RankTensor& tensor : tensors) {
    v1::RankTensor& message = *field.Add();
    message.set_name(tensor.name);
    message.set_datatype(tensor.datatype);
    message.mutable_shape()->Add(tensor.shape.begin(), tensor.shape.end());
    message.set_raw(tensor.bytes);
  }
}

RankFindings ToFindings(const v1::RankFindings& message) {
  return {.nonfinite_items = message.nonfinite_items(),
          .nonfinite_shared_values = message.nonfinite_shared_values(),
          .nonfinite_outputs = message.nonfinite_outputs(),
          .out_of_domain_items = message.out_of_domain_items(),
          .out_of_domain_list = {message.out_of_domain_list().begin(),
                                 message.out_of_domain_list().end()},
          .out_of_domain_first = message.out_of_domain_first(),
          .clamped_items = message.clamped_items()};
}

}  // namespace

std::string EncodeRankRequest(const RankRequest& request) {
  v1::RankRequest message;
  message.set_model_name(request.model);
  message.set_model_version(request.version);
  message.set_id(request.id);
  FillTensors(request.shared, *message.mutable_shared());
  FillTensors(request.items, *message.mutable_items());
  message.set_output(request.output);
  if (request.element.has_value()) {
    message.set_element(*request.element);
  }
  message.set_top_k(request.top_k);
  return message.SerializeAsString();
}

absl::StatusOr<RankResult> DecodeRankResponse(const std::string& bytes) {
  v1::RankResponse message;
  if (!message.ParseFromString(bytes)) {
    return absl::InternalError(
        fmt::format("the answer of {} bytes is no RankResponse", bytes.size()));
  }
  if (message.items_size() != 0 &&
      message.items_size() != message.scores_size()) {
    return absl::InternalError(
        fmt::format("the answer has {} items and {} scores",
                    message.items_size(), message.scores_size()));
  }
  return RankResult{
      .model_name = message.model_name(),
      .model_version = message.model_version(),
      .output = message.output(),
      .items = {message.items().begin(), message.items().end()},
      .scores = {message.scores().begin(), message.scores().end()},
      .findings = ToFindings(message.findings())};
}

}  // namespace relu
