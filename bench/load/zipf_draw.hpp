#pragma once
// Places drawn by Zipf's law: place r (from 1) as often as 1 / r^exponent. What shoppers type is near an exponent of 1.

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "core/result.hpp"

namespace scalestyle::load {

// The same arguments draw the same places, on every machine. Thread safety: none.
class ZipfDraw {
 public:
  // kInvalidArgument unless `places` is 1 … 10,000,000 and `exponent` 0 (all alike) … 10.
  [[nodiscard]] static core::Result<ZipfDraw> create(std::size_t places, double exponent, std::uint64_t seed);

  // 0 … places − 1; 0 is the most frequent.
  [[nodiscard]] std::size_t next();

 private:
  ZipfDraw(std::size_t places, double exponent, std::uint64_t seed);

  std::vector<double> until_;  // of each place: the sum of the shares up to it, ascending
  std::mt19937_64 random_;
};

}  // namespace scalestyle::load
