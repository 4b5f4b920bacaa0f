#include "server/shared_memory_tensor.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "fmt/format.h"
#include "proto/inference.pb.h"
#include "server/shared_memory.h"
#include "server/text.h"

namespace relu {
namespace {

using inference::InferParameter;

constexpr char kRegion[] = "shared_memory_region";
constexpr char kOffset[] = "shared_memory_offset";
constexpr char kByteSize[] = "shared_memory_byte_size";

const InferParameter* FindParameter(const TensorParameters& parameters,
                                    const char* name) {
  const auto found = parameters.find(name);
  return found == parameters.end() ? nullptr : &found->second;
}

// nullopt if it is no number of bytes.
std::optional<std::uint64_t> ToBytes(const InferParameter& parameter) {
  if (parameter.has_uint64_param()) {
    return parameter.uint64_param();
  }
  if (parameter.has_int64_param() && parameter.int64_param() >= 0) {
    return static_cast<std::uint64_t>(parameter.int64_param());
  }
  return std::nullopt;
}

absl::StatusOr<std::uint64_t> ReadBytes(const InferParameter* parameter,
                                        const char* name) {
  const std::optional<std::uint64_t> bytes =
      parameter == nullptr ? std::nullopt : ToBytes(*parameter);
  if (!bytes.has_value()) {
    return absl::InvalidArgumentError(fmt::format(
        "parameter '{}' {}, expected a number of bytes as an int64 of 0 or "
        "more with '{}'",
        name, parameter == nullptr ? "is missing" : "is no number of bytes",
        kRegion));
  }
  return *bytes;
}

absl::StatusOr<SharedMemoryRange> FindRange(
    const TensorParameters& parameters, const SharedMemoryRegions& regions) {
  const InferParameter* const region = FindParameter(parameters, kRegion);
  if (region == nullptr || !region->has_string_param()) {
    return absl::InvalidArgumentError(fmt::format(
        "parameter '{}' {}, expected the name of a region as a string", kRegion,
        region == nullptr ? "is missing" : "is no string"));
  }
  SharedMemoryRange range;
  ASSIGN_OR_RETURN(range.byte_size,
                   ReadBytes(FindParameter(parameters, kByteSize), kByteSize));
  if (const InferParameter* const offset = FindParameter(parameters, kOffset)) {
    ASSIGN_OR_RETURN(range.offset, ReadBytes(offset, kOffset));
  }
  ASSIGN_OR_RETURN(range.region, regions.Find(region->string_param()));
  RETURN_IF_ERROR(range.region->CheckRange(range.offset, range.byte_size));
  return range;
}

}  // namespace

bool InSharedMemory(const TensorParameters& parameters) {
  return !parameters.empty() && parameters.contains(kRegion);
}

absl::StatusOr<SharedMemoryRange> FindSharedMemory(
    const TensorParameters& parameters, const SharedMemoryRegions* regions) {
  if (parameters.empty() ||
      std::ranges::none_of(
          std::initializer_list<const char*>{kRegion, kOffset, kByteSize},
          [&](const char* name) { return parameters.contains(name); })) {
    return SharedMemoryRange();
  }
  if (regions == nullptr) {
    return absl::UnimplementedError(
        "shared memory is off here, expected the values in the request and in "
        "the answer; relud takes it with --allow-shared-memory");
  }
  return FindRange(parameters, *regions);
}

absl::StatusOr<std::size_t> SharedInputBytes(
    const inference::ModelInferRequest& request, std::size_t max_bytes) {
  std::size_t left = max_bytes;
  for (const auto& input : request.inputs()) {
    if (!InSharedMemory(input.parameters())) {
      continue;
    }
    const InferParameter* const size =
        FindParameter(input.parameters(), kByteSize);
    // One that is wrong is refused when it is read.
    const std::uint64_t bytes =
        size == nullptr ? 0 : ToBytes(*size).value_or(0);
    if (bytes > left) {
      return absl::ResourceExhaustedError(fmt::format(
          "input '{}' has {} bytes in shared memory, the limit of a request "
          "leaves {}: send fewer rows",
          Printable(input.name()), bytes, left));
    }
    left -= bytes;
  }
  return max_bytes - left;
}

absl::Status FindSharedOutputs(const inference::ModelInferRequest& request,
                               const inference::ModelInferResponse& response,
                               const SharedMemoryRegions* regions,
                               std::vector<SharedOutput>& outputs) {
  outputs.clear();
  for (int i = 0; i < request.outputs_size(); ++i) {
    const auto& output = request.outputs(i);
    absl::StatusOr<SharedMemoryRange> range =
        FindSharedMemory(output.parameters(), regions);
    if (!range.ok()) {
      return WithPrefix(fmt::format("output '{}': ", output.name()),
                        range.status());
    }
    if (range->region == nullptr) {
      continue;
    }
    if (output.parameters().contains("classification")) {
      return absl::InvalidArgumentError(fmt::format(
          "output '{}': both '{}' and 'classification', expected one of them",
          output.name(), kRegion));
    }
    const std::size_t bytes = response.raw_output_contents(i).size();
    if (range->byte_size < bytes) {
      return absl::InvalidArgumentError(fmt::format(
          "shared memory size specified with the request for output '{}' ({} "
          "bytes) should be at least {} bytes to hold the results",
          output.name(), range->byte_size, bytes));
    }
    outputs.push_back({.index = i, .range = *std::move(range)});
  }
  return absl::OkStatus();
}

absl::Status WriteSharedOutputs(const std::vector<SharedOutput>& outputs,
                                inference::ModelInferResponse& response) {
  for (const auto& [index, range] : outputs) {
    std::string& values = *response.mutable_raw_output_contents(index);
    RETURN_IF_ERROR(
        range.region->Write(range.offset, std::as_bytes(std::span(values))));
    values.clear();
  }
  return absl::OkStatus();
}

}  // namespace relu
