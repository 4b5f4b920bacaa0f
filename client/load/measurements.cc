#include "client/load/measurements.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "absl/status/status.h"

#include "client/load/call.h"

namespace relu::load {

void Measurements::Record(const Call& call) {
  const auto code = static_cast<std::size_t>(call.code);
  ++codes[code < codes.size() ? code : 2];  // 2: UNKNOWN.
  send_delay.Record(call.sent - call.intended);
  const bool good = call.code == absl::StatusCode::kOk && !call.mismatch;
  if (good) {
    latency.Record(call.answered - call.intended);
    service_time.Record(call.answered - call.sent);
  } else {
    mismatches += call.mismatch ? 1 : 0;
    messages.try_emplace(call.code, call.error);
  }
  if (call.request->model < models.size()) {
    ModelMeasurements& model = models[call.request->model];
    ++(good ? model.good : model.failed);
    if (good) {
      model.latency.Record(call.answered - call.intended);
    }
  }
}

void Measurements::Add(const Measurements& other) {
  length += other.length;
  answered += other.answered;
  rows += other.rows;
  sent += other.sent;
  latency.Add(other.latency);
  service_time.Add(other.service_time);
  send_delay.Add(other.send_delay);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] += other.codes[i];
  }
  timeouts += other.timeouts;
  mismatches += other.mismatches;
  unsent += other.unsent;
  messages.insert(other.messages.begin(), other.messages.end());
  bytes_sent += other.bytes_sent;
  bytes_received += other.bytes_received;
  cpu += other.cpu;
  models.resize(std::max(models.size(), other.models.size()));
  for (std::size_t i = 0; i < other.models.size(); ++i) {
    models[i].good += other.models[i].good;
    models[i].failed += other.models[i].failed;
    models[i].latency.Add(other.models[i].latency);
  }
}

void Measurements::Clear() {
  Measurements empty(models.size());
  for (Histogram Measurements::*const histogram :
       {&Measurements::latency, &Measurements::service_time,
        &Measurements::send_delay}) {
    (this->*histogram).Clear();
    std::swap(empty.*histogram, this->*histogram);
  }
  for (std::size_t i = 0; i < models.size(); ++i) {
    models[i].latency.Clear();
    std::swap(empty.models[i].latency, models[i].latency);
  }
  *this = std::move(empty);
}

std::uint64_t Measurements::failed() const {
  return std::accumulate(codes.begin() + 1, codes.end(), mismatches);
}

}  // namespace relu::load
