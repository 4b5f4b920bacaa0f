// Mix: the requests of a load run, to one model or several.

#ifndef CLIENT_LOAD_MIX_H_
#define CLIENT_LOAD_MIX_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "client/load/arrivals.h"
#include "client/load/request.h"

namespace relu::load {

struct MixModel {
  std::string name = {};
  std::string version = {};            // Empty: the latest.
  double weight = 1;                   // Its share of the calls.
  std::vector<Request> requests = {};  // At least one; sent in turn.
};

using Mix = std::vector<MixModel>;

// Draws models by their weights, and takes the requests of each in turn. For
// one thread.
class RequestSequence {
 public:
  // `mix` is not empty, and outlives this.
  RequestSequence(const Mix& mix, Share share, std::uint64_t seed);

  const Request& Next();

 private:
  const Mix& mix_;
  std::discrete_distribution<std::size_t> models_;
  std::mt19937_64 random_;
  std::vector<std::size_t> next_;  // By model.
};

}  // namespace relu::load

#endif  // CLIENT_LOAD_MIX_H_
