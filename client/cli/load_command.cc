#include "client/cli/load_command.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "client/cli/connection_options.h"
#include "client/cli/console.h"
#include "client/cli/interval_statistics.h"
#include "client/cli/load_options.h"
#include "client/cli/load_page.h"
#include "client/cli/load_report.h"
#include "client/cli/load_requests.h"
#include "client/cli/outcome.h"
#include "client/load/grpc_session.h"
#include "client/load/load_run.h"
#include "client/load/mix.h"
#include "client/load/network_transport.h"
#include "client/load/peak_search.h"
#include "client/load/socket.h"
#include "client/load/tls_stream.h"
#include "core/base/status_macros.h"
#include "fmt/format.h"

namespace relu {
namespace {

using load::LoadResult;
using load::Measurements;

constexpr char kUserAgent[] = "reluctl-load";
constexpr char kUnaryPath[] = "/inference.GRPCInferenceService/ModelInfer";
constexpr char kStreamPath[] =
    "/inference.GRPCInferenceService/ModelStreamInfer";

// A closed loop that finds out what rates to search among.
constexpr int kGuessConcurrency = 32;
constexpr std::chrono::seconds kGuessDuration(1);

std::string UtcNow() {
  const std::time_t now =
      std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm time{};
  gmtime_r(&now, &time);
  std::array<char, 32> text{};
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &time);
  return {text.data(), size};
}

double MicrosecondsOf(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

// Shows a line that each window overwrites. Nothing if nobody looks.
class Progress {
 public:
  Progress(Console& console, bool quiet)
      : console_(console), shown_(console.err_is_terminal && !quiet) {}
  ~Progress() { Clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Begin(const load::Pace& pace) {
    pace_ = PaceText(pace);
    seconds_ = 0;
    Show("warming up");
  }

  void OnWindow(const Measurements& window) {
    seconds_ += std::chrono::duration<double>(window.length).count();
    Show(fmt::format(
        "{:.0f} s: {:.0f} calls/s, p50 {:.0f} us, p99 {:.0f} us, "
        "{} failed",
        seconds_, CallsPerSecond(window),
        MicrosecondsOf(window.latency.Percentile(50)),
        MicrosecondsOf(window.latency.Percentile(99)), window.failed()));
  }

  void Clear() {
    if (shown_) {
      console_.err << "\r\x1b[K" << std::flush;
    }
  }

 private:
  void Show(std::string_view text) {
    if (shown_) {
      console_.err << fmt::format("\r\x1b[K{}: {}", pace_, text) << std::flush;
    }
  }

  Console& console_;
  const bool shown_;
  std::string pace_;
  double seconds_ = 0;
};

// What all runs of the command share.
class LoadSession {
 public:
  LoadSession(InferenceClient& client, const ConnectionOptions& connection,
              const LoadOptions& options, Console& console)
      : client_(client),
        target_(connection),
        options_(options),
        console_(console),
        progress_(console, options.quiet) {}

  absl::Status Prepare() {
    ASSIGN_OR_RETURN(plan_, PlanOf(options_));
    ASSIGN_OR_RETURN(paces_, PacesOf(options_));
    plan_.timeout = target_.timeout;
    ASSIGN_OR_RETURN(load::Mix mix, MakeMix(client_, options_, console_.in));
    plan_.mix = std::make_shared<const load::Mix>(std::move(mix));
    RETURN_IF_ERROR(PrepareNetwork());
    const std::size_t requests = (*plan_.mix)[0].requests.size();
    report_ = {.server = target_.server,
               .started = UtcNow(),
               .models = {},
               .settings = Settings(requests),
               .threads = options_.threads,
               .steps = {},
               .peak = {}};
    for (const load::MixModel& model : *plan_.mix) {
      report_.models.push_back(model.name);
    }
    return absl::OkStatus();
  }

  absl::Status Run() {
    if (options_.peak_target_ms.has_value()) {
      return Search();
    }
    for (const load::Pace& pace : paces_) {
      ASSIGN_OR_RETURN(const LoadResult result, RunStep(pace, plan_));
      if (result.interrupted) {
        break;
      }
    }
    return absl::OkStatus();
  }

  LoadReport& report() { return report_; }

 private:
  absl::Status PrepareNetwork() {
    ASSIGN_OR_RETURN(const ClientOptions client, ClientOptionsOf(target_));
    ASSIGN_OR_RETURN(network_.addresses, load::ResolveTarget(target_.server));
    const std::string authority = load::AuthorityOf(target_.server);
    load::CallForm& form = network_.form;
    form.streams = options_.streams;
    form.headers.path = form.streams > 0 ? kStreamPath : kUnaryPath;
    form.headers.authority = authority;
    form.headers.user_agent = kUserAgent;
    if (form.streams == 0) {  // A stream lasts as long as the run.
      form.headers.timeout = load::GrpcTimeoutText(target_.timeout.count());
    }
    if (client.token) {
      form.headers.metadata.emplace_back(
          "authorization", fmt::format("Bearer {}", client.token()));
    }
    if (client.tls.enabled) {
      ASSIGN_OR_RETURN(form.tls, load::TlsContext::Create(client.tls));
      form.headers.scheme = "https";
      form.server_name = !client.tls.server_name.empty()
                             ? client.tls.server_name
                             : load::HostOf(authority);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<LoadResult> RunAt(const load::Pace& pace,
                                   load::LoadPlan plan) {
    plan.pace = pace;
    progress_.Begin(pace);
    load::LoadSetting setting;
    setting.connect = [this](int thread) { return Connect(thread); };
    setting.on_window = [this](const Measurements& window) {
      progress_.OnWindow(window);
    };
    setting.interrupted = console_.interrupted;
    auto result = load::RunLoad(plan, setting);
    progress_.Clear();
    return result;
  }

  // Runs, and adds the step to the report.
  absl::StatusOr<LoadResult> RunStep(const load::Pace& pace,
                                     const load::LoadPlan& plan) {
    const auto before = ServerStatistics();
    ASSIGN_OR_RETURN(LoadResult result, RunAt(pace, plan));
    report_.steps.push_back(
        {.pace = pace,
         .result = result,
         .server = ServedBetween(before, ServerStatistics()),
         .warnings = WarningsOf(pace, result, options_.threads)});
    return result;
  }

  // What the server counts; nothing if it does not.
  std::vector<ModelStatistics> ServerStatistics() {
    auto statistics = client_.ModelStatistics();
    return statistics.ok() ? *std::move(statistics)
                           : std::vector<ModelStatistics>();
  }

  // Of the models of this run. With the calls of the warm-up.
  std::vector<IntervalStatistics> ServedBetween(
      const std::vector<ModelStatistics>& before,
      const std::vector<ModelStatistics>& after) const {
    std::vector<IntervalStatistics> figures = StatisticsBetween(before, after);
    std::erase_if(figures, [this](const IntervalStatistics& model) {
      return model.requests + model.failures == 0 ||
             std::ranges::find(report_.models, model.name) ==
                 report_.models.end();
    });
    return figures;
  }

  absl::Status Search() {
    const bool poisson = options_.arrivals == "poisson";
    load::PeakSearch search{
        .percentile = options_.peak_percentile,
        .target = std::chrono::nanoseconds(
            static_cast<std::int64_t>(*options_.peak_target_ms * 1e6)),
        .failed_share = options_.peak_failed_percent / 100};
    if (options_.rates.empty()) {
      ASSIGN_OR_RETURN(search.first_per_second, GuessRate());
    } else {
      search.first_per_second = options_.rates[0];
    }
    ASSIGN_OR_RETURN(
        const load::Peak peak, load::FindPeak(search, [&](double rate) {
          return RunStep(load::Rate{.per_second = rate, .poisson = poisson},
                         plan_);
        }));
    report_.peak = LoadPeak{.per_second = peak.per_second,
                            .percentile = search.percentile,
                            .target_ms = *options_.peak_target_ms};
    return absl::OkStatus();
  }

  // Half of what a closed loop reaches.
  absl::StatusOr<double> GuessRate() {
    load::LoadPlan plan = plan_;
    plan.duration = kGuessDuration;
    plan.calls.reset();
    plan.stability.reset();
    ASSIGN_OR_RETURN(
        const LoadResult result,
        RunAt(load::Concurrency{.calls = std::max(kGuessConcurrency,
                                                  options_.threads)},
              plan));
    return std::max(CallsPerSecond(result.total) / 2, 1.0);
  }

  absl::StatusOr<std::unique_ptr<load::Transport>> Connect(int thread) {
    load::NetworkOptions options = network_;
    options.connections =
        options_.connections / options_.threads +
        (thread < options_.connections % options_.threads ? 1 : 0);
    options.connections = std::max(options.connections, 1);
    auto transport =
        load::NetworkTransport::Connect(std::move(options), target_.timeout);
    if (!transport.ok()) {
      return absl::UnavailableError(
          fmt::format("server \"{}\": {}", target_.server,
                      std::string(transport.status().message())));
    }
    return *std::move(transport);
  }

  std::vector<std::pair<std::string, std::string>> Settings(
      std::size_t requests) const {
    return {
        {"rows a call", fmt::format("{}", options_.batch_rows)},
        {"different requests", fmt::format("{}", requests)},
        {"contents", options_.typed ? "typed" : "raw"},
        {"calls", options_.streams > 0
                      ? fmt::format("{} streams a connection", options_.streams)
                      : "unary"},
        {"connections",
         fmt::format("{}", std::max(options_.connections, options_.threads))},
        {"threads", fmt::format("{}", options_.threads)},
        {"warm-up",
         fmt::format("{} s",
                     std::chrono::duration<double>(plan_.warm_up).count())},
        {"timeout", fmt::format("{} ms", target_.timeout.count())}};
  }

  InferenceClient& client_;
  const ConnectionOptions& target_;
  const LoadOptions& options_;
  Console& console_;
  Progress progress_;
  load::LoadPlan plan_;
  std::vector<load::Pace> paces_;
  load::NetworkOptions network_;
  LoadReport report_;
};

Outcome LoadFailed(const absl::Status& status) {
  return absl::IsInvalidArgument(status) ? WrongInput(status)
                                         : CallFailed(status);
}

std::string LoadText(const LoadReport& report, OutputForm form) {
  return form == OutputForm::kJson  ? LoadReportJson(report)
         : form == OutputForm::kCsv ? LoadReportCsv(report)
                                    : LoadReportTable(report);
}

absl::Status WritePage(const LoadReport& report, const std::string& file) {
  std::ofstream stream(file, std::ios::binary);
  stream << LoadPage(LoadReportJson(report));
  stream.close();
  return stream.good() ? absl::OkStatus()
                       : absl::InvalidArgumentError(fmt::format(
                             "{}: the report cannot be written", file));
}

bool HasFailures(const LoadReport& report) {
  if (report.peak.has_value()) {
    return !report.peak->per_second.has_value();
  }
  return std::ranges::any_of(report.steps, [](const LoadStep& step) {
    return step.result.total.failed() + step.result.total.unsent > 0;
  });
}

}  // namespace

Outcome RunLoadCommand(InferenceClient& client,
                       const ConnectionOptions& connection,
                       const LoadOptions& options, Console& console) {
  LoadSession session(client, connection, options, console);
  if (const absl::Status status = session.Prepare(); !status.ok()) {
    return LoadFailed(status);
  }
  console.catch_interrupts();
  const absl::Status status = session.Run();
  const LoadReport& report = session.report();
  Outcome outcome;
  if (!status.ok()) {
    outcome = LoadFailed(status);
  } else if (HasFailures(report)) {
    outcome.code = ExitCode::kFailedCalls;
  }
  // Also what was measured before an error.
  if (status.ok() || !report.steps.empty()) {
    outcome.out = LoadText(report, options.form);
    if (!options.report_file.empty()) {
      if (const absl::Status written = WritePage(report, options.report_file);
          !written.ok()) {
        outcome.code = ExitCode::kWrongInput;
        outcome.err += WrongInput(written).err;
      }
    }
  }
  return outcome;
}

}  // namespace relu
