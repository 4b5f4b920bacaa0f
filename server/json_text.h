// Text as a JSON string.

#ifndef SERVER_JSON_TEXT_H_
#define SERVER_JSON_TEXT_H_

#include <string>
#include <string_view>

namespace relu {

// Appends `text` in quotes, escaped. What is not UTF-8 in it becomes \xHH, as
// ToValidUtf8 writes it.
void AppendJsonString(std::string_view text, std::string& json);

}  // namespace relu

#endif  // SERVER_JSON_TEXT_H_
