// What `reluctl activity` prints: layers, neurons and inputs as tables, a heat
// map of firing rates, JSON.

#ifndef CLIENT_CLI_ACTIVITY_TEXT_H_
#define CLIENT_CLI_ACTIVITY_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "client/activity.h"
#include "client/cli/output_form.h"

namespace relu {

// All layers in short, the `top_k` inputs that moved most, the neurons that did
// and what moved them, and a heat map.
std::string ActivityOverview(const ActivityResult& result, std::size_t top_k);

// One object: every field of the answer.
std::string ActivityJson(const ActivityResult& result);

// A line for each neuron of the layer of that name, or of all if it is empty.
std::string NeuronListing(const ActivityResult& result,
                          const std::string& layer, const OutputStyle& style);

// One character for each neuron: a dot for one that was never on, and four
// shades of the firing rate; wide layers have one for several. Lines of 64.
std::string HeatMap(const std::vector<double>& firing_rates);

// Between which a rate lies with 95 % confidence, if it was `rate` in `rows`
// rows (Wilson's interval).
std::pair<double, double> RateInterval(double rate, std::int64_t rows);

// An element of the inputs.
struct MovedInput {
  const InputActivity* input = nullptr;
  std::size_t element = 0;
};

// Those of the highest scores, the highest first.
std::vector<MovedInput> MovedInputs(const ActivityResult& result,
                                    std::size_t top_k);

}  // namespace relu

#endif  // CLIENT_CLI_ACTIVITY_TEXT_H_
