#pragma once
// Door: where searches come in. Refuses what is above the limit, and tells the others what they are to leave out.
//
// Thread safety: any thread. A Pass must not outlive its door.

#include <cstddef>
#include <optional>
#include <utility>

#include "core/clock.hpp"
#include "search/adaptive_limit.hpp"
#include "search/brownout.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::search {

struct DoorOptions {
  AdaptiveLimitOptions limit{};
  BrownoutOptions brownout{};
};

class Door {
 public:
  // `options` must be valid.
  Door(const DoorOptions& options, const core::Clock& clock, telemetry::Metrics& metrics);
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  class Pass {
   public:
    Pass(Pass&& other) noexcept = default;
    Pass& operator=(Pass&&) = delete;
    ~Pass() = default;

    // What this request leaves out.
    [[nodiscard]] BrownoutStep step() const { return step_; }
    // AdaptiveLimit::Ticket::served().
    void served(AdmittedKind kind) const { ticket_.served(kind); }

   private:
    friend class Door;
    Pass(AdaptiveLimit::Ticket ticket, BrownoutStep step) : ticket_(std::move(ticket)), step_(step) {}
    AdaptiveLimit::Ticket ticket_;
    BrownoutStep step_;
  };

  // Nothing above the limit.
  [[nodiscard]] std::optional<Pass> enter();

  [[nodiscard]] std::size_t limit() const { return limit_.limit(); }

 private:
  AdaptiveLimit limit_;
  Brownout brownout_;
  telemetry::Gauge limit_gauge_;
  telemetry::Gauge in_progress_gauge_;  // as of the last request that came
  telemetry::Gauge step_gauge_;
  telemetry::Counter admitted_;
  telemetry::Counter refused_;
};

}  // namespace scalestyle::search
