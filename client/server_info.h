// What a server says of itself and of its models.
//
// This header is installed; it includes neither gRPC nor protobuf.

#ifndef CLIENT_SERVER_INFO_H_
#define CLIENT_SERVER_INFO_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace relu {

struct ServerMetadata {
  std::string name;
  std::string version;
  std::vector<std::string> extensions;
};

struct TensorMetadata {
  std::string name;
  std::string datatype;             // "FP32", "INT64", ...
  std::vector<std::int64_t> shape;  // -1: any size, such as the batch.
};

struct ModelMetadata {
  std::string name;
  std::vector<std::string> versions;
  std::string platform;
  std::vector<TensorMetadata> inputs;
  std::vector<TensorMetadata> outputs;
};

// One entry of the server's model repository.
struct ModelIndexEntry {
  std::string name;
  std::string version;
  std::string state;   // "READY", "UNAVAILABLE", ...
  std::string reason;  // Why it is not ready.
};

// The configuration that a model runs with, in the two forms that Triton knows.
struct ModelConfiguration {
  std::string json;
  std::string text;  // As in config.pbtxt.
};

// How often something happened, and the time it took in all.
struct DurationTotal {
  std::uint64_t count = 0;
  std::chrono::nanoseconds time{0};
};

// The batches of one size that a model has run.
struct BatchStatistics {
  std::uint64_t batch_size = 0;
  DurationTotal compute_input;
  DurationTotal compute_infer;
  DurationTotal compute_output;
};

// Of one version of a model, since the server started.
struct ModelStatistics {
  std::string name;
  std::string version;
  std::uint64_t inference_count = 0;  // Rows computed.
  std::uint64_t execution_count = 0;  // Batches run.
  DurationTotal success;  // Requests from their arrival to their answer,
  DurationTotal fail;     // by their end,
  DurationTotal queue;    // and the parts of that time.
  DurationTotal compute_input;
  DurationTotal compute_infer;
  DurationTotal compute_output;
  std::vector<BatchStatistics> batches;
};

// What a model is loaded with, if not with what the repository holds.
struct LoadModelOptions {
  std::string config_json = {};                   // Empty: none.
  std::map<std::string, std::string> files = {};  // "1/model.onnx": its bytes.
};

}  // namespace relu

#endif  // CLIENT_SERVER_INFO_H_
