#include "client/cli/csv_reader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/number.h"
#include "client/cli/rows.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

using Fields = std::vector<std::string_view>;

// The lines of a text, one after the other, with their numbers.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (rest_.starts_with(kByteOrderMark)) {
      rest_.remove_prefix(kByteOrderMark.size());
    }
  }

  // The next line that is not blank; nullopt at the end.
  std::optional<std::string_view> Next() {
    while (!rest_.empty()) {
      const std::size_t size = std::min(rest_.find('\n'), rest_.size());
      const std::string_view line = rest_.substr(0, size);
      rest_.remove_prefix(std::min(size + 1, rest_.size()));
      ++number_;
      if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
        return line;
      }
    }
    return std::nullopt;
  }

  int number() const { return number_; }

 private:
  std::string_view rest_;
  int number_ = 0;
};

// Without blanks around it, and without its quotes.
std::string_view Trim(std::string_view field) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = field.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    return {};
  }
  field = field.substr(begin, field.find_last_not_of(kBlanks) + 1 - begin);
  if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
    field = field.substr(1, field.size() - 2);
  }
  return field;
}

// Splits at the commas that do not stand in quotes.
void Split(std::string_view line, Fields& fields) {
  fields.clear();
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.push_back(Trim(line.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  fields.push_back(Trim(line.substr(begin)));
}

bool IsHeader(const Fields& fields) {
  return !std::ranges::all_of(fields, [](std::string_view field) {
    return ParseNumber(field).has_value();
  });
}

// Which column holds the label; nullopt if none does. `header`: the names of
// the columns, or nullptr.
absl::StatusOr<std::optional<std::size_t>> FindLabel(std::string_view label,
                                                     const Fields& first,
                                                     const Fields* header) {
  if (label.empty()) {
    return std::optional<std::size_t>();
  }
  if (header != nullptr) {
    const auto found = std::ranges::find(*header, label);
    if (found != header->end()) {
      return static_cast<std::size_t>(found - header->begin());
    }
  }
  if (label == kLastColumn) {
    return first.size() - 1;
  }
  return absl::InvalidArgumentError(
      header == nullptr
          ? fmt::format("label \"{}\": the rows have no header line; only "
                        "\"{}\" is possible",
                        label, kLastColumn)
          : fmt::format("label \"{}\": no column of the header line has this "
                        "name",
                        label));
}

// Takes the lines apart; knows where it is, for messages.
class RowReader {
 public:
  RowReader(const ModelInputs& inputs, std::optional<std::size_t> label_column)
      : inputs_(inputs), label_column_(label_column) {
    for (const ModelInput& input : inputs.inputs) {
      columns_ += static_cast<std::size_t>(input.row_elements.value_or(0));
    }
  }

  absl::Status Read(const Fields& fields, int line_number, Rows& rows) const {
    const std::size_t want = columns_ + (label_column_.has_value() ? 1 : 0);
    if (fields.size() != want) {
      return absl::InvalidArgumentError(
          fmt::format("line {}: {} columns, the model wants {}", line_number,
                      fields.size(), WantText(fields.size())));
    }
    std::size_t column = 0;
    for (std::size_t i = 0; i < rows.inputs.size(); ++i) {
      for (std::int64_t k = *inputs_.inputs[i].row_elements; k > 0; --k) {
        column += column == label_column_ ? 1U : 0U;
        absl::Status status =
            ReadElement(fields, column++, line_number, rows.inputs[i]);
        if (!status.ok()) {
          return status;
        }
      }
    }
    if (label_column_.has_value()) {
      ASSIGN_OR_RETURN(const Number label,
                       Parse(fields, *label_column_, line_number));
      rows.labels.push_back(ToDouble(label));
    }
    ++rows.count;
    return absl::OkStatus();
  }

 private:
  static absl::StatusOr<Number> Parse(const Fields& fields, std::size_t column,
                                      int line_number) {
    const auto number = ParseNumber(fields[column]);
    if (!number.has_value()) {
      return absl::InvalidArgumentError(
          fmt::format("line {}, column {}: \"{}\" is not a number", line_number,
                      column + 1, fields[column]));
    }
    return *number;
  }

  static absl::Status ReadElement(const Fields& fields, std::size_t column,
                                  int line_number, RowTensor& tensor) {
    ASSIGN_OR_RETURN(const Number number, Parse(fields, column, line_number));
    const absl::Status status =
        AppendElement(number, tensor.type, tensor.bytes);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("line {}, column {}: input \"{}\": {}", line_number,
                      column + 1, tensor.name, std::string(status.message())));
    }
    return absl::OkStatus();
  }

  // "13 (dense: 9, cat: 4) and a label".
  std::string WantText(std::size_t found) const {
    std::string text = fmt::format("{} (", columns_);
    for (const ModelInput& input : inputs_.inputs) {
      text += fmt::format("{}{}: {}", text.ends_with('(') ? "" : ", ",
                          input.name, input.row_elements.value_or(0));
    }
    text += label_column_.has_value() ? ") and a label" : ")";
    if (!label_column_.has_value() && found == columns_ + 1) {
      text += "; if one column is the true label, name it with --label";
    }
    return text;
  }

  const ModelInputs& inputs_;
  const std::optional<std::size_t> label_column_;
  std::size_t columns_ = 0;  // Without the label.
};

}  // namespace

absl::StatusOr<Rows> ReadCsv(std::string_view text, const ModelInputs& inputs,
                             std::string_view label) {
  ASSIGN_OR_RETURN(Rows rows, EmptyRows(inputs));
  Lines lines(text);
  auto line = lines.Next();
  if (!line.has_value()) {
    return absl::InvalidArgumentError("there are no rows");
  }
  Fields fields;
  Split(*line, fields);
  const Fields first = fields;
  const bool has_header = IsHeader(first);
  ASSIGN_OR_RETURN(const std::optional<std::size_t> label_column,
                   FindLabel(label, first, has_header ? &first : nullptr));
  if (has_header) {
    rows.columns.assign(first.begin(), first.end());
    if (label_column.has_value()) {
      rows.columns.erase(rows.columns.begin() +
                         static_cast<std::ptrdiff_t>(*label_column));
    }
    line = lines.Next();
  }
  const RowReader reader(inputs, label_column);
  for (; line.has_value(); line = lines.Next()) {
    Split(*line, fields);
    RETURN_IF_ERROR(reader.Read(fields, lines.number(), rows));
  }
  return rows;
}

}  // namespace relu
