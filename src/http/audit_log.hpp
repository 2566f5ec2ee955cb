#pragma once
// AuditLog: one line of the log for every call of an admin's and every one about what is kept of a shopper: which key, what,
// whose (as a keyed hash), with what outcome.
//
// Calls without a good key come by the thousand when somebody tries them: so many lines a minute, then the rest are counted.
// Thread safety: any thread.

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "http/application.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::http {

// A user's id as logs hold it: the same one gives the same text under one key, and no text tells the id.
class SubjectHasher {
 public:
  // Empty: a new key, so that texts of this process are like those of no other.
  explicit SubjectHasher(std::string key);
  [[nodiscard]] std::string operator()(std::string_view subject) const;  // 16 hexadecimal digits; empty for an empty one

 private:
  std::string key_;
};

class AuditLog {
 public:
  static constexpr std::uint32_t kUnknownCallersPerMinute = 60;

  AuditLog(telemetry::Logger& log, const core::Clock& clock, std::string subject_key) : log_(log), clock_(clock), hash_(std::move(subject_key)) {}

  // Of a call that has ended. `call.audit` must be there.
  void write(const FinishedCall& call);

  [[nodiscard]] const SubjectHasher& hasher() const { return hash_; }

 private:
  [[nodiscard]] bool has_room_for_unknown();

  telemetry::Logger& log_;
  const core::Clock& clock_;
  SubjectHasher hash_;
  std::mutex mutex_;
  core::SteadyTime minute_{};     // guarded by mutex_, as all below
  std::uint32_t in_minute_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace scalestyle::http
