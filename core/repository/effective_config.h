// EffectiveConfig: the configuration that a model runs with, as the ModelConfig
// RPC tells it.

#ifndef CORE_REPOSITORY_EFFECTIVE_CONFIG_H_
#define CORE_REPOSITORY_EFFECTIVE_CONFIG_H_

namespace inference {
class ModelConfig;
}  // namespace inference

namespace relu {

class Model;

// What config.pbtxt says, with every field filled in that it leaves out: name,
// platform and backend, inputs and outputs, execution slots, the version
// policy, dynamic batching. max_batch_size, if it is not given, is the most
// rows of one batch for a model that takes any number of rows, and 0 for
// others; `dims` then count the batch dimension. relud reads the result as a
// config.pbtxt again.
inference::ModelConfig EffectiveConfig(const Model& model);

}  // namespace relu

#endif  // CORE_REPOSITORY_EFFECTIVE_CONFIG_H_
