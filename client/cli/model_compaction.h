// What `reluctl inspect` does to a model whose neurons can be taken out: finds
// them, writes the smaller file, and proves that it has the same answers.

#ifndef CLIENT_CLI_MODEL_COMPACTION_H_
#define CLIENT_CLI_MODEL_COMPACTION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "core/graph/onnx_layers.h"
#include "core/plan/compiled_model.h"
#include "core/plan/plan_report.h"
#include "core/relu/compaction.h"
#include "core/relu/leaf_box.h"
#include "core/relu/leaf_rows.h"
#include "core/relu/piecewise_network.h"
#include "core/relu/same_bits.h"
#include "core/relu/value_bounds.h"

namespace relu {

// What a plan takes.
struct PlanSize {
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;  // Of one row.
};
PlanSize SizeOf(const PlanReport& report);

// Of what neurons are proven to do: all of it is optional.
struct CompactionFacts {
  const PiecewiseNetwork* network = nullptr;
  const InputBox* box = nullptr;  // With its bounds.
  const ValueBounds* bounds = nullptr;
  const InputRows* rows = nullptr;
  // Whether inputs that are zero in all of the box are to go, too.
  bool drops_zero_inputs = false;
};

class ModelCompaction {
 public:
  // Takes out of `file`, which `model` is compiled from, what can be. The facts
  // are used by this call alone. Errors are those of ImportOnnx() and
  // Compile().
  static absl::StatusOr<ModelCompaction> Of(const std::string& file,
                                            const CompiledModel& model,
                                            const CompactionFacts& facts);

  // Writes the smaller model, once the file has been read again and has given
  // the same bits on the rows and on points of the box (or, where there is
  // none, on any). INVALID_ARGUMENT if there is nothing to take out, or
  // `output` cannot be written or is `file`; INTERNAL if bits differ, and then
  // nothing is written.
  absl::Status Write(const std::string& output, const CompiledModel& model,
                     const CompactionFacts& facts);

  std::string Text() const;
  std::string Json() const;  // One object.

 private:
  explicit ModelCompaction(OnnxLayers layers) : layers_(std::move(layers)) {}

  std::size_t taken_out() const;
  std::string What() const;
  std::string Inputs() const;
  absl::StatusOr<std::string> Bytes(const CompactionFacts& facts) const;

  std::string file_;
  OnnxLayers layers_;
  std::vector<LayerCompaction> done_;
  bool needs_box_ = false;  // Answers may differ outside of it.
  PlanSize before_;
  PlanSize after_;
  std::string output_;  // Empty: nothing is written.
  std::size_t bytes_ = 0;
  SameBitsCount checked_;
};

}  // namespace relu

#endif  // CLIENT_CLI_MODEL_COMPACTION_H_
