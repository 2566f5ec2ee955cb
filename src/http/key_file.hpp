#pragma once
// KeyFile: the API keys of a file, followed while the server runs (search/followed_file.hpp). A file that cannot be used
// leaves the keys in force as they were. KeyFollower looks at it again and again, on a compute thread.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "http/api_keys.hpp"
#include "search/followed_file.hpp"
#include "telemetry/log.hpp"

namespace scalestyle::http {

class KeyFile final : public search::FollowedFile<KeySet> {
 public:
  // Reads the file. Errors: those of read_keys().
  [[nodiscard]] static core::Result<std::unique_ptr<KeyFile>> open(std::filesystem::path path);

 private:
  explicit KeyFile(std::filesystem::path path) : FollowedFile(std::move(path), &read_keys) {}
};

// Thread safety: start() and stop() from one thread. Destroy it after the TimerQueue's and the pool's threads ended.
class KeyFollower {
 public:
  struct Dependencies {
    KeyFile& file;
    core::TimerQueue& timers;
    core::WorkerPool& pool;
    const core::Clock& clock;
    telemetry::Logger& log;
  };

  KeyFollower(Dependencies dependencies, std::chrono::milliseconds interval) : use_(dependencies), interval_(interval) {}
  KeyFollower(const KeyFollower&) = delete;
  KeyFollower& operator=(const KeyFollower&) = delete;

  void start() { arm(); }
  // No round begins afterwards; one in progress goes on to its end.
  void stop() { stopping_.store(true); }

 private:
  void arm();
  [[nodiscard]] core::Task<core::Status> round();
  void look();

  Dependencies use_;
  const std::chrono::milliseconds interval_;
  std::atomic<bool> stopping_{false};
  std::string logged_error_;  // touched by one round at a time
};

}  // namespace scalestyle::http
