#include "tests/core/graph/model_builder.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "fmt/format.h"
#include "proto/onnx.pb.h"

namespace relu {
namespace {

constexpr std::uint32_t kSeed = 20240611;

template <typename T>
onnx::TensorProto RawTensor(std::string_view name,
                            const std::vector<std::int64_t>& dims, int type,
                            const std::vector<T>& values) {
  onnx::TensorProto tensor;
  tensor.set_name(std::string(name));
  tensor.set_data_type(type);
  tensor.mutable_dims()->Add(dims.begin(), dims.end());
  tensor.set_raw_data(values.data(), values.size() * sizeof(T));
  return tensor;
}

onnx::AttributeProto Attribute(std::string_view name,
                               onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto attribute;
  attribute.set_name(std::string(name));
  attribute.set_type(type);
  return attribute;
}

void Declare(std::string_view name, const OnnxValue& value,
             onnx::ValueInfoProto& info) {
  info.set_name(std::string(name));
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(value.type);
  tensor.mutable_shape();
  for (const std::int64_t size : value.sizes) {
    auto& dim = *tensor.mutable_shape()->add_dim();
    if (size == -1) {
      dim.set_dim_param("batch");
    } else {
      dim.set_dim_value(size);
    }
  }
}

std::vector<float> DrawFloats(std::int64_t count, std::mt19937& random) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value =
        static_cast<float>(static_cast<double>(random()) / 2147483648.0 - 1);
  }
  return values;
}

}  // namespace

onnx::AttributeProto IntAttributeProto(std::string_view name,
                                       std::int64_t value) {
  onnx::AttributeProto attribute = Attribute(name, onnx::AttributeProto::INT);
  attribute.set_i(value);
  return attribute;
}

onnx::AttributeProto FloatAttributeProto(std::string_view name, float value) {
  onnx::AttributeProto attribute = Attribute(name, onnx::AttributeProto::FLOAT);
  attribute.set_f(value);
  return attribute;
}

onnx::AttributeProto IntsAttributeProto(
    std::string_view name, const std::vector<std::int64_t>& values) {
  onnx::AttributeProto attribute = Attribute(name, onnx::AttributeProto::INTS);
  attribute.mutable_ints()->Add(values.begin(), values.end());
  return attribute;
}

onnx::AttributeProto StringAttributeProto(std::string_view name,
                                          std::string_view value) {
  onnx::AttributeProto attribute =
      Attribute(name, onnx::AttributeProto::STRING);
  attribute.set_s(std::string(value));
  return attribute;
}

onnx::TensorProto FloatTensorProto(std::string_view name,
                                   const std::vector<std::int64_t>& dims,
                                   const std::vector<float>& values) {
  return RawTensor(name, dims, onnx::TensorProto::FLOAT, values);
}

onnx::TensorProto Int64TensorProto(std::string_view name,
                                   const std::vector<std::int64_t>& dims,
                                   const std::vector<std::int64_t>& values) {
  return RawTensor(name, dims, onnx::TensorProto::INT64, values);
}

ModelBuilder::ModelBuilder(std::int64_t opset) {
  model_.set_ir_version(8);
  model_.add_opset_import()->set_version(opset);
  model_.mutable_graph()->set_name("test");
}

ModelBuilder& ModelBuilder::Input(std::string_view name,
                                  const OnnxValue& value) {
  Declare(name, value, *graph().add_input());
  return *this;
}

ModelBuilder& ModelBuilder::Output(std::string_view name,
                                   const OnnxValue& value) {
  Declare(name, value, *graph().add_output());
  return *this;
}

ModelBuilder& ModelBuilder::Output(std::string_view name) {
  graph().add_output()->set_name(std::string(name));
  return *this;
}

ModelBuilder& ModelBuilder::Floats(std::string_view name,
                                   const std::vector<std::int64_t>& dims,
                                   const std::vector<float>& values) {
  return Initializer(FloatTensorProto(name, dims, values));
}

ModelBuilder& ModelBuilder::Int64s(std::string_view name,
                                   const std::vector<std::int64_t>& dims,
                                   const std::vector<std::int64_t>& values) {
  return Initializer(Int64TensorProto(name, dims, values));
}

ModelBuilder& ModelBuilder::Initializer(onnx::TensorProto tensor) {
  *graph().add_initializer() = std::move(tensor);
  return *this;
}

ModelBuilder& ModelBuilder::Node(
    std::string_view op_type, const std::vector<std::string>& inputs,
    std::string_view output,
    const std::vector<onnx::AttributeProto>& attributes) {
  onnx::NodeProto& node = *graph().add_node();
  node.set_name(std::string(output));
  node.set_op_type(std::string(op_type));
  node.mutable_input()->Add(inputs.begin(), inputs.end());
  node.add_output(std::string(output));
  node.mutable_attribute()->Add(attributes.begin(), attributes.end());
  return *this;
}

onnx::NodeProto& ModelBuilder::last_node() {
  return *graph().mutable_node(graph().node_size() - 1);
}

ModelBuilder MakeMlp(const std::vector<std::int64_t>& sizes) {
  std::mt19937 random(kSeed);
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, sizes.front()}});
  std::string value = "x";
  for (std::size_t i = 1; i < sizes.size(); ++i) {
    const bool is_last = i + 1 == sizes.size();
    const std::string weights = fmt::format("w{}", i);
    const std::string bias = fmt::format("b{}", i);
    const std::string sum = is_last ? "y" : fmt::format("h{}", i);
    builder.Floats(weights, {sizes[i - 1], sizes[i]},
                   DrawFloats(sizes[i - 1] * sizes[i], random));
    builder.Floats(bias, {sizes[i]}, DrawFloats(sizes[i], random));
    builder.Node("Gemm", {value, weights, bias}, sum);
    value = sum;
    if (!is_last) {
      value = fmt::format("r{}", i);
      builder.Node("Relu", {sum}, value);
    }
  }
  return builder.Output("y", {.sizes = {-1, sizes.back()}});
}

TestFolder::TestFolder() {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "relu_test_XXXXXX").string();
  CHECK(mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TestFolder::~TestFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::filesystem::path TestFolder::Write(std::string_view name,
                                        std::string_view content) {
  const std::filesystem::path file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << content;
  return file;
}

std::filesystem::path TestFolder::Write(std::string_view name,
                                        const onnx::ModelProto& model) {
  return Write(name, model.SerializeAsString());
}

}  // namespace relu
