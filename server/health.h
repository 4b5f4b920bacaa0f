// Health: what grpc.health.v1 says of the server and of each model, and who
// wants to hear of changes.

#ifndef SERVER_HEALTH_H_
#define SERVER_HEALTH_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"

#include "core/base/mutex.h"

namespace relu {

// The numbers of grpc.health.v1.HealthCheckResponse.ServingStatus.
enum class ServingStatus {
  kServing = 1,
  kNotServing = 2,
  kServiceUnknown = 3,
};

// Thread-safe. Why not gRPC's own health service: it runs on threads of its
// own, which take turns with ours in reading the sockets, so that every request
// they read costs a hand-off; and its watchers hold up a shutdown until the
// drain timeout.
class Health {
 public:
  class Listener {
   public:
    // Something changed: look again. Called from any thread, with no lock held;
    // a call may still come while Unsubscribe() runs in another thread.
    virtual void OnHealthChange() = 0;

   protected:
    ~Listener() = default;
  };

  Health() = default;
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  // Sets the status of the service `name`: "" is the whole server, a model's
  // name is that model.
  void Set(std::string_view name, bool serving) ABSL_LOCKS_EXCLUDED(mu_);

  // Sets which services there are and whether they serve, in one step.
  void SetAll(const std::map<std::string, bool>& services)
      ABSL_LOCKS_EXCLUDED(mu_);

  // No service but `except` serves from now on, whatever Set() and SetAll()
  // say: the server ends.
  void SetAllNotServing(std::string_view except) ABSL_LOCKS_EXCLUDED(mu_);

  // kServiceUnknown if `name` was never set, or was not among SetAll().
  ServingStatus Get(std::string_view name) const ABSL_LOCKS_EXCLUDED(mu_);

  // The server ends: calls that wait for changes are to finish.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);
  bool closed() const ABSL_LOCKS_EXCLUDED(mu_);

  // `listener` outlives the Health, or no change comes during its end.
  void Subscribe(Listener& listener) ABSL_LOCKS_EXCLUDED(mu_);
  void Unsubscribe(Listener& listener) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Notify() ABSL_LOCKS_EXCLUDED(mu_);

  mutable Mutex mu_;
  std::map<std::string, ServingStatus, std::less<>> services_
      ABSL_GUARDED_BY(mu_);
  std::set<Listener*> listeners_ ABSL_GUARDED_BY(mu_);
  bool ending_ ABSL_GUARDED_BY(mu_) = false;  // SetAllNotServing() was called.
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

// The messages of grpc.health.v1, from and to bytes.
// The service that a HealthCheckRequest names. INVALID_ARGUMENT if it is none.
absl::StatusOr<std::string> ParseHealthRequest(std::string_view bytes);
std::string HealthResponse(ServingStatus status);

}  // namespace relu

#endif  // SERVER_HEALTH_H_
