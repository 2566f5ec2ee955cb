#pragma once
// Backoff: how long to leave a failing thing alone: doubling from `first` to `longest`, with half of each delay random,
// so that several processes that failed together do not return together. The same seed gives the same delays.

#include <chrono>
#include <cstdint>
#include <random>

namespace scalestyle::consumer {

class Backoff {
 public:
  struct Options {
    std::chrono::milliseconds first{50};
    std::chrono::milliseconds longest{10'000};
  };

  Backoff(Options options, std::uint64_t seed) : options_(options), random_(seed) {}

  // The delay after one more failure in a row.
  [[nodiscard]] std::chrono::milliseconds next();
  // After a success.
  void reset() { failures_ = 0; }
  [[nodiscard]] std::uint32_t failures() const { return failures_; }

 private:
  Options options_;
  std::mt19937_64 random_;
  std::uint32_t failures_ = 0;
};

}  // namespace scalestyle::consumer
