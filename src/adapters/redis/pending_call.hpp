#pragma once
// What a call of the client is while it waits: its commands, how far each has come, and who waits for them.
//
// Invariants: (1) a request's outcome is set once; (2) a call is settled once, when its last request has an outcome, at its
// deadline, or when it is cancelled; what arrives for it later is discarded. (3) Its share of the bound on waiting commands
// is given back with the last reference, so replies that nobody waits for any more count too.
// Thread safety: the I/O thread's, after it was handed over; `done` as core::OneShot says.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/redis/redis_client.hpp"
#include "core/deadline.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace scalestyle::adapters::redis {

struct Request {
  RedisCommand command{};
  std::string node{};             // "host:port" of the one node that is meant; empty: the key decides
  bool lists_masters = false;     // no command: the outcome is the masters' "host:port"
  std::uint16_t slot = 0;
  int redirections = 0;
  std::uint32_t attempt = 0;      // counts how often it was given to a connection
  bool whole_script = false;      // the server said NOSCRIPT
  bool in_flight = false;         // written, and its reply has not come
  bool in_doubt = false;          // an earlier attempt was written and had no reply
  std::string sent_to{};          // the node of this attempt
  std::optional<core::Error> obstacle{};                   // why it waits for another attempt
  std::optional<RedisValue> unreplicated{};                // its reply, while replicas are waited for
  std::optional<core::Result<RedisValue>> outcome{};
};

struct Call;
using Deadlines = std::multimap<core::SteadyTime, std::shared_ptr<Call>>;

struct Call {
  explicit Call(std::shared_ptr<std::atomic<std::size_t>> the_waiting) : waiting(std::move(the_waiting)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { waiting->fetch_sub(counted, std::memory_order_relaxed); }

  std::vector<Request> requests{};
  std::size_t unfinished = 0;
  std::size_t replicas = 0;  // that must have what was written
  core::Deadline deadline = core::Deadline::never();
  core::SteadyTime started{};
  bool settled = false;
  Deadlines::iterator place{};  // while not settled
  core::OneShot<core::Status> done{};

  std::shared_ptr<std::atomic<std::size_t>> waiting;
  std::size_t counted = 0;  // of `waiting`
};

// One request of a call.
struct RequestRef {
  std::shared_ptr<Call> call{};
  std::size_t index = 0;
  [[nodiscard]] Request& operator*() const { return call->requests[index]; }
  [[nodiscard]] Request* operator->() const { return &call->requests[index]; }
};

}  // namespace scalestyle::adapters::redis
