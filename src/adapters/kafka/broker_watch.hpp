#pragma once
// BrokerWatch: which connections of a client are up, told by the client's own threads, and since when none is.
// Thread safety: every method may be called from any thread.

#include <chrono>
#include <cstddef>
#include <mutex>
#include <set>
#include <string>

#include "core/clock.hpp"

namespace scalestyle::adapters::kafka {

class BrokerWatch {
 public:
  explicit BrokerWatch(const core::Clock& clock) : clock_(clock), none_since_(clock.steady_now()) {}

  void changed(const std::string& broker, bool up);
  // What the client last complained of; said while none is up.
  void complained(std::string text);

  // Empty while a broker is connected, or one was within `grace`; else what keeps it away.
  [[nodiscard]] std::string trouble(std::chrono::milliseconds grace) const;

 private:
  const core::Clock& clock_;
  mutable std::mutex mutex_;
  std::set<std::string> up_;  // guarded by mutex_, as all below
  core::SteadyTime none_since_;
  bool was_up_ = false;
  std::string complaint_;
};

}  // namespace scalestyle::adapters::kafka
