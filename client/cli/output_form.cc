#include "client/cli/output_form.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/display_text.h"
#include "client/cli/table.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace relu {
namespace {

std::string ListingJson(const Listing& listing,
                        const std::vector<std::string>& numbers) {
  std::vector<std::string> objects;
  for (const TableRow& row : listing.rows) {
    std::vector<std::string> members;
    for (std::size_t i = 0; i < listing.names.size(); ++i) {
      const bool number =
          std::ranges::find(numbers, listing.names[i]) != numbers.end();
      const std::string value = !number          ? JsonString(row[i])
                                : row[i].empty() ? "null"
                                                 : row[i];
      members.push_back(
          fmt::format("{}:{}", JsonString(listing.names[i]), value));
    }
    objects.push_back(fmt::format("{{{}}}", fmt::join(members, ",")));
  }
  return fmt::format("[{}]\n", fmt::join(objects, ","));
}

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  std::string quoted = "\"";
  for (const char c : text) {
    quoted += c;
    if (c == '"') {
      quoted += '"';
    }
  }
  return quoted += '"';
}

// What is well is green, what is not is red.
CellColour ColourOf(const std::string& text) {
  if (text == "READY" || text == "SERVING" || text == "OK") {
    return CellColour::kGreen;
  }
  if (text == "UNAVAILABLE" || text == "NOT_SERVING" || text == "UNLOADING" ||
      text == "SERVICE_UNKNOWN") {
    return CellColour::kRed;
  }
  return CellColour::kNone;
}

}  // namespace

OutputForm ParseOutputForm(std::string_view text) {
  return text == "json"  ? OutputForm::kJson
         : text == "csv" ? OutputForm::kCsv
                         : OutputForm::kTable;
}

std::string FormatWord(const std::string& word, const OutputStyle& style) {
  return PaintCell(word, style.colours ? ColourOf(word) : CellColour::kNone) +
         '\n';
}

std::string CsvLine(const TableRow& fields) {
  TableRow quoted;
  for (const std::string& field : fields) {
    quoted.push_back(CsvField(field));
  }
  return fmt::format("{}\n", fmt::join(quoted, ","));
}

std::string FormatListing(const Listing& listing, const OutputStyle& style,
                          const std::vector<std::string>& numbers) {
  if (style.form == OutputForm::kJson) {
    return ListingJson(listing, numbers);
  }
  if (style.form == OutputForm::kCsv) {
    std::string text = CsvLine(listing.names);
    for (const TableRow& row : listing.rows) {
      text += CsvLine(row);
    }
    return text;
  }
  return FormatTable(listing.names, listing.rows,
                     style.colours ? ColourOf : nullptr);
}

}  // namespace relu
