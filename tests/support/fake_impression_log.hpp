#pragma once
// An impression log in memory. Thread-safe.

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "ports/impression_log.hpp"

namespace scalestyle::support {

class FakeImpressionLog final : public ports::ImpressionLog {
 public:
  bool note(events::Impression impression) override {
    const std::lock_guard lock(mutex_);
    if (full_) return false;
    impressions_.push_back(std::move(impression));
    return true;
  }

  [[nodiscard]] core::Task<core::Result<std::vector<events::Impression>>> history(events::Subject subject, std::size_t limit,
                                                                                 core::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (fault_) co_return std::unexpected(*fault_);
    std::vector<events::Impression> found;
    for (auto one = impressions_.rbegin(); one != impressions_.rend() && found.size() < limit; ++one) {
      const bool of_user = one->user_id && events::Subject::user(*one->user_id) == subject;
      const bool of_session = !one->user_id && one->session_id && events::Subject::session(*one->session_id) == subject;
      if (of_user || of_session) found.push_back(*one);
    }
    co_return found;
  }

  // While full, every record is dropped.
  void set_full(bool full) {
    const std::lock_guard lock(mutex_);
    full_ = full;
  }
  void fail_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  [[nodiscard]] std::vector<events::Impression> impressions() const {
    const std::lock_guard lock(mutex_);
    return impressions_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<events::Impression> impressions_;  // guarded by mutex_, as all below
  bool full_ = false;
  std::optional<core::Error> fault_;
};

}  // namespace scalestyle::support
