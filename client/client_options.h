// What a client may be told when it is made, and for one call.
//
// This header is installed; it includes neither gRPC nor protobuf.

#ifndef CLIENT_CLIENT_OPTIONS_H_
#define CLIENT_CLIENT_OPTIONS_H_

#include <chrono>
#include <functional>
#include <string>

namespace relu {

// Encryption, if it is enabled. All of them are texts in PEM format.
struct TlsOptions {
  bool enabled = false;
  std::string root_certificates = {};  // Whom to trust; empty: the system's.
  // What the client shows of itself (mutual TLS); empty: nothing.
  std::string certificate_chain = {};
  std::string private_key = {};
  // The name that the server's certificate must have; empty: the address.
  std::string server_name = {};
};

// Calls that fail with UNAVAILABLE are sent again, to another server if there
// are several: inference, and what asks only. Never those that change something
// (LoadModel, UnloadModel), streams, and what CallOptions::repeatable forbids.
// A call that is sent again says so in the metadata grpc-previous-rpc-attempts.
// A server that answers with grpc-retry-pushback-ms decides when, and whether.
struct RetryOptions {
  // Sends of one call in all, from 1 (never again) to 5.
  int max_attempts = 4;
  // The wait before the second send, at most; it is random, and grows by
  // `backoff_multiplier` with each.
  std::chrono::milliseconds initial_backoff{50};
  std::chrono::milliseconds max_backoff{1'000};
  double backoff_multiplier = 2;
  // Sends a call again if a server has not answered at all within this time; 0:
  // waits until the deadline. Helps against servers that hang.
  std::chrono::milliseconds attempt_timeout{0};
  // The budget, which keeps retries from adding to an overload: each failed
  // send takes a token of `budget_tokens` (at most 1000), each good one gives
  // back `budget_ratio` of one. With half of them gone nothing is sent again.
  int budget_tokens = 1'000;
  double budget_ratio = 0.1;
};

// Sends an inference again before the first send has failed, to another server
// if there are several, and takes the answer that comes first. Against slow
// servers; costs load. Takes the place of retries, and draws on their budget.
struct HedgingOptions {
  // Sends of one call in all; 1: no hedging.
  int max_attempts = 1;
  // How long to wait before the next: about the p95 of the latency is usual.
  // A send that fails with UNAVAILABLE is followed at once.
  std::chrono::milliseconds delay{50};
};

// How calls are shared out among the addresses of a target.
struct BalancingOptions {
  // Takes turns among all that can be reached; else: the first that can.
  bool round_robin = true;
  // With round_robin: inference goes to servers whose grpc.health.v1 says of
  // the whole server ("") that it serves, and to those without that service.
  // While there is none, it goes to all that can be reached: a server says so
  // of itself when a single model of it is bad, or while it drains, and
  // answers.
  bool health_checks = true;
  // With round_robin: leaves out a server for `ejection_time` (longer each
  // time) when `ejection_failed_percent` of at least `ejection_calls` calls in
  // an `ejection_interval` failed. Never more than half of them. 0 calls:
  // never.
  int ejection_calls = 10;
  int ejection_failed_percent = 50;
  std::chrono::milliseconds ejection_interval{500};
  std::chrono::milliseconds ejection_time{5'000};
};

// Asks an idle or silent connection whether it is still there. Servers close
// connections that ask more often than they allow: for gRPC's own that is every
// 5 minutes, and oftener while calls are in flight.
struct KeepaliveOptions {
  std::chrono::milliseconds interval{0};  // 0: never.
  std::chrono::milliseconds timeout{20'000};
};

struct ClientOptions {
  // How long a call may take if it does not say otherwise. Above 0.
  std::chrono::milliseconds default_timeout{10'000};
  // Connections to open to each address; calls take turns. More than one helps
  // a client that keeps many calls in flight. From 1 to 1024.
  int channels = 1;
  // The longest time before a lost connection is tried again. Above 0.
  std::chrono::milliseconds max_reconnect_backoff{2'000};
  TlsOptions tls = {};
  // If there is one: what each call sends as "authorization: Bearer ...".
  // Called for each call, by any thread, so that tokens may change. Without TLS
  // everybody on the way can read it.
  std::function<std::string()> token = {};
  RetryOptions retry = {};
  HedgingOptions hedging = {};
  BalancingOptions balancing = {};
  KeepaliveOptions keepalive = {};
};

struct CallOptions {
  // 0: the client's default_timeout. Below 0: the time is over already.
  std::chrono::milliseconds timeout{0};
  // False: the call is sent at most once, whatever becomes of it. Inference
  // with the parameter sequence_id is never repeated.
  bool repeatable = true;
};

// The payload of an error that holds what the server said in detail: a
// serialized google.rpc.Status.
inline constexpr char kStatusDetailsUrl[] =
    "type.googleapis.com/google.rpc.Status";

}  // namespace relu

#endif  // CLIENT_CLIENT_OPTIONS_H_
