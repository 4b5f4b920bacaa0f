#include "client/load/mix.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "client/load/arrivals.h"
#include "client/load/request.h"

namespace relu::load {
namespace {

std::vector<double> WeightsOf(const Mix& mix) {
  std::vector<double> weights;
  for (const MixModel& model : mix) {
    weights.push_back(model.weight);
  }
  return weights;
}

}  // namespace

RequestSequence::RequestSequence(const Mix& mix, Share share,
                                 std::uint64_t seed)
    : mix_(mix), random_(seed + static_cast<std::uint64_t>(share.index)) {
  const std::vector<double> weights = WeightsOf(mix);
  models_ = {weights.begin(), weights.end()};
  for (const MixModel& model : mix) {
    // Threads start at different places.
    next_.push_back(model.requests.size() *
                    static_cast<std::size_t>(share.index) /
                    static_cast<std::size_t>(share.count));
  }
}

const Request& RequestSequence::Next() {
  const std::size_t model = mix_.size() == 1 ? 0 : models_(random_);
  const std::vector<Request>& requests = mix_[model].requests;
  const Request& request = requests[next_[model]];
  next_[model] = next_[model] + 1 == requests.size() ? 0 : next_[model] + 1;
  return request;
}

}  // namespace relu::load
