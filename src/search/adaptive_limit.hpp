#pragma once
// AdaptiveLimit: how many searches may be in progress at once, found from how long they take. Beyond it a request is refused at the
// door, at once.
//
// Requests of one kind (AdmittedKind) are compared with the quickest group of their kind: the smallest mean of 32 that followed one
// another. One is slow that takes `tolerance` times that, and longer than `grace`, which nobody minds. After every few requests:
// where most of them were slow, the limit becomes as much smaller than what was in progress as they were too slow; where they were
// not, and the limit was in use, it grows by one. So a queue that builds up in front of the processors is kept short, and those
// who are let in wait little. The limit stays between `floor` and `ceiling`. It begins at four times the floor, and goes back
// there by and by while more is not in use: a rush that comes out of quiet finds no more room than that. The quickest is forgotten
// only while little is in progress, so that lasting overload is not taken for what is usual; or while the limit stays at the floor, where a
// queue cannot be what makes requests slow.
//
// `floor` and `grace` are for a crowd that the server gets through, a little later. Where more are refused than served it does
// not: then, and for ten seconds after, there is no grace, and the limit may go down to `crowded_floor`, so that those who are let
// in are served as if they were alone.
//
// Thread safety: any thread. Entering takes no lock. A Ticket must not outlive its limit.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "core/clock.hpp"
#include "core/result.hpp"

namespace scalestyle::search {

// What requests of about the same cost have in common.
enum class AdmittedKind : std::uint8_t {
  kKept,      // a list that was kept
  kFound,     // one that a query found
  kReranked,  // and a cross-encoder judged
  kPicture,   // a search by picture
  kList,      // one without a query
  kDegraded,  // less than it was meant to be, or too late for anything
};
inline constexpr std::size_t kAdmittedKinds = 6;

struct AdaptiveLimitOptions {
  bool adapts = true;         // false: the limit is the ceiling
  std::size_t floor = 16;     // 1 … ceiling; a larger one counts as the ceiling
  std::size_t crowded_floor = 2;  // 1 … floor; a larger one counts as the floor. As many as work at once are right
  std::size_t ceiling = 256;  // 1 … 100,000
  double tolerance = 1.5;     // 1.1 … 100
  std::chrono::milliseconds grace{50};  // 0 … 60,000

  // kInvalidArgument with the setting as field.
  [[nodiscard]] core::Status validate() const;
};

class AdaptiveLimit {
 public:
  // `options` must be valid.
  AdaptiveLimit(const AdaptiveLimitOptions& options, const core::Clock& clock);
  AdaptiveLimit(const AdaptiveLimit&) = delete;
  AdaptiveLimit& operator=(const AdaptiveLimit&) = delete;

  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), entered_(other.entered_), beside_(other.beside_) {}
    Ticket& operator=(Ticket&&) = delete;
    ~Ticket() {
      if (owner_ != nullptr) owner_->in_progress_.fetch_sub(1, std::memory_order_acq_rel);
    }

    // The request was served, or ran out of time: how long it took counts. Not called for what failed otherwise or was given up.
    void served(AdmittedKind kind) const { owner_->note(kind, entered_); }
    // The share that others had in use when this one came in: of the limit in a crowd, else of what the limit is at rest or more.
    [[nodiscard]] double pressure() const { return beside_; }

   private:
    friend class AdaptiveLimit;
    Ticket(AdaptiveLimit* owner, core::SteadyTime entered, double beside) : owner_(owner), entered_(entered), beside_(beside) {}
    AdaptiveLimit* owner_;
    core::SteadyTime entered_;
    double beside_;
  };

  [[nodiscard]] std::optional<Ticket> enter();

  [[nodiscard]] std::size_t in_progress() const { return in_progress_.load(std::memory_order_acquire); }
  [[nodiscard]] std::size_t limit() const { return limit_.load(std::memory_order_acquire); }

 private:
  using Duration = std::chrono::nanoseconds;
  // Means of groups.
  struct Quickest {
    Duration known = Duration::max();     // max: nothing is known
    Duration of_period = Duration::max();
    Duration sum{0};                      // of the group that is not full yet
    int size = 0;
  };

  void note(AdmittedKind kind, core::SteadyTime entered);
  // Under the lock, as those below.
  [[nodiscard]] double slowness(AdmittedKind kind, Duration took);
  void begin_period(core::SteadyTime now);
  void adapt(core::SteadyTime now);
  void look_at_refusals(core::SteadyTime now);
  void start_again_from(std::size_t limit, core::SteadyTime now);
  [[nodiscard]] std::size_t floor() const { return crowded_ ? crowded_floor_ : floor_; }

  const AdaptiveLimitOptions options_;
  const std::size_t floor_;
  const std::size_t crowded_floor_;
  const std::size_t rest_;                  // the limit while little is in progress
  const core::Clock& clock_;
  std::atomic<std::size_t> limit_;          // written under the lock
  std::atomic<std::size_t> in_progress_{0};
  std::atomic<std::size_t> peak_{0};        // in progress since the last change
  std::atomic<std::size_t> refused_{0};     // since the last look at them

  std::mutex mutex_;
  std::array<Quickest, kAdmittedKinds> quickest_{};  // guarded by mutex_, as all below
  core::SteadyTime period_began_;
  bool was_busy_ = false;                   // in this period, as the next
  bool was_above_floor_ = false;
  core::SteadyTime changed_;                // requests that came in before count no more
  std::size_t samples_ = 0;
  std::size_t slow_ = 0;
  double slowness_ = 0;                     // of all samples together
  bool crowded_ = false;
  core::SteadyTime crowded_until_;
  core::SteadyTime looked_;                 // at the refusals
  std::size_t served_ = 0;                  // since then
};

}  // namespace scalestyle::search
