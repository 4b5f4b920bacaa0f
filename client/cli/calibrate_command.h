// `reluctl calibrate`: writes down what the neurons and inputs of a model do on
// rows that are as they should be.

#ifndef CLIENT_CLI_CALIBRATE_COMMAND_H_
#define CLIENT_CLI_CALIBRATE_COMMAND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "client/cli/outcome.h"
#include "core/relu/activity_baseline.h"

namespace relu {

struct CalibrateOptions {
  std::string file;      // The ONNX file.
  std::string rows;      // A CSV, JSON or .npy file.
  std::string label;     // The CSV column that is no input; empty: none.
  std::string baseline;  // The file to write; empty: beside the model's.
  std::int64_t window_rows = 256;
  double false_alarm_rate = 0.01;
};

// Loads the model as a server does, and needs no server. kWrongInput, with the
// reason, if a server would refuse it, the rows do not fit, or the file cannot
// be written.
Outcome RunCalibrate(const CalibrateOptions& options);

// The file's content: the JSON form of GetActivityResponse (proto/relu.proto).
std::string BaselineJson(const ActivityBaseline& baseline);

}  // namespace relu

#endif  // CLIENT_CLI_CALIBRATE_COMMAND_H_
