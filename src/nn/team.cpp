#include "nn/team.hpp"

#include <cassert>
#include <thread>

namespace scalestyle::nn {

namespace {

constexpr std::uint64_t kFrontChunk = std::uint64_t{1} << 32U;
constexpr std::uint64_t kBackMask = kFrontChunk - 1;

// Spins for a few microseconds at a time, and offers the core in between: to the thread that receives the next request,
// say, which would otherwise wait for the end of this one's time slice.
class Spin {
 public:
  void wait() {
    if (++turns_ % kTurnsPerOffer == 0) return std::this_thread::yield();
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb");
#endif
  }
  void reset() { turns_ = 0; }
  [[nodiscard]] bool time_to_ask() const { return turns_ % kTurnsPerOffer == 0; }

 private:
  static constexpr unsigned kTurnsPerOffer = 64;
  unsigned turns_ = 0;
};

}  // namespace

void Team::run_phase(std::size_t chunks, Function body, const void* context) {
  assert(chunks < kFrontChunk / 2 && open_.load(std::memory_order_relaxed) != kClosed);
  body_ = body;
  context_ = context;
  open_.store(chunks, std::memory_order_release);
  std::size_t own = 0;
  for (std::uint64_t open = open_.load(std::memory_order_relaxed); (open >> 32U) < (open & kBackMask);) {
    // Relaxed: the leader has written all that its chunks read.
    if (!open_.compare_exchange_weak(open, open + kFrontChunk, std::memory_order_relaxed)) continue;
    body(context, static_cast<std::size_t>(open >> 32U));
    ++own;
    open = open_.load(std::memory_order_relaxed);
  }
  lent_ += chunks - own;
  for (Spin spin; finished_.load(std::memory_order_acquire) != lent_;) spin.wait();
}

void Team::help_while_open(Question leave, const void* context) {
  Spin spin;
  while (true) {
    std::uint64_t open = open_.load(std::memory_order_relaxed);
    if (open == kClosed) return;
    if ((open >> 32U) >= (open & kBackMask)) {
      if (spin.time_to_ask() && leave(context)) return;
      spin.wait();
      continue;
    }
    // A success may be on a later phase than the one loaded above: it is a claim on whatever phase is open now, whose
    // body it acquires.
    if (!open_.compare_exchange_weak(open, open - 1, std::memory_order_acquire, std::memory_order_relaxed)) continue;
    body_(context_, static_cast<std::size_t>((open & kBackMask) - 1));
    finished_.fetch_add(1, std::memory_order_release);
    spin.reset();
  }
}

}  // namespace scalestyle::nn
