#include "retrieval/row_map.hpp"

#include <algorithm>
#include <cassert>
#include <span>

namespace scalestyle::retrieval {

namespace {

constexpr std::uint32_t kWordBits = 64;

// The `count` (1 … 64) bits from `first` on, the first in the lowest place.
std::uint64_t read_bits(std::span<const std::uint64_t> words, std::uint32_t first, std::uint32_t count) {
  const std::size_t word = first / kWordBits;
  const std::uint32_t shift = first % kWordBits;
  std::uint64_t bits = words[word] >> shift;
  if (shift != 0 && shift + count > kWordBits) bits |= words[word + 1] << (kWordBits - shift);
  return count == kWordBits ? bits : bits & ((std::uint64_t{1} << count) - 1);
}

}  // namespace

void RowMap::add(std::uint32_t from, std::uint32_t to) {
  if (!runs_.empty()) {
    Run& last = runs_.back();
    assert(from >= last.from + last.count && to >= last.to + last.count);
    if (from == last.from + last.count && to == last.to + last.count) {
      ++last.count;
      return;
    }
  }
  runs_.push_back({from, to, 1});
}

catalog::Bitmap RowMap::map(const catalog::Bitmap& from) const {
  assert(from.size() == from_rows_);
  catalog::Bitmap mapped(to_rows_);
  for (const Run& run : runs_) {
    for (std::uint32_t done = 0; done < run.count;) {
      // Up to the next border of a word of the target: one word is written at a time.
      const std::uint32_t place = run.to + done;
      const std::uint32_t count = std::min(run.count - done, kWordBits - place % kWordBits);
      const std::uint64_t bits = read_bits(from.words(), run.from + done, count);
      const std::size_t word = place / kWordBits;
      if (bits != 0) mapped.set_word(word, mapped.words()[word] | (bits << (place % kWordBits)));
      done += count;
    }
  }
  return mapped;
}

catalog::Bitmap RowMap::map_all() const { return map(catalog::Bitmap(from_rows_, true)); }

}  // namespace scalestyle::retrieval
