#include "client/infer_request.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace relu {

InferRequest::InferRequest(std::string_view model, std::string_view version)
    : model_(model), version_(version) {}

InferRequest& InferRequest::AddRawInput(std::string_view name,
                                        std::string_view datatype,
                                        std::span<const std::int64_t> shape,
                                        std::span<const std::byte> bytes) {
  inputs_.push_back({.name = std::string(name),
                     .datatype = std::string(datatype),
                     .shape = {shape.begin(), shape.end()},
                     .bytes = bytes});
  return *this;
}

InferRequest& InferRequest::AddOutput(std::string_view name) {
  outputs_.emplace_back(name);
  return *this;
}

InferRequest& InferRequest::SetId(std::string_view id) {
  id_ = id;
  return *this;
}

}  // namespace relu
