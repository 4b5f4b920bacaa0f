#include "client/cli/rank_command.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/guarantee_notes.h"
#include "client/cli/outcome.h"
#include "client/cli/rank_report.h"
#include "client/cli/row_source.h"
#include "client/cli/rows.h"
#include "client/cli/served_inputs.h"
#include "client/inference_client.h"
#include "client/rank.h"
#include "core/base/status_macros.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

// The inputs that each file has.
struct SplitInputs {
  ModelInputs shared;
  ModelInputs items;
};

// "NAME=N", or "N" of a model with one input: how many features of that input
// are shared. Fills in the name.
absl::StatusOr<std::int64_t> ParseFeatures(std::string_view text,
                                           const ModelInputs& inputs,
                                           std::string& name) {
  const std::size_t split = text.rfind('=');
  const bool named = split != std::string_view::npos;
  const std::string_view number = named ? text.substr(split + 1) : text;
  std::int64_t features = 0;
  const auto end =
      std::from_chars(number.data(), number.data() + number.size(), features);
  if (end.ec != std::errc() || end.ptr != number.data() + number.size() ||
      (!named && inputs.inputs.size() != 1)) {
    return absl::InvalidArgumentError(fmt::format(
        "--shared-features \"{}\": {} is wanted", text,
        inputs.inputs.size() == 1 ? "a number" : "NAME=N, of one input,"));
  }
  name = named ? text.substr(0, split) : inputs.inputs[0].name;
  ASSIGN_OR_RETURN(const ModelInput* const input, FindInput(inputs, name));
  ASSIGN_OR_RETURN(const std::int64_t all, FixedRowElements(*input));
  if (input->row_shape.size() != 1 || features < 1 || features >= all) {
    return absl::InvalidArgumentError(fmt::format(
        "--shared-features \"{}\": input \"{}\" has rows of shape {}, of "
        "which 1 to {} features can be shared",
        text, name, ShapeText(input->row_shape), all - 1));
  }
  return features;
}

absl::StatusOr<SplitInputs> Split(const RankCommandOptions& options,
                                  const ModelInputs& inputs) {
  std::map<std::string, std::int64_t> features;
  for (const std::string& text : options.shared_features) {
    std::string name;
    ASSIGN_OR_RETURN(const std::int64_t count,
                     ParseFeatures(text, inputs, name));
    features[name] = count;
  }
  for (const std::string& name : options.shared_inputs) {
    RETURN_IF_ERROR(FindInput(inputs, name).status());
  }
  SplitInputs split;
  const auto add = [](const ModelInput& input, std::int64_t size,
                      ModelInputs& side) {
    side.inputs.push_back({.name = input.name,
                           .type = input.type,
                           .row_shape = {size},
                           .row_elements = size});
  };
  for (const ModelInput& input : inputs.inputs) {
    const auto some = features.find(input.name);
    if (std::ranges::count(options.shared_inputs, input.name) > 0) {
      split.shared.inputs.push_back(input);
    } else if (some == features.end()) {
      split.items.inputs.push_back(input);
    } else {
      add(input, some->second, split.shared);
      add(input, *input.row_elements - some->second, split.items);
    }
  }
  if (split.shared.inputs.empty() || split.items.inputs.empty()) {
    return absl::InvalidArgumentError(fmt::format(
        "{} inputs are shared and {} are the items' own, expected some of "
        "both: say with --shared-inputs and --shared-features what is shared",
        split.shared.inputs.size(), split.items.inputs.size()));
  }
  return split;
}

absl::StatusOr<Rows> ReadShared(const RankCommandOptions& options,
                                const ModelInputs& inputs,
                                std::istream& standard_input) {
  RowOptions from;
  from.input = options.shared;
  ASSIGN_OR_RETURN(Rows rows, ReadRows(from, inputs, standard_input));
  if (rows.count != 1) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {} rows, wanted is the one that all items share",
                    options.shared, rows.count));
  }
  return rows;
}

std::vector<RankTensor> TensorsOf(const Rows& rows) {
  std::vector<RankTensor> tensors;
  for (const RowTensor& tensor : rows.inputs) {
    const auto bytes = tensor.RowBytes(0, rows.count);
    tensors.push_back(
        {.name = tensor.name,
         .datatype = std::string(DataTypeName(tensor.type)),
         .shape = tensor.ShapeOf(rows.count),
         .bytes = {reinterpret_cast<const char*>(bytes.data()), bytes.size()}});
  }
  return tensors;
}

RankRequest ToRequest(const RankCommandOptions& options, const Rows& shared,
                      const Rows& items) {
  return {.model = options.model,
          .version = options.version,
          .id = {},
          .shared = TensorsOf(shared),
          .items = TensorsOf(items),
          .output = options.output,
          .element = options.element,
          .top_k = options.top_k};
}

}  // namespace

Outcome RunRank(InferenceClient& client, const RankCommandOptions& options,
                std::istream& standard_input) {
  ModelInputs inputs;
  if (auto failed = AskInputs(client, options.model, options.version, inputs)) {
    return *std::move(failed);
  }
  const auto split = Split(options, inputs);
  if (!split.ok()) {
    return WrongInput(split.status());
  }
  const auto shared = ReadShared(options, split->shared, standard_input);
  if (!shared.ok()) {
    return WrongInput(shared.status());
  }
  const auto items = ReadRows(options, split->items, standard_input);
  if (!items.ok()) {
    return WrongInput(items.status());
  }
  auto result = client.Rank(ToRequest(options, *shared, *items));
  if (!result.ok()) {
    return CallFailed(result.status());
  }
  GuaranteeNotes guarantees;
  guarantees.Add(result->findings);
  Outcome outcome;
  for (const std::string& line : guarantees.Lines()) {
    outcome.err += ErrorLine(fmt::format("note: {}", line));
  }
  outcome.out = RankReport(*result, items->labels, options.form);
  return outcome;
}

}  // namespace relu
