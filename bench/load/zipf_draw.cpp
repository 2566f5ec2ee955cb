#include "zipf_draw.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace scalestyle::load {

core::Result<ZipfDraw> ZipfDraw::create(std::size_t places, double exponent, std::uint64_t seed) {
  constexpr std::size_t kMostPlaces = 10'000'000;
  if (places < 1 || places > kMostPlaces) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("{} different queries are not 1 … {}", places, kMostPlaces),
                      "distinct");
  }
  if (!(exponent >= 0 && exponent <= 10)) {
    return core::fail(core::ErrorCode::kInvalidArgument, fmt::format("an exponent of {} is not in 0 … 10", exponent), "exponent");
  }
  return ZipfDraw(places, exponent, seed);
}

ZipfDraw::ZipfDraw(std::size_t places, double exponent, std::uint64_t seed) : random_(seed) {
  until_.reserve(places);
  double sum = 0;
  for (std::size_t place = 1; place <= places; ++place) {
    sum += std::pow(static_cast<double>(place), -exponent);
    until_.push_back(sum);
  }
}

std::size_t ZipfDraw::next() {
  // 53 random bits: the distributions of the standard library differ from one to another.
  const double share = static_cast<double>(random_() >> 11U) * 0x1p-53;
  const auto found = std::ranges::upper_bound(until_, share * until_.back());
  return std::min(static_cast<std::size_t>(found - until_.begin()), until_.size() - 1);
}

}  // namespace scalestyle::load
