#include "core/graph/value_names.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/onnx_attributes.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {

void ValueNames::AddRead(std::string_view name) {
  Name& entry = names_[std::string(name)];
  ++entry.reads;
  if (entry.id != kNoValue) {
    ++ReadsOf(entry.id);
  }
}

void ValueNames::AddReads(const onnx::NodeProto& node) {
  for (const std::string& input : node.input()) {
    AddRead(input);
  }
}

void ValueNames::EndReads(const onnx::NodeProto& node) {
  for (const std::string& input : node.input()) {
    Name& entry = names_[input];
    --entry.reads;
    if (entry.id != kNoValue) {
      --ReadsOf(entry.id);
    }
  }
}

absl::Status ValueNames::Add(std::string_view name, ValueId id) {
  if (name.empty()) {
    return absl::InvalidArgumentError(
        "an input, an initializer or the output of a node has no name");
  }
  Name& entry = names_[std::string(name)];
  if (entry.id != kNoValue) {
    return absl::InvalidArgumentError(
        fmt::format("two values have the name \"{}\", wanted one", name));
  }
  entry.id = id;
  ReadsOf(id) += entry.reads;
  return absl::OkStatus();
}

void ValueNames::Keep(ValueId id) { ++ReadsOf(id); }

ValueId ValueNames::Find(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? kNoValue : found->second.id;
}

absl::StatusOr<std::vector<ValueId>> ValueNames::FindInputs(
    const onnx::NodeProto& node) const {
  std::vector<ValueId> inputs;
  for (const std::string& name : node.input()) {
    inputs.push_back(Find(name));
    if (!name.empty() && inputs.back() == kNoValue) {
      return absl::InvalidArgumentError(fmt::format(
          "{}: no input, initializer or node gives its input \"{}\"",
          NodeText(node), name));
    }
  }
  return inputs;
}

bool ValueNames::IsRead(std::string_view name) const {
  const auto found = names_.find(name);
  return found != names_.end() && found->second.reads > 0;
}

bool ValueNames::IsRead(ValueId id) const {
  return id < reads_.size() && reads_[id] > 0;
}

std::size_t& ValueNames::ReadsOf(ValueId id) {
  if (id >= reads_.size()) {
    reads_.resize(id + 1);
  }
  return reads_[id];
}

}  // namespace relu
