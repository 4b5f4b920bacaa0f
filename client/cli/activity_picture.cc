#include "client/cli/activity_picture.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/activity.h"
#include "client/cli/activity_text.h"
#include "fmt/format.h"

namespace relu {
namespace {

constexpr std::size_t kColumns = 32;
constexpr double kCell = 11.0;
constexpr double kLeft = 16.0;
constexpr double kRight = kLeft + kColumns * kCell + 40.0;
constexpr double kBars = 220.0;      // Where the bars of inputs begin.
constexpr double kBarWidth = 320.0;  // Beside it there is room for figures.
// Standard errors that have the full colour.
constexpr double kFullShift = 8.0;

using Colour = std::array<double, 3>;
// Okabe and Ito's, which colour-blind people can tell apart.
constexpr Colour kBlue = {0, 114, 178};
constexpr Colour kOrange = {213, 94, 0};

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    escaped += c == '&'      ? "&amp;"
               : c == '<'    ? "&lt;"
               : c == '>'    ? "&gt;"
               : c == '"'    ? "&quot;"
               : byte < 0x20 ? "?"
                             : std::string(1, c);
  }
  return escaped;
}

// From white to `colour`.
std::string Tint(const Colour& colour, double part) {
  const double bounded = std::clamp(part, 0.0, 1.0);
  const auto mix = [&](double channel) {
    return static_cast<int>(std::lround(255 + (channel - 255) * bounded));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mix(colour[0]), mix(colour[1]),
                     mix(colour[2]));
}

// An SVG that grows downwards.
class Picture {
 public:
  void Text(double x, std::string_view text, int size = 12,
            std::string_view attributes = "") {
    body_ += fmt::format(
        "<text x=\"{:.0f}\" y=\"{:.0f}\" font-size=\"{}\" {}>{}</text>\n", x,
        y_, size, attributes, EscapeXml(text));
  }

  void Rectangle(double x, double y, double width, double height,
                 std::string_view fill, std::string_view title = "") {
    body_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
        "fill=\"{}\">",
        x, y_ + y, width, height, fill);
    if (!title.empty()) {
      body_ += fmt::format("<title>{}</title>", EscapeXml(title));
    }
    body_ += "</rect>\n";
  }

  void Down(double pixels) { y_ += pixels; }

  std::string Finish(double width) const {
    return fmt::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} "
               "{:.0f}\" font-family=\"sans-serif\">\n<rect width=\"100%\" "
               "height=\"100%\" fill=\"#ffffff\"/>\n",
               width, y_ + 10) +
           body_ + "</svg>\n";
  }

 private:
  std::string body_;
  double y_ = 0.0;
};

void AddCell(double x, std::size_t neuron, std::string_view fill,
             std::string_view title, Picture& picture) {
  picture.Rectangle(x + static_cast<double>(neuron % kColumns) * kCell,
                    static_cast<double>(neuron / kColumns) * kCell, kCell - 1,
                    kCell - 1, fill, title);
}

void AddLayer(const LayerActivity& layer, Picture& picture) {
  picture.Down(30);
  picture.Text(kLeft,
               fmt::format("{} ({}): {:.0f} % off, {} dead, {} always on",
                           layer.name, layer.function, 100 * layer.sparsity,
                           layer.dead, layer.always_on));
  if (!layer.firing_shift.empty()) {
    picture.Text(kRight,
                 fmt::format("moved: firing {:.3g} of {:.3g}, magnitude "
                             "{:.3g} of {:.3g}",
                             layer.firing_score, layer.firing_threshold,
                             layer.magnitude_score, layer.magnitude_threshold));
  }
  picture.Down(8);
  for (std::size_t j = 0; j < layer.firing_rate.size(); ++j) {
    const double rate = layer.firing_rate[j];
    // One that is never on is grey, not almost white.
    AddCell(kLeft, j, rate <= 0 ? "#bbbbbb" : Tint(kBlue, 0.08 + 0.92 * rate),
            fmt::format("{}[{}] on in {:.1f} %", layer.name, j, 100 * rate),
            picture);
    if (j < layer.firing_shift.size()) {
      const double shift = layer.firing_shift[j];
      AddCell(kRight, j,
              Tint(shift < 0 ? kBlue : kOrange,
                   0.04 + std::abs(shift) / kFullShift),
              fmt::format("{}[{}] moved by {:+.1f} standard errors", layer.name,
                          j, shift),
              picture);
    }
  }
  const std::size_t lines =
      (layer.firing_rate.size() + kColumns - 1) / kColumns;
  picture.Down(static_cast<double>(lines) * kCell);
}

void AddInputs(const ActivityResult& result, Picture& picture) {
  constexpr std::size_t kInputs = 8;
  const std::vector<MovedInput> moved = MovedInputs(result, kInputs);
  if (moved.empty()) {
    return;
  }
  const double largest =
      std::max(moved.front().input->score[moved.front().element],
               result.input_threshold);
  picture.Down(34);
  picture.Text(kLeft, fmt::format("inputs that moved most (the line: {:.3g}, "
                                  "beyond it is drift)",
                                  result.input_threshold));
  picture.Down(8);
  picture.Rectangle(kBars + kBarWidth * result.input_threshold / largest, 0,
                    1.5, 20.0 * static_cast<double>(moved.size()), "#555555");
  for (const auto& [input, i] : moved) {
    const double score = input->score[i];
    picture.Rectangle(kBars, 3, std::max(1.0, kBarWidth * score / largest), 14,
                      score > result.input_threshold ? "#d55e00" : "#0072b2");
    picture.Down(15);
    picture.Text(kBars - 8, input->FeatureName(static_cast<std::int64_t>(i)),
                 12, "text-anchor=\"end\"");
    picture.Text(kBars + kBarWidth * score / largest + 8,
                 fmt::format("{:.3g}: mean {:.4g}, was {:.4g}", score,
                             input->mean[i], input->baseline_mean[i]));
    picture.Down(5);
  }
}

}  // namespace

std::string ActivityPicture(const ActivityResult& result) {
  Picture picture;
  picture.Down(26);
  picture.Text(kLeft,
               fmt::format("What the neurons of {} version {} do",
                           result.model_name, result.model_version),
               16, "font-weight=\"bold\"");
  picture.Down(20);
  picture.Text(kLeft,
               fmt::format("{} rows; left: firing rate (white 0, blue 100 %, "
                           "grey never on)",
                           result.sampled_rows));
  if (result.baseline_rows > 0 && result.windows > 0) {
    picture.Text(kRight,
                 fmt::format("the last {} rows against calibration (orange "
                             "more, blue less)",
                             result.window_rows));
  }
  for (const LayerActivity& layer : result.layers) {
    AddLayer(layer, picture);
  }
  AddInputs(result, picture);
  return picture.Finish(kRight + kColumns * kCell + 40);
}

}  // namespace relu
