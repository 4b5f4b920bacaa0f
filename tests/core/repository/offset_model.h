// Small models that tell which of them has answered: y = x + offset.

#ifndef TESTS_CORE_REPOSITORY_OFFSET_MODEL_H_
#define TESTS_CORE_REPOSITORY_OFFSET_MODEL_H_

#include <filesystem>
#include <string>

namespace relu {

class Model;

// The bytes of a model with "x" and "y" of FP32 [batch, 2].
std::string OffsetModel(float offset);

// Writes it, with folders. Every file has another time of modification, even if
// it has the size of the one before and the clock stands still.
std::filesystem::path WriteOffsetModel(const std::filesystem::path& file,
                                       float offset);

// The offset of such a model, by one request to it.
float OffsetOf(Model& model);

}  // namespace relu

#endif  // TESTS_CORE_REPOSITORY_OFFSET_MODEL_H_
