#include "client/cli/served_inputs.h"

#include <optional>
#include <string>
#include <utility>

#include "client/cli/outcome.h"
#include "client/cli/rows.h"
#include "client/inference_client.h"

namespace relu {

std::optional<Outcome> AskInputs(InferenceClient& client,
                                 const std::string& model,
                                 const std::string& version,
                                 ModelInputs& inputs) {
  const auto metadata = client.ModelMetadata(model, version);
  if (!metadata.ok()) {
    return CallFailed(metadata.status());
  }
  auto known = InputsOf(*metadata);
  if (!known.ok()) {
    return WrongInput(known.status());
  }
  inputs = *std::move(known);
  return std::nullopt;
}

}  // namespace relu
