#include "server/health.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/unknown_field_set.h"

#include "core/base/mutex.h"

namespace relu {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// HealthCheckRequest.service and HealthCheckResponse.status. The messages are
// so small that they are taken as fields without a schema.
constexpr int kServiceField = 1;
constexpr int kStatusField = 1;

}  // namespace

void Health::Set(std::string_view name, bool serving) {
  {
    const MutexLock lock(mu_);
    if (ending_) {
      return;
    }
    services_[std::string(name)] =
        serving ? ServingStatus::kServing : ServingStatus::kNotServing;
  }
  Notify();
}

void Health::SetAll(const std::map<std::string, bool>& services) {
  {
    const MutexLock lock(mu_);
    if (ending_) {
      return;
    }
    services_.clear();
    for (const auto& [name, serving] : services) {
      services_[name] =
          serving ? ServingStatus::kServing : ServingStatus::kNotServing;
    }
  }
  Notify();
}

void Health::SetAllNotServing(std::string_view except) {
  {
    const MutexLock lock(mu_);
    ending_ = true;
    for (auto& [name, status] : services_) {
      status = name == except ? status : ServingStatus::kNotServing;
    }
  }
  Notify();
}

ServingStatus Health::Get(std::string_view name) const {
  const MutexLock lock(mu_);
  const auto service = services_.find(name);
  return service == services_.end() ? ServingStatus::kServiceUnknown
                                    : service->second;
}

void Health::Close() {
  {
    const MutexLock lock(mu_);
    closed_ = true;
  }
  Notify();
}

bool Health::closed() const {
  const MutexLock lock(mu_);
  return closed_;
}

void Health::Subscribe(Listener& listener) {
  const MutexLock lock(mu_);
  listeners_.insert(&listener);
}

void Health::Unsubscribe(Listener& listener) {
  const MutexLock lock(mu_);
  listeners_.erase(&listener);
}

void Health::Notify() {
  std::set<Listener*> listeners;
  {
    const MutexLock lock(mu_);
    listeners = listeners_;
  }
  for (Listener* listener : listeners) {
    listener->OnHealthChange();
  }
}

absl::StatusOr<std::string> ParseHealthRequest(std::string_view bytes) {
  UnknownFieldSet fields;
  if (!fields.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(
        "the request is no grpc.health.v1.HealthCheckRequest");
  }
  std::string name;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (field.number() == kServiceField &&
        field.type() == UnknownField::TYPE_LENGTH_DELIMITED) {
      name = field.length_delimited();
    }
  }
  return name;
}

std::string HealthResponse(ServingStatus status) {
  UnknownFieldSet fields;
  fields.AddVarint(kStatusField, static_cast<std::uint64_t>(status));
  std::string bytes;
  fields.SerializeToString(&bytes);
  return bytes;
}

}  // namespace relu
