#include "tests/server/onnx_model.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/tensor/data_type.h"
#include "proto/onnx.pb.h"
#include "tests/core/graph/model_builder.h"

namespace relu {
namespace {

onnx::TensorProto::DataType OnnxType(DataType type) {
  switch (type) {
    case DataType::kBool:
      return onnx::TensorProto::BOOL;
    case DataType::kUint8:
      return onnx::TensorProto::UINT8;
    case DataType::kUint16:
      return onnx::TensorProto::UINT16;
    case DataType::kUint32:
      return onnx::TensorProto::UINT32;
    case DataType::kUint64:
      return onnx::TensorProto::UINT64;
    case DataType::kInt8:
      return onnx::TensorProto::INT8;
    case DataType::kInt16:
      return onnx::TensorProto::INT16;
    case DataType::kInt32:
      return onnx::TensorProto::INT32;
    case DataType::kInt64:
      return onnx::TensorProto::INT64;
    case DataType::kFp16:
      return onnx::TensorProto::FLOAT16;
    case DataType::kBf16:
      return onnx::TensorProto::BFLOAT16;
    case DataType::kFp32:
      return onnx::TensorProto::FLOAT;
    case DataType::kFp64:
      return onnx::TensorProto::DOUBLE;
  }
  return onnx::TensorProto::UNDEFINED;
}

void FillValue(onnx::ValueInfoProto& value, const std::string& name,
               DataType type, std::int64_t fixed_rows) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(OnnxType(type));
  auto& batch = *tensor.mutable_shape()->add_dim();
  if (fixed_rows > 0) {
    batch.set_dim_value(fixed_rows);
  } else {
    batch.set_dim_param("batch");
  }
  tensor.mutable_shape()->add_dim()->set_dim_value(2);
}

void AddCast(onnx::GraphProto& graph, const std::string& input,
             const std::string& output) {
  auto& node = *graph.add_node();
  node.set_op_type("Cast");
  node.set_name("cast_" + input);
  node.add_input(input);
  node.add_output(output);
  auto& to = *node.add_attribute();
  to.set_name("to");
  to.set_type(onnx::AttributeProto::INT);
  to.set_i(onnx::TensorProto::FLOAT);
}

void WriteModel(const std::filesystem::path& file,
                const onnx::ModelProto& model) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream stream(file, std::ios::binary);
  CHECK(model.SerializeToOstream(&stream));
}

}  // namespace

const std::vector<DataType>& AllDataTypes() {
  static const std::vector<DataType> types = {
      DataType::kBool,   DataType::kUint8, DataType::kUint16, DataType::kUint32,
      DataType::kUint64, DataType::kInt8,  DataType::kInt16,  DataType::kInt32,
      DataType::kInt64,  DataType::kFp16,  DataType::kBf16,   DataType::kFp32,
      DataType::kFp64};
  return types;
}

void WriteCastModel(const std::filesystem::path& file,
                    std::int64_t fixed_rows) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(17);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("casts");
  for (const DataType type : AllDataTypes()) {
    const std::string name(DataTypeName(type));
    FillValue(*graph.add_input(), name, type, fixed_rows);
    FillValue(*graph.add_output(), name + "_as_fp32", DataType::kFp32,
              fixed_rows);
    AddCast(graph, name, name + "_as_fp32");
  }
  WriteModel(file, model);
}

void WriteCoupledModel(const std::filesystem::path& file) {
  ModelBuilder builder;
  builder.Input("x", {.sizes = {-1, 2}})
      .Node("Softmax", {"x"}, "y", {IntAttributeProto("axis", 0)})
      .Output("y");
  WriteModel(file, builder.model());
}

void WriteStaticModel(const std::filesystem::path& file) {
  ModelBuilder builder;
  builder.Input("a", {.sizes = {2, 3}})
      .Input("b", {.sizes = {3}})
      .Node("Add", {"a", "b"}, "y")
      .Output("y");
  WriteModel(file, builder.model());
}

}  // namespace relu
