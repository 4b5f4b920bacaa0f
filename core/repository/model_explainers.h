// ModelExplainers: the explainers of a model's outputs, made when they are
// first asked for.

#ifndef CORE_REPOSITORY_MODEL_EXPLAINERS_H_
#define CORE_REPOSITORY_MODEL_EXPLAINERS_H_

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"

#include "core/base/mutex.h"
#include "core/plan/compiled_model.h"
#include "core/relu/explainer.h"

namespace relu {

// Most models are never explained, so nothing is kept for it beside the plan:
// the first explanation of an output reads the model's file again. That it is
// still the file that is served is checked by what both answer. Thread-safe.
class ModelExplainers {
 public:
  // `compiled` outlives this object. All explainers together may take
  // `limit_bytes`.
  ModelExplainers(const CompiledModel& compiled, std::filesystem::path file,
                  std::size_t limit_bytes);

  // Of the output of that name; empty: the first of floats. Errors:
  //   NOT_FOUND            the model has no such output
  //   UNIMPLEMENTED        it has no explanation: see LowerToPiecewise()
  //   FAILED_PRECONDITION  the file cannot be read any more, or answers
  //                        differently
  //   RESOURCE_EXHAUSTED   there is no memory for it
  absl::StatusOr<std::shared_ptr<const Explainer>> For(std::string_view output)
      ABSL_LOCKS_EXCLUDED(mu_);

  // What those that there are take.
  std::size_t bytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Made = absl::StatusOr<std::shared_ptr<const Explainer>>;

  absl::StatusOr<std::string> NameOf(std::string_view output) const;
  Made Make(const std::string& output) const;
  std::size_t BytesLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const CompiledModel& compiled_;
  const std::filesystem::path file_;
  const std::size_t limit_bytes_;
  mutable Mutex mu_;
  // By output; those without explanation too, with the reason.
  std::map<std::string, Made, std::less<>> made_ ABSL_GUARDED_BY(mu_);
};

}  // namespace relu

#endif  // CORE_REPOSITORY_MODEL_EXPLAINERS_H_
