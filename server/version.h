// The version of the program: that of the CMake project.

#ifndef SERVER_VERSION_H_
#define SERVER_VERSION_H_

#include <string_view>

namespace relu {

inline constexpr std::string_view kServerVersion = RELUD_VERSION;

}  // namespace relu

#endif  // SERVER_VERSION_H_
