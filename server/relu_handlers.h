// ReluHandlers: the answers of relu.v1.ReluService, free of any transport.

#ifndef SERVER_RELU_HANDLERS_H_
#define SERVER_RELU_HANDLERS_H_

#include "absl/status/status.h"

#include "core/repository/model_repository.h"

namespace relu {

namespace v1 {
class ExplainRequest;
class ExplainResponse;
}  // namespace v1

// Thread-safe. Each fills an empty response; errors are those that
// proto/relu.proto names, those about a model with its name in front.
class ReluHandlers {
 public:
  // `repository` outlives the handlers.
  explicit ReluHandlers(ModelRepository& repository);

  // Computes on the calling thread, outside of batches: some microseconds for a
  // row of a small model, and never more than kMaxMultiplyAdds take (a few
  // tenths of a second). The first call of each output reads the model's file.
  absl::Status Explain(const v1::ExplainRequest& request,
                       v1::ExplainResponse& response) const;

  static constexpr double kMaxMultiplyAdds = 4e9;
  // Of all explanations of a call, returned or not: the memory that they take.
  static constexpr double kMaxContributions = 1e6;

 private:
  ModelRepository& repository_;
};

}  // namespace relu

#endif  // SERVER_RELU_HANDLERS_H_
