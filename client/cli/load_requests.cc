#include "client/cli/load_requests.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/load_options.h"
#include "client/cli/npy_reader.h"
#include "client/cli/number.h"
#include "client/cli/row_source.h"
#include "client/cli/rows.h"
#include "client/load/expected_answer.h"
#include "client/load/mix.h"
#include "client/load/request.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/tensor/data_type.h"
#include "core/tensor/shape.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::size_t kMaxExpectationBytes = std::size_t{16} << 30;

constexpr std::int64_t kMaxMadeUpElements = std::int64_t{1} << 30;

absl::Status WrongRequest(std::string_view what) {
  return absl::InvalidArgumentError(std::string(what));
}

// "NAME" or "NAME=WEIGHT".
absl::StatusOr<load::MixModel> ModelOf(std::string_view text,
                                       const LoadOptions& options) {
  const std::size_t split = text.rfind('=');
  load::MixModel model{.name = std::string(text.substr(0, split)),
                       .version = options.version};
  if (split != std::string_view::npos) {
    const std::string_view weight = text.substr(split + 1);
    const char* const end = weight.data() + weight.size();
    const auto [rest, error] =
        std::from_chars(weight.data(), end, model.weight);
    if (error != std::errc() || rest != end || !(model.weight > 0) ||
        !(model.weight <= 1e9)) {
      return WrongRequest(
          fmt::format("model \"{}\": the weight \"{}\" is no number above 0",
                      text, weight));
    }
  }
  return model;
}

// The rows of one request for each output that --expect names.
struct Expectation {
  std::string name;
  std::string datatype;
  std::string bytes;
  std::size_t row_bytes = 0;
};

absl::StatusOr<Expectation> ReadExpectation(std::string_view text,
                                            std::int64_t rows) {
  const std::size_t split = text.find('=');
  if (split == std::string_view::npos) {
    return WrongRequest(
        fmt::format("--expect \"{}\": NAME=FILE is wanted", text));
  }
  const std::string file(text.substr(split + 1));
  ASSIGN_OR_RETURN(const std::string bytes,
                   ReadFile(file, kMaxExpectationBytes));
  const auto array = ReadNpy(bytes);
  if (!array.ok()) {
    return WrongRequest(
        fmt::format("{}: {}", file, std::string(array.status().message())));
  }
  if (array->shape.empty() || array->shape[0] != rows) {
    return WrongRequest(fmt::format("{}: the shape {} is not that of {} rows",
                                    file, ShapeText(array->shape), rows));
  }
  return Expectation{
      .name = std::string(text.substr(0, split)),
      .datatype = std::string(DataTypeName(array->type)),
      .bytes = {reinterpret_cast<const char*>(array->elements.data()),
                array->elements.size()},
      .row_bytes = array->elements.size() / static_cast<std::size_t>(rows)};
}

// Makes the requests of one model.
class RequestMaker {
 public:
  RequestMaker(InferenceClient& client, const LoadOptions& options,
               load::MixModel& model, std::size_t index)
      : client_(client), options_(options), model_(model), index_(index) {}

  absl::Status Make(std::istream& standard_input) {
    ASSIGN_OR_RETURN(const ModelMetadata metadata,
                     client_.ModelMetadata(model_.name, model_.version));
    ASSIGN_OR_RETURN(const ModelInputs inputs, InputsOf(metadata));
    const bool given =
        !options_.input.empty() || !options_.named_inputs.empty();
    ASSIGN_OR_RETURN(rows_, given ? ReadRows(options_, inputs, standard_input)
                                  : MakeUpRows(inputs,
                                               std::max(options_.made_up_rows,
                                                        options_.batch_rows),
                                               options_.seed));
    for (const std::string& text : options_.expect) {
      ASSIGN_OR_RETURN(expectations_.emplace_back(),
                       ReadExpectation(text, rows_.count));
    }
    return MakeRequests(inputs.fixed_batch_rows.value_or(options_.batch_rows));
  }

 private:
  absl::Status MakeRequests(std::int64_t batch_rows) {
    if (rows_.count < batch_rows) {
      return WrongRequest(fmt::format("model \"{}\": {} rows, a request has {}",
                                      model_.name, rows_.count, batch_rows));
    }
    // Rows that do not fill a request are left out.
    for (std::int64_t first = 0; first + batch_rows <= rows_.count;
         first += batch_rows) {
      ASSIGN_OR_RETURN(load::Request request, MakeRequest(first, batch_rows));
      model_.requests.push_back(std::move(request));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<load::Request> MakeRequest(std::int64_t first,
                                            std::int64_t count) {
    InferRequest request(model_.name, model_.version);
    for (const RowTensor& tensor : rows_.inputs) {
      request.AddRawInput(tensor.name, DataTypeName(tensor.type),
                          tensor.ShapeOf(count), tensor.RowBytes(first, count));
    }
    for (const std::string& output : options_.outputs) {
      request.AddOutput(output);
    }
    load::Request encoded{.rows = count, .model = index_};
    ASSIGN_OR_RETURN(encoded.message,
                     load::EncodeRequest(request,
                                         options_.typed ? load::Contents::kTyped
                                                        : load::Contents::kRaw,
                                         /*with_id=*/options_.streams > 0));
    ASSIGN_OR_RETURN(encoded.expected, Expected(request, first, count));
    return encoded;
  }

  absl::StatusOr<std::shared_ptr<const load::ExpectedAnswer>> Expected(
      const InferRequest& request, std::int64_t first, std::int64_t count) {
    std::vector<load::ExpectedOutput> outputs;
    for (const Expectation& expectation : expectations_) {
      outputs.push_back(
          {.name = expectation.name,
           .datatype = expectation.datatype,
           .bytes = expectation.bytes.substr(
               static_cast<std::size_t>(first) * expectation.row_bytes,
               static_cast<std::size_t>(count) * expectation.row_bytes)});
    }
    if (options_.check && outputs.empty()) {
      ASSIGN_OR_RETURN(const InferResult answer, client_.Infer(request));
      for (const OutputTensor& output : answer.outputs()) {
        outputs.push_back(
            {.name = output.name,
             .datatype = output.datatype,
             .bytes = {reinterpret_cast<const char*>(output.bytes.data()),
                       output.bytes.size()}});
      }
    }
    if (outputs.empty()) {
      return std::shared_ptr<const load::ExpectedAnswer>();
    }
    return std::make_shared<const load::ExpectedAnswer>(std::move(outputs),
                                                        options_.tolerance);
  }

  InferenceClient& client_;
  const LoadOptions& options_;
  load::MixModel& model_;
  const std::size_t index_;
  Rows rows_;
  std::vector<Expectation> expectations_;
};

}  // namespace

absl::StatusOr<load::Mix> MakeMix(InferenceClient& client,
                                  const LoadOptions& options,
                                  std::istream& standard_input) {
  load::Mix mix;
  for (const std::string& text : options.models) {
    ASSIGN_OR_RETURN(mix.emplace_back(), ModelOf(text, options));
  }
  const bool from_file = !options.input.empty() ||
                         !options.named_inputs.empty() ||
                         !options.expect.empty();
  if (mix.size() > 1 && from_file) {
    return WrongRequest(
        "--input, --input-name and --expect: they go with one model only");
  }
  for (std::size_t i = 0; i < mix.size(); ++i) {
    RETURN_IF_ERROR(
        RequestMaker(client, options, mix[i], i).Make(standard_input));
  }
  return mix;
}

absl::StatusOr<Rows> MakeUpRows(const ModelInputs& inputs, std::int64_t count,
                                std::uint64_t seed) {
  ASSIGN_OR_RETURN(Rows rows, EmptyRows(inputs));
  rows.count = count;
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  for (RowTensor& tensor : rows.inputs) {
    const std::int64_t elements = ElementCount(tensor.row_shape).value_or(0);
    if (elements > kMaxMadeUpElements / count) {
      return WrongRequest(fmt::format(
          "input \"{}\": {} rows of {} elements are too much to make up",
          tensor.name, count, elements));
    }
    for (std::int64_t i = 0; i < count * elements; ++i) {
      const Number number =
          IsFloat(tensor.type)
              ? Number(static_cast<double>(static_cast<float>(normal(random))))
              : Number(static_cast<std::int64_t>(random() % 2));
      RETURN_IF_ERROR(AppendElement(number, tensor.type, tensor.bytes));
    }
  }
  return rows;
}

}  // namespace relu
