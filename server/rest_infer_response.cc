#include "server/rest_infer_response.h"

#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "server/http/http_message.h"
#include "server/json_message.h"
#include "server/json_tensor.h"
#include "server/json_text.h"
#include "server/rest_infer_request.h"

namespace relu {
namespace {

using inference::ModelInferResponse;
using OutputTensor = ModelInferResponse::InferOutputTensor;

void AppendMember(std::string_view name, std::string_view value,
                  std::string& json) {
  AppendJsonString(name, json);
  json += ':';
  AppendJsonString(value, json);
}

// "parameters":{...}, with the size of what lies behind the JSON; nothing if
// there are none.
void AppendParameters(const google::protobuf::Map<
                          std::string, inference::InferParameter>& parameters,
                      const std::size_t* binary_bytes, std::string& json) {
  if (parameters.empty() && binary_bytes == nullptr) {
    return;
  }
  json += ",\"parameters\":{";
  std::string_view separator;
  for (const auto& [name, value] : parameters) {
    json += separator;
    AppendJsonString(name, json);
    json += ':';
    MessageToJson(value, json);
    separator = ",";
  }
  if (binary_bytes != nullptr) {
    fmt::format_to(std::back_inserter(json), "{}\"binary_data_size\":{}",
                   separator, *binary_bytes);
  }
  json += '}';
}

absl::Status AppendOutput(const OutputTensor& output, const std::string& values,
                          OutputForm form, std::size_t max_bytes,
                          std::string& json) {
  json += '{';
  AppendMember("name", output.name(), json);
  json += ',';
  AppendMember("datatype", output.datatype(), json);
  fmt::format_to(std::back_inserter(json), ",\"shape\":[{}]",
                 fmt::join(output.shape().begin(), output.shape().end(), ","));
  const std::size_t bytes = values.size();
  AppendParameters(output.parameters(),
                   form == OutputForm::kBytes ? &bytes : nullptr, json);
  if (form == OutputForm::kJson) {
    json += ",\"data\":";
    RETURN_IF_ERROR(
        WithPrefix(fmt::format("output '{}': ", output.name()),
                   TensorToJson(values, output.datatype(), max_bytes, json)));
  }
  json += '}';
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HttpResponse> RestInferResponse(
    const ModelInferResponse& response, const OutputForms& forms,
    std::size_t max_bytes) {
  HttpResponse answer;
  std::string& json = answer.body;
  std::string binary;
  bool any_binary = false;
  json = "{";
  AppendMember("model_name", response.model_name(), json);
  json += ',';
  AppendMember("model_version", response.model_version(), json);
  if (!response.id().empty()) {
    json += ',';
    AppendMember("id", response.id(), json);
  }
  AppendParameters(response.parameters(), nullptr, json);
  json += ",\"outputs\":[";
  for (int i = 0; i < response.outputs_size(); ++i) {
    const auto index = static_cast<std::size_t>(i);
    const OutputForm form =
        index < forms.outputs.size() ? forms.outputs[index] : forms.usual;
    const std::string& values = response.raw_output_contents(i);
    json += i == 0 ? "" : ",";
    RETURN_IF_ERROR(
        AppendOutput(response.outputs(i), values, form, max_bytes, json));
    if (form == OutputForm::kBytes) {
      binary += values;
      any_binary = true;
    }
  }
  json += "]}";
  if (any_binary) {
    answer.content_type = "application/octet-stream";
    answer.headers.emplace_back("Inference-Header-Content-Length",
                                std::to_string(json.size()));
    json += binary;
  }
  return answer;
}

}  // namespace relu
