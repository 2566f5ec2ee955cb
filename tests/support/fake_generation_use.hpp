#pragma once
// GenerationUse in memory: what is reported stays until the test forgets it, or the clock passes its time.

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/clock.hpp"
#include "ports/generation_use.hpp"

namespace scalestyle::support {

class FakeGenerationUse final : public ports::GenerationUse {
 public:
  explicit FakeGenerationUse(const core::Clock& clock) : clock_(clock) {}

  [[nodiscard]] core::Task<core::Status> report(std::string gateway, core::GenerationId generation, std::chrono::milliseconds ttl,
                                                core::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (fault_) co_return std::unexpected(*fault_);
    if (gateway.empty() || generation.empty() || ttl < std::chrono::seconds(1)) {
      co_return core::fail(core::ErrorCode::kInvalidArgument, "a report needs a gateway, a generation and a second at least");
    }
    until_[{std::move(gateway), std::move(generation)}] = clock_.steady_now() + ttl;
    co_return core::Status();
  }

  [[nodiscard]] core::Task<core::Result<std::set<core::GenerationId>>> used(core::Deadline) override {
    const std::lock_guard lock(mutex_);
    if (fault_) co_return std::unexpected(*fault_);
    std::set<core::GenerationId> generations;
    for (const auto& [held, until] : until_) {
      if (until > clock_.steady_now()) generations.insert(held.second);
    }
    co_return generations;
  }

  void forget(const std::string& gateway) {
    const std::lock_guard lock(mutex_);
    std::erase_if(until_, [&](const auto& held) { return held.first.first == gateway; });
  }
  void fail_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }

 private:
  const core::Clock& clock_;
  std::mutex mutex_;
  std::map<std::pair<std::string, core::GenerationId>, core::SteadyTime> until_;  // guarded by mutex_
  std::optional<core::Error> fault_;                                             // guarded by mutex_
};

}  // namespace scalestyle::support
