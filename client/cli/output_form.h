// How reluctl prints: tables for people, JSON and CSV for programs.

#ifndef CLIENT_CLI_OUTPUT_FORM_H_
#define CLIENT_CLI_OUTPUT_FORM_H_

#include <string>
#include <string_view>
#include <vector>

#include "client/cli/table.h"

namespace relu {

enum class OutputForm { kTable, kJson, kCsv };

struct OutputStyle {
  OutputForm form = OutputForm::kTable;
  bool colours = false;  // In tables.
};

// "table", "json" or "csv"; any other text is a table.
OutputForm ParseOutputForm(std::string_view text);

// The same things in each of the three forms.
struct Listing {
  TableRow names;  // Of the columns.
  std::vector<TableRow> rows;
};

// A table, one JSON object for each row in an array, or lines of CSV (RFC
// 4180). Columns of `numbers` are numbers in JSON, if they have a value.
std::string FormatListing(const Listing& listing, const OutputStyle& style,
                          const std::vector<std::string>& numbers = {});

// A word on a line of its own, in its colour.
std::string FormatWord(const std::string& word, const OutputStyle& style);

// Fields of CSV with quotes where they need them, and a line end.
std::string CsvLine(const TableRow& fields);

}  // namespace relu

#endif  // CLIENT_CLI_OUTPUT_FORM_H_
