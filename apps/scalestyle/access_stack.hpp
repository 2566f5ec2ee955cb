#pragma once
// AccessStack: who may ask a serving role what, as the settings say: its keys, their file followed, its audit.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/settings.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "http/access_control.hpp"
#include "http/audit_log.hpp"
#include "http/key_file.hpp"
#include "telemetry/log.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::app {

// `names` and the settings of keys; of the API's users, cookies, origins and logs too.
[[nodiscard]] std::vector<std::string> with_key_settings(std::vector<std::string> names);
[[nodiscard]] std::vector<std::string> with_access_settings(std::vector<std::string> names);

// The secrets of user_token_secret or user_token_secret_file; none where neither is set.
[[nodiscard]] core::Result<std::vector<std::string>> user_token_secrets(const core::Settings& settings);

class AccessStack {
 public:
  struct Parts {
    const core::Clock& clock;
    telemetry::Logger& log;
  };

  // kInvalidArgument with the setting as field: an address that others can reach, without keys or `insecure`; a file or
  // secret that is not one. Says once in the log where everybody may do everything.
  [[nodiscard]] static core::Result<std::unique_ptr<AccessStack>> open(const core::Settings& settings, Parts parts);
  AccessStack(const AccessStack&) = delete;
  AccessStack& operator=(const AccessStack&) = delete;

  // Made by the first call, once.
  [[nodiscard]] const http::AccessControl& control(telemetry::Metrics& metrics);
  [[nodiscard]] http::AuditLog& audit() { return audit_; }

  // Follows the file from now on. stop() before the threads of both end; destroy this after.
  void follow(core::TimerQueue& timers, core::WorkerPool& pool);
  void stop();

 private:
  AccessStack(Parts parts, std::string subject_key) : use_(parts), audit_(parts.log, parts.clock, std::move(subject_key)) {}

  Parts use_;
  http::AuditLog audit_;
  http::AccessControl::Options options_;
  std::unique_ptr<http::KeyFile> keys_;  // null: everybody may do everything
  std::unique_ptr<http::AccessControl> control_;
  std::optional<http::KeyFollower> follower_;
};

}  // namespace scalestyle::app
