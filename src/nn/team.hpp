#pragma once
// Team: one thread computes, others lend a hand where they can. The work is a sequence of phases of small chunks; the
// leader takes chunks from the front of the open phase, helpers from its back. No thread is started and none is needed:
// a helper that never comes, comes late or is suspended between two chunks costs the leader nothing, and one suspended
// within a chunk costs that chunk.
//
// Meant for phases of microseconds: a member without work spins and yields instead of sleeping.
//
// Thread safety: one leader calls run() and close(); any number of threads may help. The team must outlive
// every helper's call. Whatever the leader wrote before run() is visible to its chunks, what chunks wrote is visible to the
// leader after it.
//
// Invariants:
// 1. A chunk belongs to the thread whose compare-and-swap took it out of open_.
// 2. body_ and context_ are read only by owners of a chunk, and written only while none is open or owned.
// 3. finished_ grows by one for every chunk a helper owned, after its last use of body_ and context_.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace scalestyle::nn {

class Team {
 public:
  Team() = default;
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // Leader. Calls body(0) … body(chunks − 1), each once, on this thread and on helpers; returns when all are done. The
  // body must not throw. At most 2³¹ − 1 chunks; none after close().
  template <class Body>
  void run(std::size_t chunks, const Body& body) {
    run_phase(chunks, [](const void* context, std::size_t chunk) { (*static_cast<const Body*>(context))(chunk); }, &body);
  }

  // Leader. Sends the helpers home: every help() returns, at once or after its chunk.
  void close() { open_.store(kClosed, std::memory_order_release); }
  // Any thread.
  [[nodiscard]] bool closed() const { return open_.load(std::memory_order_relaxed) == kClosed; }

  // Helper. Computes chunks of the leader's phases until close(), or until leave() says so: it is asked every few
  // microseconds without a chunk, so at least once a phase.
  template <class Leave>
  void help_until(const Leave& leave) {
    help_while_open([](const void* context) { return bool{(*static_cast<const Leave*>(context))()}; }, &leave);
  }
  void help() { help_until([] { return false; }); }

 private:
  using Function = void (*)(const void* context, std::size_t chunk);
  using Question = bool (*)(const void* context);
  static constexpr std::uint64_t kClosed = std::uint64_t{1} << 63U;
  static constexpr std::size_t kCacheLine = 64;

  void run_phase(std::size_t chunks, Function body, const void* context);
  void help_while_open(Question leave, const void* context);

  // kClosed, or the chunks nobody has taken: first in the upper half, end in the lower.
  alignas(kCacheLine) std::atomic<std::uint64_t> open_{0};
  Function body_ = nullptr;        // written by the leader
  const void* context_ = nullptr;  // written by the leader
  std::uint64_t lent_ = 0;         // the leader's own: chunks helpers have taken in all phases
  alignas(kCacheLine) std::atomic<std::uint64_t> finished_{0};  // written by helpers
};

}  // namespace scalestyle::nn
