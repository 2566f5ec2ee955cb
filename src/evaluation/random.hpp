#pragma once
// SplitMix64 (Steele, Lea & Flood 2014): small, and the same numbers on every machine, which the standard library's
// distributions are not. Not thread-safe; a copy goes on from where the original is.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace scalestyle::evaluation {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // A generator of its own for each text under one seed: what is drawn for it does not depend on its neighbours.
  Random(std::uint64_t seed, std::string_view text) : state_(seed ^ kFnvOffset) {
    for (const char c : text) state_ = (state_ ^ static_cast<unsigned char>(c)) * kFnvPrime;
  }

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t value = state_;
    value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27U)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31U);
  }
  // 0 … bound − 1; the bias is below 2⁻⁴⁰ for bounds below 2²⁴.
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

 private:
  static constexpr std::uint64_t kFnvOffset = 0xcbf29ce484222325U;
  static constexpr std::uint64_t kFnvPrime = 0x100000001b3U;

  std::uint64_t state_;
};

}  // namespace scalestyle::evaluation
