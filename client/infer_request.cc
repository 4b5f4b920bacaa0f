#include "client/infer_request.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "client/wire_datatype.h"

namespace relu {

InferRequest::InferRequest(std::string_view model, std::string_view version)
    : model_(model), version_(version) {}

InferRequest& InferRequest::AddOwned(std::string_view name,
                                     std::string_view datatype,
                                     std::span<const std::int64_t> shape,
                                     std::span<const std::byte> bytes,
                                     std::shared_ptr<const void> owner) {
  inputs_.push_back({.name = std::string(name),
                     .datatype = std::string(datatype),
                     .shape = {shape.begin(), shape.end()},
                     .bytes = bytes,
                     .owner = std::move(owner)});
  return *this;
}

InferRequest& InferRequest::AddRawInput(std::string_view name,
                                        std::string_view datatype,
                                        std::span<const std::int64_t> shape,
                                        std::span<const std::byte> bytes) {
  return AddOwned(name, datatype, shape, bytes, /*owner=*/nullptr);
}

InferRequest& InferRequest::AddRawInput(std::string_view name,
                                        std::string_view datatype,
                                        std::span<const std::int64_t> shape,
                                        std::string&& bytes) {
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  const auto view = std::as_bytes(std::span<const char>(*owner));
  return AddOwned(name, datatype, shape, view, std::move(owner));
}

InferRequest& InferRequest::AddTextInput(std::string_view name,
                                         std::span<const std::int64_t> shape,
                                         std::span<const std::string> texts) {
  std::string bytes;
  for (const std::string& text : texts) {
    const auto size = static_cast<std::uint32_t>(text.size());
    bytes.append(reinterpret_cast<const char*>(&size), sizeof(size));
    bytes += text;
  }
  return AddRawInput(name, kBytesDatatype, shape, std::move(bytes));
}

InferRequest& InferRequest::AddOutput(std::string_view name) {
  outputs_.emplace_back(name);
  return *this;
}

InferRequest& InferRequest::SetId(std::string_view id) {
  id_ = id;
  return *this;
}

InferRequest& InferRequest::SetParameter(std::string_view name,
                                         InferParameter value) {
  for (auto& [known, old] : parameters_) {
    if (known == name) {
      old = std::move(value);
      return *this;
    }
  }
  parameters_.emplace_back(name, std::move(value));
  return *this;
}

}  // namespace relu
