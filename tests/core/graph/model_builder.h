// ModelBuilder: makes ONNX models in code, for tests.

#ifndef TESTS_CORE_GRAPH_MODEL_BUILDER_H_
#define TESTS_CORE_GRAPH_MODEL_BUILDER_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "proto/onnx.pb.h"

namespace relu {

// The parts of a tensor or value in the order of ONNX's own helper functions.
struct OnnxValue {
  std::vector<std::int64_t> sizes;  // -1: a size with the name "batch".
  int type = onnx::TensorProto::FLOAT;
};

onnx::AttributeProto IntAttributeProto(std::string_view name,
                                       std::int64_t value);
onnx::AttributeProto FloatAttributeProto(std::string_view name, float value);
onnx::AttributeProto IntsAttributeProto(
    std::string_view name, const std::vector<std::int64_t>& values);
onnx::AttributeProto StringAttributeProto(std::string_view name,
                                          std::string_view value);

// Raw data, row-major.
onnx::TensorProto FloatTensorProto(std::string_view name,
                                   const std::vector<std::int64_t>& dims,
                                   const std::vector<float>& values);
onnx::TensorProto Int64TensorProto(std::string_view name,
                                   const std::vector<std::int64_t>& dims,
                                   const std::vector<std::int64_t>& values);

// For one thread. Each function but Node() returns the builder, to be chained.
class ModelBuilder {
 public:
  explicit ModelBuilder(std::int64_t opset = 17);

  ModelBuilder& Input(std::string_view name, const OnnxValue& value);
  ModelBuilder& Output(std::string_view name, const OnnxValue& value);
  // An output of which the file says nothing but its name.
  ModelBuilder& Output(std::string_view name);
  ModelBuilder& Floats(std::string_view name,
                       const std::vector<std::int64_t>& dims,
                       const std::vector<float>& values);
  ModelBuilder& Int64s(std::string_view name,
                       const std::vector<std::int64_t>& dims,
                       const std::vector<std::int64_t>& values);
  ModelBuilder& Initializer(onnx::TensorProto tensor);
  // Adds a node of one output; its name is the output's.
  ModelBuilder& Node(std::string_view op_type,
                     const std::vector<std::string>& inputs,
                     std::string_view output,
                     const std::vector<onnx::AttributeProto>& attributes = {});

  // What there is so far, to be changed at will.
  onnx::ModelProto& model() { return model_; }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }
  // The node that was added last.
  onnx::NodeProto& last_node();

 private:
  onnx::ModelProto model_;
};

// x[batch, sizes.front()] through Gemm and Relu layers to y[batch,
// sizes.back()], without a Relu at the end. Weights and biases are drawn from
// -1 .. 1 with a fixed seed.
ModelBuilder MakeMlp(const std::vector<std::int64_t>& sizes);

// A folder for the files of one test; it goes with this object.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // Writes a file and returns its path.
  std::filesystem::path Write(std::string_view name, std::string_view content);
  std::filesystem::path Write(std::string_view name,
                              const onnx::ModelProto& model);

 private:
  std::filesystem::path path_;
};

}  // namespace relu

#endif  // TESTS_CORE_GRAPH_MODEL_BUILDER_H_
