#pragma once
// A text generator that needs no model: it says what the test tells it to, a word at a time, on the pool. Faults are set by the
// test; hold_after(n) keeps every later call waiting behind its n-th piece until release(), its deadline or a stop.

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/timer_queue.hpp"
#include "core/worker_pool.hpp"
#include "ports/text_generator.hpp"
#include "search/timed_slot.hpp"

namespace scalestyle::support {

class FakeTextGenerator final : public ports::TextGenerator {
 public:
  using Script = std::function<std::string(const ports::GenerationRequest&)>;

  FakeTextGenerator(core::WorkerPool& pool, core::TimerQueue& timers) : pool_(pool), timers_(timers) {
    info_ = {"fake-generator", "fedcba9876543210fedcba9876543210", "f32", 2048};
  }
  ~FakeTextGenerator() override { release(); }

  [[nodiscard]] const ports::GeneratorInfo& info() const override { return info_; }

  [[nodiscard]] core::Task<core::Result<ports::GeneratedText>> generate(ports::GenerationRequest request, core::Deadline deadline,
                                                                        std::function<bool(std::string_view)> on_piece) override {
    const std::stop_token stop = co_await core::current_stop_token();
    CORE_CO_CHECK(co_await pool_.schedule(deadline));
    std::vector<std::string> pieces;
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
      if (fault_) co_return std::unexpected(*fault_);
      pieces = pieces_of(script_ ? script_(request) : std::string("It is a good match for your search."));
    }
    ports::GeneratedText made;
    made.prompt_tokens = request.messages.size();
    for (const std::string& piece : pieces) {
      if (made.tokens == request.max_tokens) {
        made.stopped = ports::StopCause::kMaxTokens;
        break;
      }
      const auto gone_on = co_await wait_behind(made.tokens, deadline);
      if (!gone_on && gone_on.error().code == core::ErrorCode::kDeadlineExceeded) {
        if (made.tokens == 0) co_return std::unexpected(gone_on.error());
        made.stopped = ports::StopCause::kDeadline;
        break;
      }
      if (!gone_on || stop.stop_requested()) co_return stopped();
      made.text += piece;
      ++made.tokens;
      if (on_piece && !on_piece(piece)) co_return stopped();
    }
    co_return made;
  }

  void say(Script script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  void say(std::string text) {
    say([text = std::move(text)](const ports::GenerationRequest&) { return text; });
  }
  void fail_with(std::optional<core::Error> fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  void hold_after(std::size_t pieces) {
    const std::lock_guard lock(mutex_);
    hold_after_ = pieces;
  }
  void release() {
    std::vector<std::shared_ptr<Slot>> waiting;
    {
      const std::lock_guard lock(mutex_);
      hold_after_.reset();
      waiting.swap(waiting_);
    }
    for (const auto& slot : waiting) slot->offer(true);
  }
  // Returns when so many calls were stopped by who asked.
  void wait_until_stopped(std::size_t calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ >= calls; });
  }
  [[nodiscard]] std::vector<ports::GenerationRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  using Slot = search::TimedSlot<core::Result<bool>>;

  // Each word with the blank before it.
  static std::vector<std::string> pieces_of(const std::string& text) {
    std::vector<std::string> pieces;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find(' ', begin + 1), text.size());
      pieces.push_back(text.substr(begin, end - begin));
      begin = end;
    }
    return pieces;
  }

  core::Task<core::Result<bool>> wait_behind(std::size_t pieces, core::Deadline deadline) {
    auto slot = std::make_shared<Slot>();
    {
      const std::lock_guard lock(mutex_);
      if (!hold_after_ || pieces < *hold_after_) co_return true;
      waiting_.push_back(slot);
      changed_.notify_all();
    }
    co_return co_await search::await_slot<bool>(slot, timers_, deadline);
  }

  core::Result<ports::GeneratedText> stopped() {
    const std::lock_guard lock(mutex_);
    ++stopped_;
    changed_.notify_all();
    return core::fail(core::ErrorCode::kCancelled, "the generation was stopped");
  }

  core::WorkerPool& pool_;
  core::TimerQueue& timers_;
  ports::GeneratorInfo info_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Script script_;  // guarded by mutex_, as all below
  std::optional<core::Error> fault_;
  std::optional<std::size_t> hold_after_;
  std::vector<std::shared_ptr<Slot>> waiting_;
  std::vector<ports::GenerationRequest> requests_;
  std::size_t stopped_ = 0;
};

}  // namespace scalestyle::support
