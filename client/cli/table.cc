#include "client/cli/table.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/display_text.h"
#include "core/base/check.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::size_t kGap = 2;  // Blanks between columns.

TableRow Escape(const TableRow& row) {
  TableRow escaped;
  for (const std::string& cell : row) {
    escaped.push_back(EscapeControl(cell));
  }
  return escaped;
}

void AppendLine(const TableRow& row, const std::vector<std::size_t>& widths,
                bool header, CellColour (*colour_of)(const std::string&),
                std::string& text) {
  std::size_t blanks = 0;  // Held back: no line ends in blanks.
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!row[i].empty()) {
      text.append(blanks, ' ');
      text += PaintCell(row[i], colour_of == nullptr ? CellColour::kNone
                                : header             ? CellColour::kBold
                                                     : colour_of(row[i]));
      blanks = 0;
    }
    blanks += widths[i] - DisplayWidth(row[i]) + kGap;
  }
  text += '\n';
}

}  // namespace

std::string PaintCell(std::string_view text, CellColour colour) {
  switch (colour) {
    case CellColour::kNone:
      break;
    case CellColour::kBold:
      return fmt::format("\x1b[1m{}\x1b[0m", text);
    case CellColour::kGreen:
      return fmt::format("\x1b[32m{}\x1b[0m", text);
    case CellColour::kRed:
      return fmt::format("\x1b[31m{}\x1b[0m", text);
  }
  return std::string(text);
}

std::string FormatTable(const TableRow& header,
                        const std::vector<TableRow>& rows,
                        CellColour (*colour_of)(const std::string&)) {
  std::vector<TableRow> lines = {Escape(header)};
  for (const TableRow& row : rows) {
    CHECK(row.size() == header.size());
    lines.push_back(Escape(row));
  }
  std::vector<std::size_t> widths(header.size(), 0);
  for (const TableRow& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(line[i]));
    }
  }
  std::string text;
  for (const TableRow& line : lines) {
    AppendLine(line, widths, /*header=*/&line == lines.data(), colour_of, text);
  }
  return text;
}

}  // namespace relu
