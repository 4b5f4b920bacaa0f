#include "client/cli/model_compaction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/table.h"
#include "core/base/status_macros.h"
#include "core/base/status_prefix.h"
#include "core/graph/elements.h"
#include "core/graph/graph.h"
#include "core/graph/onnx_import.h"
#include "core/graph/onnx_layers.h"
#include "core/plan/compiled_model.h"
#include "core/plan/plan_report.h"
#include "core/plan/self_check.h"
#include "core/relu/compaction.h"
#include "core/relu/compaction_box.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/same_bits.h"
#include "core/tensor/data_type.h"
#include "fmt/format.h"
#include <nlohmann/json.hpp>

namespace relu {
namespace {

using CompactionJson = nlohmann::ordered_json;

// An entry of metadata_props, for people.
constexpr std::string_view kNoteKey = "relud.compact";

bool IsOff(const DeadNeurons& dead, const std::string& node, std::size_t i) {
  const auto found = dead.find(node);
  return found != dead.end() && i < found->second.size() && found->second[i];
}

// What can go, for all inputs or for those of the box.
struct Removable {
  DeadNeurons neurons;
  DeadNeurons inputs;
};

// Whether a layer that has lost neurons has some that are only dead in the box.
bool NeedsBox(const std::vector<LayerCompaction>& done,
              const Removable& anywhere, const Removable& in_box) {
  return std::ranges::any_of(done, [&](const LayerCompaction& layer) {
    const auto field =
        layer.is_input ? &Removable::inputs : &Removable::neurons;
    bool needs = false;
    for (std::size_t i = 0; i < layer.neurons; ++i) {
      needs = needs || (IsOff(in_box.*field, layer.node, i) &&
                        !IsOff(anywhere.*field, layer.node, i));
    }
    return needs && layer.kept < layer.neurons;
  });
}

// Where nothing is said of inputs: small numbers.
InputBox AnyBox(const CompiledModel& model) {
  InputBox box;
  for (const TensorSignature& input : model.inputs()) {
    const std::size_t size = input.row_bytes / DataTypeSize(input.type);
    box.low.insert(box.low.end(), size,
                   IsFloatingPoint(input.type) ? -1.0 : 0.0);
    box.high.insert(box.high.end(), size, 1.0);
  }
  return box;
}

// Removes the file unless it was renamed.
class PartFile {
 public:
  explicit PartFile(std::filesystem::path path) : path_(std::move(path)) {}
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

absl::Status NotWritten(const std::string& file) {
  return absl::InvalidArgumentError(
      fmt::format("{}: the model cannot be written", file));
}

std::string Change(std::string_view what, std::int64_t before,
                   std::int64_t after) {
  return fmt::format("{} {} -> {} ({:.1f} % less)", what, before, after,
                     before == 0
                         ? 0.0
                         : 100.0 * (1.0 - static_cast<double>(after) /
                                              static_cast<double>(before)));
}

CompactionJson JsonOf(const PlanSize& size) {
  return {{"parameters", size.parameters},
          {"multiply_adds", size.multiply_adds}};
}

}  // namespace

PlanSize SizeOf(const PlanReport& report) {
  PlanSize size;
  for (const StepReport& step : report.steps) {
    size.parameters += step.parameters;
    size.multiply_adds += step.multiply_adds;
  }
  return size;
}

absl::StatusOr<ModelCompaction> ModelCompaction::Of(
    const std::string& file, const CompiledModel& model,
    const CompactionFacts& facts) {
  if (model.couples_rows()) {
    return absl::UnimplementedError(fmt::format(
        "{}: its rows depend on each other; only layers that compute each row "
        "for itself can be made smaller",
        file));
  }
  ASSIGN_OR_RETURN(OnnxLayers layers,
                   OnnxLayers::Read(file, facts.drops_zero_inputs));
  ModelCompaction compaction(std::move(layers));
  Removable anywhere;
  Removable in_box;
  if (facts.network != nullptr) {
    anywhere.neurons =
        FindDeadNeurons(*facts.network, BoundsOfAllInputs(*facts.network));
    in_box = anywhere;
    if (facts.bounds != nullptr) {
      in_box = {.neurons = FindDeadNeurons(*facts.network, *facts.bounds),
                .inputs = FindZeroInputs(*facts.network, *facts.box)};
    }
  }
  compaction.file_ = file;
  compaction.done_ =
      TakeOutNeurons(in_box.neurons, in_box.inputs, compaction.layers_);
  compaction.needs_box_ = NeedsBox(compaction.done_, anywhere, in_box);
  compaction.before_ = compaction.after_ = SizeOf(model.report());
  if (compaction.taken_out() > 0) {
    ASSIGN_OR_RETURN(const Graph graph, compaction.layers_.Import());
    ASSIGN_OR_RETURN(const CompiledModel smaller,
                     CompiledModel::Compile(graph));
    compaction.after_ = SizeOf(smaller.report());
  }
  return compaction;
}

std::size_t ModelCompaction::taken_out() const {
  std::size_t count = 0;
  for (const LayerCompaction& layer : done_) {
    count += layer.neurons - layer.kept;
  }
  return count;
}

std::string ModelCompaction::What() const {
  std::size_t inputs = 0;
  for (const LayerCompaction& layer : done_) {
    inputs += layer.is_input ? layer.neurons - layer.kept : 0;
  }
  return fmt::format("{} neurons{}", taken_out() - inputs,
                     inputs > 0 ? fmt::format(" and {} inputs", inputs) : "");
}

std::string ModelCompaction::Inputs() const {
  return needs_box_ ? "for every input of the box"
                    : "for every input whose values do not overflow";
}

absl::StatusOr<std::string> ModelCompaction::Bytes(
    const CompactionFacts& facts) const {
  OnnxMetadata metadata;
  if (needs_box_) {
    metadata = MetadataOfBox(*facts.network, *facts.box);
  }
  metadata.emplace(
      kNoteKey, fmt::format("{} are taken out; the answers have the same bits "
                            "{}",
                            What(), Inputs()));
  return layers_.Bytes(metadata);
}

absl::Status ModelCompaction::Write(const std::string& output,
                                    const CompiledModel& model,
                                    const CompactionFacts& facts) {
  std::error_code none;
  if (std::filesystem::equivalent(file_, output, none)) {
    return absl::InvalidArgumentError(
        fmt::format("{}: the smaller model needs a file of its own", output));
  }
  if (taken_out() == 0) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: no neuron can be taken out without changing bits, so there is no "
        "smaller model to write",
        file_));
  }
  if (layers_.HasMetadata(kCompactionBoxKey)) {
    return absl::InvalidArgumentError(fmt::format(
        "{}: it was made smaller for a box before; start from the original",
        file_));
  }
  ASSIGN_OR_RETURN(const std::string bytes, Bytes(facts));
  const PartFile part(output + ".part");
  std::ofstream stream(part.path(), std::ios::binary);
  stream << bytes;
  stream.close();
  if (!stream.good()) {
    return NotWritten(output);
  }
  ASSIGN_OR_RETURN(const Graph graph, ImportOnnx(part.path()));
  ASSIGN_OR_RETURN(const CompiledModel smaller, CompiledModel::Compile(graph));
  RETURN_IF_ERROR(SelfCheck(graph, smaller));
  const auto checked = CheckSameBits(
      model, smaller, facts.box == nullptr ? AnyBox(model) : *facts.box,
      facts.rows == nullptr ? InputRows{} : *facts.rows);
  if (!checked.ok()) {
    return WithPrefix(output + ": not written: ", checked.status());
  }
  std::filesystem::rename(part.path(), output, none);
  if (none) {
    return NotWritten(output);
  }
  checked_ = *checked;
  output_ = output;
  bytes_ = bytes.size();
  return absl::OkStatus();
}

std::string ModelCompaction::Text() const {
  std::vector<TableRow> table;
  for (const LayerCompaction& layer : done_) {
    table.push_back(
        {layer.is_input ? fmt::format("input \"{}\"", layer.node) : layer.node,
         fmt::format("{}", layer.neurons),
         layer.obstacle.empty() ? fmt::format("{}", layer.dead) : "",
         layer.obstacle.empty() ? fmt::format("{}", layer.unread) : "",
         fmt::format("{}", layer.kept),
         !layer.obstacle.empty() ? layer.obstacle
         : layer.held() > 0
             ? fmt::format("{} keep others in their places", layer.held())
             : ""});
  }
  std::string text = fmt::format(
      "Compaction: {} can be taken out, with the same bits {}\n{}", What(),
      Inputs(),
      FormatTable({"layer", "neurons", "dead", "unread", "kept", "left alone"},
                  table));
  if (taken_out() > 0) {
    text += fmt::format(
        "{}; {}\n", Change("parameters", before_.parameters, after_.parameters),
        Change("multiply-adds", before_.multiply_adds, after_.multiply_adds));
  }
  if (!output_.empty()) {
    text += fmt::format(
        "Written: {}, {} bytes; the same bits on {} rows and {} points, {} of "
        "them also alone\n",
        output_, bytes_, checked_.rows, checked_.points, checked_.alone);
  }
  return text;
}

std::string ModelCompaction::Json() const {
  CompactionJson layers = CompactionJson::array();
  for (const LayerCompaction& layer : done_) {
    CompactionJson json = {{layer.is_input ? "input" : "node", layer.node},
                           {"neurons", layer.neurons},
                           {"dead", layer.dead},
                           {"unread", layer.unread},
                           {"kept", layer.kept}};
    if (!layer.obstacle.empty()) {
      json["obstacle"] = layer.obstacle;
    }
    layers.push_back(std::move(json));
  }
  CompactionJson json = {{"layers", std::move(layers)},
                         {"needs_box", needs_box_},
                         {"before", JsonOf(before_)},
                         {"after", JsonOf(after_)}};
  if (!output_.empty()) {
    json["written"] = output_;
    json["written_bytes"] = bytes_;
    json["checked_rows"] = checked_.rows;
    json["checked_points"] = checked_.points;
    json["checked_alone"] = checked_.alone;
  }
  return json.dump(-1, ' ', /*ensure_ascii=*/false,
                   CompactionJson::error_handler_t::replace);
}

}  // namespace relu
