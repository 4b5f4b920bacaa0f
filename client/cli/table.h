// A table of text with aligned columns.

#ifndef CLIENT_CLI_TABLE_H_
#define CLIENT_CLI_TABLE_H_

#include <string>
#include <vector>

namespace relu {

using TableRow = std::vector<std::string>;

// One line for `header` and one for each row, which have as many cells. Control
// characters in cells are escaped.
std::string FormatTable(const TableRow& header,
                        const std::vector<TableRow>& rows);

}  // namespace relu

#endif  // CLIENT_CLI_TABLE_H_
