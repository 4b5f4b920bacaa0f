// A table of text with aligned columns.

#ifndef CLIENT_CLI_TABLE_H_
#define CLIENT_CLI_TABLE_H_

#include <string>
#include <string_view>
#include <vector>

namespace relu {

using TableRow = std::vector<std::string>;

enum class CellColour { kNone, kBold, kGreen, kRed };

// `text` with the sequences that give it its colour on a terminal.
std::string PaintCell(std::string_view text, CellColour colour);

// One line for `header` and one for each row, which have as many cells. Control
// characters in cells are escaped. If there is `colour_of`, the header is bold
// and cells have the colour that it gives to their text (for terminals).
std::string FormatTable(const TableRow& header,
                        const std::vector<TableRow>& rows,
                        CellColour (*colour_of)(const std::string&) = nullptr);

}  // namespace relu

#endif  // CLIENT_CLI_TABLE_H_
