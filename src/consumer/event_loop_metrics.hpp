#pragma once
// What an event loop shows of itself: events applied and how long after their receipt, records that were no event, failures by
// stage, seconds of each apply, and when rendered the lag and the age of the newest event that has taken effect.
//
// Thread safety: every method from any thread.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "events/event.hpp"
#include "ports/event_stream.hpp"
#include "telemetry/metrics.hpp"

namespace scalestyle::consumer {

enum class LoopStage : std::uint8_t { kPositions, kSeek, kPoll, kPause, kApply, kDeadLetter, kCommit, kUnexpected };
inline constexpr std::size_t kLoopStageCount = 8;
[[nodiscard]] std::string_view to_string(LoopStage stage);  // "positions", "seek", "poll" …

class EventLoopMetrics {
 public:
  EventLoopMetrics(telemetry::Metrics& metrics, const ports::EventStream& stream, const core::Clock& clock, const std::string& name);
  // The lag is not asked for any more; the other values stay as they are.
  ~EventLoopMetrics();
  EventLoopMetrics(const EventLoopMetrics&) = delete;
  EventLoopMetrics& operator=(const EventLoopMetrics&) = delete;

  // `durable`: as ports::ApplyReport.
  void applied(std::span<const events::LoggedEvent> taken, std::chrono::nanoseconds took, bool durable);
  void failed(LoopStage stage) { failures_[static_cast<std::size_t>(stage)].add(); }
  void undecodable() { undecodable_.add(); }
  void put_off() { put_off_.add(); }

 private:
  // Shared with the collector that the metrics keep for as long as they live.
  struct Live;

  telemetry::Counter applied_;
  telemetry::Counter undecodable_;
  telemetry::Counter put_off_;
  telemetry::Histogram apply_seconds_;
  const core::WallTime began_;
  telemetry::Histogram freshness_;
  std::array<telemetry::Counter, kLoopStageCount> failures_;
  std::shared_ptr<Live> live_;
};

}  // namespace scalestyle::consumer
