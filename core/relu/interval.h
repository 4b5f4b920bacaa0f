// Interval: all numbers from one to another.

#ifndef CORE_RELU_INTERVAL_H_
#define CORE_RELU_INTERVAL_H_

namespace relu {

// Both ends are included.
struct Interval {
  double low = 0.0;
  double high = 0.0;
};

}  // namespace relu

#endif  // CORE_RELU_INTERVAL_H_
