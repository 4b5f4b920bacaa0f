// WriteCastModel: an ONNX file with an input of every datatype, for tests of
// what carries tensors.

#ifndef TESTS_SERVER_ONNX_MODEL_H_
#define TESTS_SERVER_ONNX_MODEL_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/tensor/data_type.h"

namespace relu {

// Every datatype there is.
const std::vector<DataType>& AllDataTypes();

// Writes a model to `file`: for each datatype an input of its name ("INT8") and
// shape [batch, 2], and an output "<name>_as_fp32" that is its cast to FP32.
// `fixed_rows` above 0: the batch has that size.
void WriteCastModel(const std::filesystem::path& file,
                    std::int64_t fixed_rows = 0);

// Writes a model whose rows depend on each other: "x" of FP32 [batch, 2], "y"
// its softmax over the rows.
void WriteCoupledModel(const std::filesystem::path& file);

// Writes a model without a batch dimension: "a" of FP32 [2, 3] and "b" of
// FP32 [3], "y" their sum.
void WriteStaticModel(const std::filesystem::path& file);

}  // namespace relu

#endif  // TESTS_SERVER_ONNX_MODEL_H_
