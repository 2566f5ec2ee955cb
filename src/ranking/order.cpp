// order_by_score: a radix sort by the leading 32 bits of the scores, whose time does not depend on how mixed they are,
// then a comparison sort of the short runs that share them.

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "ranking/behavior_boost.hpp"

namespace scalestyle::ranking {

namespace {

constexpr std::size_t kLeastForRadix = 128;
constexpr unsigned kDigitBits = 11;
constexpr std::size_t kDigitValues = std::size_t{1} << kDigitBits;
constexpr std::size_t kDigits = 3;  // 33 bits hold the 32 of a key

struct Entry {
  std::uint32_t key = 0;
  std::uint32_t candidate = 0;
};
using Counts = std::array<std::array<std::uint32_t, kDigitValues>, kDigits>;

// Ascending keys are descending scores; scores that differ little may share one.
std::uint32_t key_of(double score) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  const auto bits = std::bit_cast<std::uint64_t>(score + 0.0);  // −0 and 0 are equal
  const std::uint64_t ascending = (bits & kSign) != 0 ? ~bits : bits | kSign;
  return static_cast<std::uint32_t>(~ascending >> 32);
}

std::size_t digit_of(std::uint32_t key, std::size_t digit) { return (key >> (digit * kDigitBits)) % kDigitValues; }

// Sorts `entries` by key, stably; `spare` is as long.
void radix_sort(std::vector<Entry>& entries, std::vector<Entry>& spare) {
  Counts counts{};
  for (const Entry& entry : entries) {
    for (std::size_t digit = 0; digit < kDigits; ++digit) ++counts[digit][digit_of(entry.key, digit)];
  }
  for (std::size_t digit = 0; digit < kDigits; ++digit) {
    auto& places = counts[digit];
    if (places[digit_of(entries.front().key, digit)] == entries.size()) continue;  // all alike
    std::uint32_t place = 0;
    for (std::uint32_t& count : places) place += std::exchange(count, place);
    for (const Entry& entry : entries) spare[places[digit_of(entry.key, digit)]++] = entry;
    entries.swap(spare);
  }
}

}  // namespace

void order_by_score(std::span<const double> scores, std::span<const catalog::RowIndex> rows,
                    std::vector<std::uint32_t>& order) {
  assert(scores.size() == rows.size() && scores.size() < std::numeric_limits<std::uint32_t>::max());
  const auto comes_first = [&](std::uint32_t a, std::uint32_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : rows[a] < rows[b];
  };
  order.resize(scores.size());
  if (scores.size() < kLeastForRadix) {
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, comes_first);
    return;
  }
  thread_local std::vector<Entry> entries;
  thread_local std::vector<Entry> spare;
  entries.resize(scores.size());
  spare.resize(scores.size());
  for (std::uint32_t i = 0; i < scores.size(); ++i) entries[i] = {key_of(scores[i]), i};
  radix_sort(entries, spare);
  for (std::size_t begin = 0; begin < entries.size();) {
    std::size_t end = begin;
    for (; end < entries.size() && entries[end].key == entries[begin].key; ++end) order[end] = entries[end].candidate;
    if (end - begin > 1) {
      std::ranges::sort(std::span(order).subspan(begin, end - begin), comes_first);
    }
    begin = end;
  }
}

}  // namespace scalestyle::ranking
